import { closeSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';

import { commandLine } from './processes.js';

/**
 * A lock file that its owner writes its process id into. Node has no `flock`, so a lock counts as held while the process in
 * the file lives; that also holds after a kill.
 */
export interface FileLock {
	release(): void;
}

/** Takes the lock; `undefined` when a living process holds it. */
export function takeLock(file: string): FileLock | undefined {
	for (let attempt = 0; attempt < 2; attempt++) {
		try {
			const descriptor = openSync(file, 'wx', 0o664);
			writeSync(descriptor, `${process.pid}\n`);
			closeSync(descriptor);
			return { release: () => rmSync(file, { force: true }) };
		} catch {
			if (isLocked(file)) {
				return undefined;
			}
			rmSync(file, { force: true });
		}
	}
	return undefined;
}

/** Whether a living process holds the lock. */
export function isLocked(file: string): boolean {
	try {
		const text = readFileSync(file, 'utf8').trim();
		// Somebody is just about to write its number.
		return text === '' ? Date.now() - statSync(file).mtimeMs < 2000 : commandLine(Number(text)).length > 0;
	} catch {
		return false;
	}
}
