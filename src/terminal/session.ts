import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';

import { BoincError, messageOf } from '../common/errors.js';
import { type OperationContext, systemClock } from '../common/ports.js';
import { connect } from '../connection/connect.js';
import type { Connection } from '../connection/connection.js';
import { memorySecrets } from '../connection/memorySecrets.js';
import { prefixed } from '../connection/prefixed.js';
import { parseTarget } from '../connection/target.js';
import { findProjects } from '../project/findProjects.js';
import { openProject } from '../project/openProject.js';
import type { Project } from '../project/project.js';
import { Terminal } from './terminal.js';

/** Options that every command takes. */
export interface GlobalOptions {
	readonly server?: string;
	readonly identity?: string;
	readonly knownHosts?: string;
	readonly as?: string;
	readonly app?: string;
	readonly json?: boolean;
	readonly verbose?: boolean;
	readonly yes?: boolean;
}

/** A project that is open for one command, and the ways to talk to the person. */
export interface Session {
	readonly terminal: Terminal;
	readonly connection: Connection;
	readonly project: Project;
	readonly ctx: OperationContext;
}

/** What is known of layers and of packs on servers; it may be emptied at any time. */
export const cacheDir = (): string => path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache'), 'boinc2docker');

/** Where host keys that a person accepted are kept: beside other settings of this program. */
function trustFile(): string {
	const base = process.env.XDG_CONFIG_HOME ?? path.join(homedir(), '.config');
	return path.join(base, 'boinc2docker', 'known_hosts');
}

export function terminalFor(options: GlobalOptions): Terminal {
	return new Terminal(process.stderr, options.verbose === true ? 'debug' : 'warn');
}

/** A context whose signal fires at the first Ctrl+C; the second one ends the process. */
export const contextFor = (terminal: Terminal): OperationContext => interruptible(terminal).ctx;

/** As `contextFor`; `release` gives Ctrl+C back when the operation is over and another one may follow. */
function interruptible(terminal: Terminal): { readonly ctx: OperationContext; readonly release: () => void } {
	const controller = new AbortController();
	let next = (): void => {
		terminal.line('Cancelling … (press Ctrl+C again to end at once)');
		controller.abort();
		next = () => process.exit(130);
	};
	const onInterrupt = (): void => next();
	process.on('SIGINT', onInterrupt);
	return {
		ctx: { log: terminal.log, progress: terminal.progress, clock: systemClock, signal: controller.signal },
		release: () => void process.off('SIGINT', onInterrupt),
	};
}

/**
 * Connects to `--server`, opens its project, runs `work` and closes everything again. The project is in the folder that the address
 * names, else in `folder`, else the only one there.
 */
export async function withProject(
	options: GlobalOptions,
	work: (session: Session) => Promise<number>,
	folder?: string,
): Promise<number> {
	const terminal = terminalFor(options);
	const { ctx, release } = interruptible(terminal);
	try {
		return await connected(options, { terminal, ctx }, work, folder);
	} finally {
		release();
	}
}

async function connected(
	options: GlobalOptions,
	{ terminal, ctx }: Pick<Session, 'terminal' | 'ctx'>,
	work: (session: Session) => Promise<number>,
	folder: string | undefined,
): Promise<number> {
	const target = parseTarget(requireServer(options));
	if (options.as !== undefined && !/^[A-Za-z_][\w.-]*$/.test(options.as)) {
		throw new BoincError('usage', `“${options.as}” is not the name of an account.`, {
			remedy: 'Give the name of the account on the server that owns the project.',
		});
	}
	const identity = options.identity ?? nonEmpty(process.env.BOINC2DOCKER_IDENTITY);
	if (identity !== undefined && target.kind === 'ssh') {
		await access(identity).catch((cause: unknown) => {
			throw new BoincError('usage', `The private key ${identity} cannot be read: ${messageOf(cause)}`, {
				remedy: 'Check the path that --identity or BOINC2DOCKER_IDENTITY gives.',
				cause,
			});
		});
	}
	const knownHosts = options.knownHosts ?? nonEmpty(process.env.BOINC2DOCKER_KNOWN_HOSTS);
	if (knownHosts !== undefined) {
		await access(knownHosts).catch((cause: unknown) => {
			throw new BoincError('usage', `The file of host keys ${knownHosts} cannot be read.`, { remedy: 'Check its path.', cause });
		});
	}
	const login = await connect(target, {
		prompts: terminal.prompts,
		secrets: memorySecrets(),
		log: terminal.log,
		clock: systemClock,
		trustFile: trustFile(),
		...(identity !== undefined && { identityFiles: [path.resolve(identity)] }),
		...(knownHosts !== undefined && { knownHostsFiles: [path.resolve(knownHosts)] }),
		...(ctx.signal && { signal: ctx.signal }),
	});
	// The account that logs in is often not the one that owns the project.
	const connection = options.as === undefined ? login : prefixed(login, ['sudo', '-n', '-u', options.as, '--']);
	try {
		const root = target.path ?? folder ?? (await onlyProject(connection));
		const project = await openProject(connection, root, ctx);
		try {
			return await work({ terminal, connection, project, ctx });
		} finally {
			project.dispose();
		}
	} finally {
		terminal.clear();
		await login.close();
	}
}

const nonEmpty = (value: string | undefined): string | undefined => (value === '' ? undefined : value);

function requireServer(options: GlobalOptions): string {
	const server = options.server ?? process.env.BOINC2DOCKER_SERVER;
	if (server === undefined || server === '') {
		throw new BoincError('usage', 'No server is given.', {
			remedy: 'Add --server ssh://user@host/path/of/the/project, or set BOINC2DOCKER_SERVER to it.',
		});
	}
	return server;
}

async function onlyProject(connection: Connection): Promise<string> {
	const found = await findProjects(connection);
	const [first, ...others] = found;
	if (first && others.length === 0) {
		return first.root;
	}
	throw new BoincError(
		'project-not-found',
		found.length === 0
			? `No BOINC project was found on ${connection.name}.`
			: `There are ${found.length} BOINC projects on ${connection.name}.`,
		{
			remedy:
				found.length === 0
					? 'Add the path of the project to the address of the server.'
					: `Add the path of one to the address: ${found.map(({ root }) => root).join(', ')}.`,
		},
	);
}
