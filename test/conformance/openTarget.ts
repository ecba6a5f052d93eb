import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';

import { BoincError } from '../../src/common/errors.js';
import { type Log, silentLog, silentProgress, systemClock } from '../../src/common/ports.js';
import { connect } from '../../src/connection/connect.js';
import type { Connection } from '../../src/connection/connection.js';
import { memorySecrets } from '../../src/connection/memorySecrets.js';
import { formatTarget, parseTarget, type Target } from '../../src/connection/target.js';
import { createSandbox } from '../../src/sandbox/createSandbox.js';
import type { Sandbox } from '../../src/sandbox/sandbox.js';
import { buildSandboxProgram } from '../support/sandbox.js';

/** Where the checks run, and what the scenario installs there. */
export interface OpenedTarget {
	/** For people. */
	readonly name: string;
	readonly connection: Connection;
	readonly root: string;
	/** A local folder for the scenario's files; goes with the target. */
	readonly scratch: string;
	/** docker_wrapper programs; absent: the scenario cannot install anything. */
	readonly wrapperFolder: string | undefined;
	/** Absent: that of this computer. */
	readonly busyboxFile: string | undefined;
	/** Tells a client of ours that there is work; others come by themselves. */
	nudge(): Promise<void>;
	/** A further connection of its own. */
	connectAgain(): Promise<Connection>;
	close(): Promise<void>;
}

export interface TargetOptions {
	readonly target?: string | undefined;
	readonly identity?: string | undefined;
	readonly 'known-hosts'?: string | undefined;
	readonly wrapper?: string | undefined;
	readonly busybox?: string | undefined;
	readonly keep?: boolean | undefined;
}

/** Reaches the project that the options name, or makes a sandbox with a client. */
export async function openTarget(options: TargetOptions, signal: AbortSignal): Promise<OpenedTarget> {
	const scratch = await mkdtemp(path.join(tmpdir(), 'b2d-conformance-'));
	try {
		return options.target === undefined
			? await openSandbox(options, scratch, signal)
			: await openServer(options.target, options, scratch, signal);
	} catch (error) {
		await rm(scratch, { recursive: true, force: true });
		throw error;
	}
}

async function openServer(url: string, options: TargetOptions, scratch: string, signal: AbortSignal): Promise<OpenedTarget> {
	const target = parseTarget(url);
	if (target.path === undefined) {
		throw new BoincError('target-invalid', `“${url}” does not say in which folder the project is.`, {
			remedy: 'Add the path of the folder with config.xml.',
		});
	}
	const login = { identityFiles: options.identity, knownHostsFiles: options['known-hosts'] };
	const open = (): Promise<Connection> => connectTo(target, login, scratch, signal);
	const connection = await open();
	return {
		name: formatTarget(target),
		connection,
		root: target.path,
		scratch,
		wrapperFolder: options.wrapper,
		busyboxFile: options.busybox,
		nudge: () => Promise.resolve(),
		connectAgain: open,
		close: async () => {
			await connection.close();
			await rm(scratch, { recursive: true, force: true });
		},
	};
}

async function openSandbox(options: TargetOptions, scratch: string, signal: AbortSignal): Promise<OpenedTarget> {
	const program = path.join(scratch, 'program');
	await buildSandboxProgram(program);
	const log: Log = { ...silentLog, info: (message) => void process.stderr.write(`${message}\n`) };
	const sandbox = await createSandbox(
		{
			dir: path.join(scratch, 'sandbox'),
			program,
			clientCount: 1,
			...(options.wrapper !== undefined && { wrapperFolder: options.wrapper }),
		},
		{ log, progress: silentProgress, clock: systemClock, signal },
	);
	const close = async (connection?: Connection): Promise<void> => {
		await connection?.close();
		await sandbox.stop();
		if (options.keep) {
			process.stderr.write(`The sandbox is kept in ${sandbox.dir}.\n`);
		} else {
			await rm(scratch, { recursive: true, force: true });
		}
	};
	try {
		const open = (): Promise<Connection> => connectToSandbox(sandbox, scratch, signal);
		const connection = await open();
		return {
			name: 'a fresh sandbox',
			connection,
			root: sandbox.projectRoot,
			scratch,
			wrapperFolder: sandbox.wrapperFolder,
			busyboxFile: options.busybox ?? sandbox.busyboxFile,
			nudge: async () => sandbox.client?.update(),
			connectAgain: open,
			close: () => close(connection),
		};
	} catch (error) {
		await close();
		throw error;
	}
}

const connectToSandbox = (sandbox: Sandbox, scratch: string, signal: AbortSignal): Promise<Connection> =>
	connectTo(sandbox.target, { identityFiles: sandbox.identityFile, knownHostsFiles: sandbox.knownHostsFile }, scratch, signal);

interface Login {
	readonly identityFiles: string | undefined;
	readonly knownHostsFiles: string | undefined;
}

/** Connects without asking anybody: an unknown host key, a passphrase and a password end the run. */
function connectTo(target: Target, login: Login, scratch: string, signal: AbortSignal): Promise<Connection> {
	const nobody = (): Promise<undefined> => Promise.resolve(undefined);
	return connect(target, {
		prompts: { secret: nobody, text: nobody, confirm: () => Promise.resolve(false) },
		secrets: memorySecrets(),
		log: silentLog,
		clock: systemClock,
		trustFile: path.join(scratch, `known_hosts-${userInfo().username}`),
		signal,
		...(login.identityFiles !== undefined && { identityFiles: [login.identityFiles], agentSocket: '' }),
		...(login.knownHostsFiles !== undefined && { knownHostsFiles: [login.knownHostsFiles] }),
	});
}
