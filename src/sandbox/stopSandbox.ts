import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

import { BoincError } from '../common/errors.js';
import { stopClient } from './client/boincClient.js';
import { stopEngine } from './engine.js';
import { takeLock } from './fileLock.js';
import { mariadbPid, stopMariadb } from './mariadb.js';
import { commandLine, endProcess, isOurs, readPid } from './processes.js';
import { readSandboxState, type SandboxFolders, sandboxFolders, type SandboxState } from './sandboxState.js';
import { stopSshd } from './sshd.js';

/**
 * Ends everything that runs in a sandbox, whoever started it: found by pid files, each checked against the command line of
 * the process. `locked`: the caller holds the sandbox's lock. Idempotent.
 */
export async function stopSandbox(dir: string, lock: 'locked' | 'lock' = 'lock'): Promise<void> {
	const state = await readSandboxState(dir);
	if (!state) {
		return;
	}
	const folders = sandboxFolders(dir, state.name);
	const own = lock === 'lock' ? takeLock(folders.lockFile) : undefined;
	if (lock === 'lock' && !own) {
		throw new BoincError('sandbox-failed', `The sandbox in ${folders.dir} is being started or stopped by another program.`);
	}
	try {
		await stopParts(state, folders);
	} finally {
		own?.release();
	}
}

async function stopParts(state: SandboxState, folders: SandboxFolders): Promise<void> {
	const failures: unknown[] = [];
	const attempt = async (work: () => Promise<void>): Promise<void> => {
		try {
			await work();
		} catch (error) {
			failures.push(error);
		}
	};
	await attempt(() => stopClient(folders.client));
	const { engine } = state;
	if (engine !== 'none') {
		await attempt(() => stopEngine({ dir: folders.engine, kind: engine }));
	}
	await attempt(() => stopDaemons(folders));
	await attempt(() => stopWeb(folders));
	await attempt(() => stopSshd(folders.sshd));
	await attempt(() => stopMariadb(folders.mariadb));
	if (failures.length > 0) {
		throw new BoincError(
			'sandbox-failed',
			`Not everything of the sandbox in ${folders.dir} could be stopped: ${failures.map(String).join('; ')}`,
			{
				cause: failures[0],
			},
		);
	}
}

/** What runs in a sandbox, by part. A missing number means that it does not run. */
export interface SandboxProcesses {
	readonly database: number | undefined;
	readonly web: number | undefined;
	/** By program; only what runs. */
	readonly daemons: Readonly<Record<string, number>>;
}

/** Looks at the pid files and the processes that they name. */
export async function sandboxProcesses(folders: SandboxFolders): Promise<SandboxProcesses> {
	const web = readPid(folders.webPidFile);
	const daemons = Object.fromEntries(
		(await daemonPids(folders))
			.map(([name, pid]): [string, number] => [name, pid])
			.filter(([, pid]) => isOurs(pid, folders.program)),
	);
	return {
		database: mariadbPid(folders.mariadb),
		web: web !== undefined && isOurs(web, folders.program) ? web : undefined,
		daemons,
	};
}

async function daemonPids(folders: SandboxFolders): Promise<(readonly [string, number])[]> {
	const found: (readonly [string, number])[] = [];
	for (const entry of await readdir(folders.projectRoot).catch(() => [])) {
		for (const file of entry.startsWith('pid_') ? await readdir(path.join(folders.projectRoot, entry)).catch(() => []) : []) {
			const pid = file.endsWith('.pid') ? readPid(path.join(folders.projectRoot, entry, file)) : undefined;
			if (pid !== undefined) {
				found.push([file.slice(0, -4), pid]);
			}
		}
	}
	return found;
}

async function stopDaemons(folders: SandboxFolders): Promise<void> {
	const stop = path.join(folders.projectRoot, 'bin/stop');
	if (existsSync(stop)) {
		// Without it, or when it fails, the pid files still lead to everything.
		await promisify(execFile)(stop, [], { cwd: folders.projectRoot, timeout: 30_000 }).catch(() => undefined);
	}
	const known = (await daemonPids(folders)).map(([, pid]) => pid);
	const strays = await processesOf(path.join(folders.program, 'run'), known);
	await Promise.all([...known, ...strays].map((pid) => endProcess(pid, path.join(folders.program, 'run'))));
}

async function stopWeb(folders: SandboxFolders): Promise<void> {
	const pid = readPid(folders.webPidFile);
	if (pid !== undefined) {
		await endProcess(pid, folders.program);
	}
	await rm(folders.webPidFile, { force: true });
}

/** Daemons whose pid files were lost: two of them may have shared one. */
async function processesOf(mark: string, known: readonly number[]): Promise<number[]> {
	const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
	return pids.filter((pid) => {
		const [program = '', , kind] = commandLine(pid);
		return program.startsWith(`${mark}/`) && kind === 'daemon' && !known.includes(pid);
	});
}
