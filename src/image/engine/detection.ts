import * as v from 'valibot';

import { BoincError, messageOf } from '../../common/errors.js';
import type { OperationContext } from '../../common/ports.js';
import { EngineProcess } from './engineProcess.js';

export type EngineName = 'docker' | 'podman';

export interface DetectedEngine {
	readonly kind: EngineName;
	readonly command: string;
	/** Of the command line program. */
	readonly version: string;
	/** For people: `Docker`, `Podman`, `nerdctl`. */
	readonly product: string;
	/** Whether `docker build` is the buildx plugin, which knows `--load`. */
	readonly buildx: boolean;
}

/** Why a program is no engine to use. */
export interface EngineAbsence {
	readonly command: string;
	readonly state: 'not installed' | 'not running' | 'not permitted' | 'broken';
	readonly said: string;
}

const PROBE_MS = 20_000;

/** Docker's and Podman's `version` as JSON. A daemon that does not run leaves `Server` out. */
const versionSchema = v.object({
	Client: v.optional(v.nullable(v.object({ Version: v.optional(v.string(), '') }))),
	Server: v.optional(v.nullable(v.object({ Version: v.optional(v.string(), '') }))),
});

/** Asks one program whether it is a working engine. */
export async function detect(
	command: string,
	env: NodeJS.ProcessEnv,
	ctx: OperationContext,
): Promise<DetectedEngine | EngineAbsence> {
	const named = await quickly(command, ['--version'], env, ctx);
	if (named === undefined) {
		return { command, state: 'not installed', said: '' };
	}
	// `podman-docker` installs Podman under Docker's name.
	const kind: EngineName = /podman/i.test(named.stdout + named.stderr) ? 'podman' : 'docker';
	const answer = await quickly(command, ['version', '--format', kind === 'podman' ? 'json' : '{{json .}}'], env, ctx);
	const said = (answer?.stderr ?? '').trim();
	const version = answer?.code === 0 ? workingVersion(kind, answer.stdout) : undefined;
	if (version === undefined) {
		return { command, state: absenceState(said), said };
	}
	const product = /nerdctl/i.test(named.stdout) ? 'nerdctl' : kind === 'podman' ? 'Podman' : 'Docker';
	return { kind, command, version, product, buildx: product === 'Docker' && (await hasBuildx(command, env, ctx)) };
}

/** The version of the command line in the output of `version`; `undefined` unless there is something behind it. */
function workingVersion(kind: EngineName, json: string): string | undefined {
	const versions = parseVersions(json);
	const hasService = kind === 'podman' || Boolean(versions?.Server);
	return hasService ? (versions?.Client?.Version ?? versions?.Server?.Version ?? '') : undefined;
}

/** Reads the JSON of `version`; `undefined` for anything else. */
export function parseVersions(text: string): v.InferOutput<typeof versionSchema> | undefined {
	try {
		const result = v.safeParse(versionSchema, JSON.parse(text));
		return result.success ? result.output : undefined;
	} catch {
		return undefined;
	}
}

function absenceState(said: string): EngineAbsence['state'] {
	if (/permission denied/i.test(said)) {
		return 'not permitted';
	}
	return /cannot connect|is the docker daemon running|connection refused|unable to connect|no such file|error during connect/i.test(
		said,
	)
		? 'not running'
		: 'broken';
}

async function hasBuildx(command: string, env: NodeJS.ProcessEnv, ctx: OperationContext): Promise<boolean> {
	// With this variable `docker build` is the classic builder even where the plugin is there.
	return env.DOCKER_BUILDKIT !== '0' && (await quickly(command, ['buildx', 'version'], env, ctx))?.code === 0;
}

interface Quick {
	readonly code: number;
	readonly stdout: string;
	readonly stderr: string;
}

/** Runs a short command; `undefined` when there is no such program. */
async function quickly(
	command: string,
	args: readonly string[],
	env: NodeJS.ProcessEnv,
	ctx: OperationContext,
): Promise<Quick | undefined> {
	let child: EngineProcess;
	try {
		child = await EngineProcess.start({ command, args, env });
	} catch (error) {
		ctx.log.debug(`${command} cannot be started: ${messageOf(error)}`);
		return undefined;
	}
	const timeout = AbortSignal.timeout(PROBE_MS);
	const signal = ctx.signal ? AbortSignal.any([ctx.signal, timeout]) : timeout;
	const stop = (): void => void child.end();
	signal.addEventListener('abort', stop, { once: true });
	try {
		let stdout = '';
		for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
			stdout += chunk.toString('utf8');
		}
		const { code, stderr } = await child.ended();
		return timeout.aborted ? { code: -1, stdout, stderr: `no answer within ${PROBE_MS / 1000} s` } : { code, stdout, stderr };
	} finally {
		signal.removeEventListener('abort', stop);
	}
}

/** The error for a machine without a usable engine: exactly what is wrong with each, and what to do. */
export function engineMissing(absences: readonly EngineAbsence[], platform: NodeJS.Platform): BoincError {
	const present = absences.filter(({ state }) => state !== 'not installed');
	const [first] = present;
	const [asked, ...others] = absences;
	if (first === undefined && asked && others.length === 0) {
		return new BoincError('engine-missing', `The container engine ${asked.command} was not found on this computer.`, {
			remedy: 'Correct its name or path, or leave it out: then the engine that answers is taken.',
			detail: { state: 'not installed', command: asked.command },
		});
	}
	if (first === undefined) {
		const names = absences.map(({ command }) => command).join(' nor ');
		return new BoincError('engine-missing', `No container engine was found on this computer: neither ${names} is installed.`, {
			remedy: INSTALL[platform] ?? 'Install Docker or Podman.',
			detail: { state: 'not installed' },
		});
	}
	const described = present.map(
		({ command, state, said }) => `${command} is ${STATES[state]}${said === '' ? '' : ` (“${lastLine(said)}”)`}`,
	);
	return new BoincError('engine-missing', `No container engine can be used: ${described.join('; ')}.`, {
		remedy: remedyFor(first, platform),
		detail: { state: first.state, command: first.command },
	});
}

const STATES: Readonly<Record<EngineAbsence['state'], string>> = {
	'not installed': 'not installed',
	'not running': 'installed, but its service does not run',
	'not permitted': 'installed, but your account may not use it',
	broken: 'installed, but does not work',
};

const INSTALL: Partial<Record<NodeJS.Platform, string>> = {
	linux: 'Install Podman or Docker, for example with: sudo apt install podman',
	darwin: 'Install Docker Desktop or Podman Desktop.',
	win32: 'Install Docker Desktop or Podman Desktop.',
};

function remedyFor(absence: EngineAbsence, platform: NodeJS.Platform): string {
	const isPodman = /podman/i.test(absence.command + absence.said);
	const isNerdctl = /nerdctl|containerd socket|rootless containerd/i.test(absence.command + absence.said);
	if (absence.state === 'broken') {
		return `Run “${absence.command} version” in a terminal to see what is wrong.`;
	}
	if (isNerdctl) {
		return 'Start containerd, and BuildKit for builds: sudo systemctl start containerd buildkit, or for your account alone: containerd-rootless-setuptool.sh install, then install-buildkit';
	}
	if (absence.state === 'not permitted') {
		return 'Add your account to the group docker (sudo usermod -aG docker "$USER"), then log out and in again.';
	}
	if (isPodman) {
		return 'Start it with: podman machine start';
	}
	// Requests name a socket as http://%2Frun%2F….
	const said = absence.said.replaceAll(/%2F/gi, '/');
	const known = SERVICES.find(([address]) => address.test(said))?.[1];
	return known ?? (platform === 'linux' ? 'Start it with: sudo systemctl start docker' : 'Start Docker Desktop.');
}

/** What listens where Docker's program looked for its daemon, by the address that it names. */
const SERVICES: readonly [RegExp, string][] = [
	[/\/\.colima\//, 'Start it with: colima start'],
	[/\/\.docker\/desktop\//, 'Start Docker Desktop.'],
	[/\/\.orbstack\//, 'Start OrbStack.'],
	[/\/\.rd\//, 'Start Rancher Desktop.'],
	[/\/run\/user\/\d+\/docker\.sock/, 'Start it with: systemctl --user start docker'],
	[
		/\b(?:tcp|ssh):\/\/|"https?:\/\/(?!\/)/,
		'Check that the computer of your Docker context can be reached, or choose another context with: docker context use NAME',
	],
];

/** The error of a program that worked and cannot be started any more. */
export const programMissing = (command: string, cause?: unknown): BoincError =>
	new BoincError('engine-missing', `The program ${command} cannot be started.`, {
		remedy: 'Check that it is still installed and on the PATH.',
		cause,
	});

/** Whether an engine that worked does not answer any more: the error that says so, of what it was doing. */
export async function engineStopped(
	{ command, doing, then }: { readonly command: string; readonly doing: string; readonly then: string },
	env: NodeJS.ProcessEnv,
	ctx: OperationContext,
): Promise<BoincError | undefined> {
	const now = await detect(command, env, ctx);
	// One that does not answer in time, or answers something else, may only be busy.
	if ('kind' in now || now.state === 'broken') {
		return undefined;
	}
	return now.state === 'not installed'
		? programMissing(command)
		: new BoincError('engine-failed', `${command} stopped while it ${doing}${now.said === '' ? '' : `: ${lastLine(now.said)}`}`, {
				remedy: `${remedyFor(now, process.platform)}. Then ${then}.`.replace('..', '.'),
				detail: { state: now.state },
			});
}

const lastLine = (text: string): string => text.split('\n').at(-1) ?? '';
