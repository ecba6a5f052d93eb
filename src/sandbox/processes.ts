import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** The words of a process's command line; empty when it does not exist, is a zombie or belongs to somebody hidden. */
export function commandLine(pid: number): readonly string[] {
	try {
		const text = readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8');
		return text === '' ? [] : text.replace(/\0+$/, '').split('\0');
	} catch {
		return [];
	}
}

/** Whether `pid` runs and its command line contains `mark` (a path inside the sandbox): a reused pid does not count. */
export function isOurs(pid: number, mark: string): boolean {
	return commandLine(pid).some((word) => word.includes(mark));
}

/** The number in a pid file; `undefined` when there is none. */
export function readPid(file: string): number | undefined {
	try {
		const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
		return Number.isSafeInteger(pid) && pid > 1 ? pid : undefined;
	} catch {
		return undefined;
	}
}

/** Sends `signal`, 0 for none; false when the process is gone. */
export function signalProcess(pid: number, signal: NodeJS.Signals | 0): boolean {
	try {
		process.kill(pid, signal);
		return true;
	} catch {
		return false;
	}
}

/**
 * Ends a process of ours: SIGTERM, after `graceMs` SIGKILL. Returns when it is gone; at once when `pid` is not ours.
 */
export async function endProcess(pid: number, mark: string, graceMs = 10_000): Promise<void> {
	if (!isOurs(pid, mark)) {
		return;
	}
	signalProcess(pid, 'SIGTERM');
	if (await gone(pid, mark, graceMs)) {
		return;
	}
	signalProcess(pid, 'SIGKILL');
	await gone(pid, mark, 5000);
}

/** Waits until `pid` is gone or no longer ours; false when it still runs after `ms` milliseconds. */
export async function gone(pid: number, mark: string, ms: number): Promise<boolean> {
	const deadline = Date.now() + ms;
	while (isOurs(pid, mark)) {
		if (Date.now() > deadline) {
			return false;
		}
		await sleep(25);
	}
	return true;
}

export interface DetachedOptions {
	readonly cwd: string;
	/** File that receives standard output and standard error. */
	readonly log: string;
	readonly env?: NodeJS.ProcessEnv;
}

/** Starts a program that outlives this process. Rejects when it cannot be started at all. */
export async function startDetached(command: string, args: readonly string[], options: DetachedOptions): Promise<number> {
	const log = openSync(options.log, 'a', 0o640);
	const pid = await new Promise<number>((resolve, reject) => {
		const child = spawn(command, [...args], {
			cwd: options.cwd,
			detached: true,
			stdio: ['ignore', log, log],
			env: options.env ?? process.env,
		});
		child.once('error', reject);
		child.once('spawn', () => {
			child.unref();
			if (child.pid === undefined) {
				reject(new Error(`${command} has no process id.`));
			} else {
				resolve(child.pid);
			}
		});
	}).finally(() => {
		closeSync(log);
	});
	// Linux closes the pipe by which we hear of the start before the new program has a command line. On a busy computer that takes a
	// while, and a process without one is taken for one that has ended.
	for (let n = 0; n < 1000 && commandLine(pid).length === 0 && signalProcess(pid, 0); n++) {
		await sleep(5);
	}
	return pid;
}
