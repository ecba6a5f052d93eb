import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import type { ClientChannel } from './clientChannel.js';
import { say } from './engineProgram.js';

const LOCK_FILE = 'boinc_lockfile';
const LOCK_WITHIN_MS = 35_000;

/** Ends the task early with this exit code; `finish` in the real library. */
export class Finish extends Error {
	constructor(
		readonly code: number,
		/** Whether the client learns that the task is over; otherwise it starts the program again. */
		readonly isFinal: boolean,
	) {
		super(`exit ${code}`);
	}
}

/** `YYYY-MM-DD HH:MM:SS (pid):`, the library's prefix. */
export function messagePrefix(): string {
	const iso = new Date().toISOString();
	return `${iso.slice(0, 10)} ${iso.slice(11, 19)} (${process.pid}):`;
}

/**
 * Waits until no other process works in this slot: after a crash of the client the old one needs a while to notice.
 * Throws `Finish` when it does not go away.
 */
export async function lockSlot(): Promise<void> {
	const deadline = Date.now() + LOCK_WITHIN_MS;
	while (isLocked()) {
		if (Date.now() > deadline) {
			say(`${messagePrefix()} Can't acquire lockfile - exiting\n`);
			throw new Finish(0, false);
		}
		await sleep(200);
	}
	writeFileSync(LOCK_FILE, `${process.pid}\n`);
}

function isLocked(): boolean {
	const pid = existsSync(LOCK_FILE) ? Number.parseInt(readFileSync(LOCK_FILE, 'utf8'), 10) : 0;
	if (!(pid > 1) || pid === process.pid) {
		return false;
	}
	try {
		// A reused process id is not ours: our command line names the wrapper.
		return readFileSync(`/proc/${pid}/cwd/${LOCK_FILE}`, 'utf8').trim() === String(pid);
	} catch {
		return false;
	}
}

/** Tells the client that the task is over with `code`. */
export async function finishTask(code: number, channel: ClientChannel, cpuTime: number): Promise<void> {
	say(`${messagePrefix()} called boinc_finish(${code})\n`);
	channel.report({ cpuTime, fractionDone: 1, memory: 0, wantNetwork: false });
	await sleep(channel.isPresent ? 2000 : 0);
	writeFileSync('boinc_finish_called', `${code}\n`);
}
