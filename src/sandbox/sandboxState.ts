import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';

import * as v from 'valibot';

import { BoincError } from '../common/errors.js';

const Port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535));
const State = v.object({
	/** Short name of the project: its folder and the path in its URLs. */
	name: v.string(),
	/** Waiting times in comparison with BOINC's. */
	pace: v.number(),
	fanout: v.number(),
	clientCount: v.picklist([0, 1]),
	engine: v.picklist(['podman', 'docker', 'none']),
	/** Folder of docker_wrapper binaries. */
	wrapperFolder: v.string(),
	/** Kept over restarts while they are free. */
	ports: v.object({ database: v.optional(Port), ssh: v.optional(Port), web: Port }),
	/** The volunteer's account. */
	authenticator: v.string(),
});

/** What a sandbox remembers: the content of `sandbox.json`. */
export type SandboxState = v.InferOutput<typeof State>;

/** Where the parts of a sandbox are. */
export interface SandboxFolders {
	readonly dir: string;
	readonly projectRoot: string;
	readonly program: string;
	readonly mariadb: string;
	readonly sshd: string;
	readonly client: string;
	readonly engine: string;
	readonly wrappers: string;
	readonly webPidFile: string;
	readonly webLog: string;
	readonly lockFile: string;
}

/** The folders of the sandbox in `dir` whose project is called `name`. */
export function sandboxFolders(dir: string, name: string): SandboxFolders {
	const at = (...parts: string[]): string => path.join(path.resolve(dir), ...parts);
	return {
		dir: at(),
		projectRoot: at('projects', name),
		program: at('program'),
		mariadb: at('mariadb'),
		sshd: at('sshd'),
		client: at('client'),
		engine: at('engine'),
		wrappers: at('wrappers'),
		webPidFile: at('web.pid'),
		webLog: at('web.log'),
		lockFile: at('sandbox.lock'),
	};
}

const fileOf = (dir: string): string => path.join(path.resolve(dir), 'sandbox.json');

/** Reads the state of the sandbox in `dir`; `undefined` when there is none. Throws `sandbox-failed` when it is damaged. */
export async function readSandboxState(dir: string): Promise<SandboxState | undefined> {
	let text: string;
	try {
		text = await readFile(fileOf(dir), 'utf8');
	} catch {
		return undefined;
	}
	try {
		return v.parse(State, JSON.parse(text));
	} catch (cause) {
		throw new BoincError('sandbox-failed', `${fileOf(dir)} is not the description of a sandbox.`, {
			remedy: 'Remove the folder and create the sandbox again.',
			cause,
		});
	}
}

/** Writes the state; readers see the old or the new one. */
export async function writeSandboxState(dir: string, state: SandboxState): Promise<void> {
	const temporary = `${fileOf(dir)}.${process.pid}`;
	await writeFile(temporary, `${JSON.stringify(state, null, '\t')}\n`, { mode: 0o600 });
	await rename(temporary, fileOf(dir));
}
