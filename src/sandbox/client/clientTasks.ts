import { readdirSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { commandLine, signalProcess } from '../processes.js';

/**
 * The main programs of the tasks that run in a client's slots, also those that a client left behind. What a container
 * engine keeps running for a paused container is not among them: clients start main programs from `../../projects/`.
 */
export function taskProcesses(clientDir: string): number[] {
	const slots = path.join(clientDir, 'slots') + path.sep;
	return readdirSync('/proc')
		.map(Number)
		.filter(
			(pid) =>
				Number.isInteger(pid) && worksIn(pid, slots) && commandLine(pid).some((word) => word.startsWith('../../projects/')),
		);
}

function worksIn(pid: number, slots: string): boolean {
	try {
		return readlinkSync(`/proc/${pid}/cwd`).startsWith(slots);
	} catch {
		return false;
	}
}

/** Waits until a client's tasks are gone; false when some still run after `ms` milliseconds. */
export async function tasksGone(clientDir: string, ms: number): Promise<boolean> {
	const deadline = Date.now() + ms;
	while (taskProcesses(clientDir).length > 0) {
		if (Date.now() > deadline) {
			return false;
		}
		await sleep(50);
	}
	return true;
}

/** Sends `signal` to a client's tasks. */
export function signalTasks(clientDir: string, signal: NodeJS.Signals): void {
	for (const pid of taskProcesses(clientDir)) {
		signalProcess(pid, signal);
	}
}
