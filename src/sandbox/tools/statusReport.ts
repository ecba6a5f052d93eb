import { rmSync } from 'node:fs';

import { isLocked } from '../fileLock.js';
import { commandLine, readPid } from '../processes.js';
import { pythonTime } from './daemonStart.js';
import type { Program } from './programs.js';
import type { RunState } from './runState.js';
import { periodSeconds } from './tasks.js';

export interface StatusSubject {
	readonly verbosity: number;
	readonly daemons: readonly Program[];
	readonly tasks: readonly Program[];
	readonly state: RunState;
}

/**
 * What `status` prints: one line when it is not verbose, the tables otherwise. Testing a lock removes a lock file that
 * nobody holds, as the real program does.
 */
export function statusReport({ verbosity, daemons, tasks, state }: StatusSubject): string {
	const lines = [`BOINC is ${state.enabled ? 'ENABLED' : 'DISABLED'}`];
	if (verbosity > 0) {
		lines.push('', 'DAEMON  pid  status      lockfile disabled  commandline', ...daemons.map(daemonLine));
		lines.push('', 'TASK       last run       period          next run        lock file disabled  commandline');
		lines.push(...tasks.map((task) => taskLine(task, state.lastRun.get(task.command) ?? 0)));
	}
	return `${lines.join('\n')}\n`;
}

const disabledField = (program: Program): string => (program.disabled ? ' yes    ' : ' no     ');

function testLock(file: string): boolean {
	const locked = isLocked(file);
	if (!locked) {
		rmSync(file, { force: true });
	}
	return locked;
}

function daemonLine(daemon: Program): string {
	const pid = readPid(daemon.pidFile) ?? 0;
	const running = pid === 0 ? '           ' : commandLine(pid).length > 0 ? ' running   ' : 'NOT RUNNING';
	const locked = testLock(daemon.lockFile) ? ' locked ' : 'UNLOCKED';
	return [
		`  ${String(daemon.number).padStart(2)}`,
		String(pid).padStart(6),
		running,
		locked,
		disabledField(daemon),
		' ',
		daemon.command,
	].join(' ');
}

function taskLine(task: Program, lastRun: number): string {
	const next = lastRun + periodSeconds(task.period ?? '');
	return [
		`  ${String(task.number).padStart(2)}`,
		center(lastRun === 0 ? '?' : pythonTime(new Date(lastRun * 1000)), 20),
		(task.period ?? '').padEnd(10),
		center(lastRun === 0 || next * 1000 <= Date.now() ? 'NOW' : pythonTime(new Date(next * 1000)), 20),
		testLock(task.lockFile) ? ' LOCKED ' : 'unlocked',
		disabledField(task),
		' ',
		task.command,
	].join(' ');
}

function center(text: string, width: number): string {
	const left = Math.floor((width - text.length) / 2);
	return text.padStart(text.length + Math.max(0, left)).padEnd(width);
}
