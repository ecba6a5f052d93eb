import { mkdir } from 'node:fs/promises';

import type { ReadEntry } from 'tar';

import { BoincError, messageOf, throwIfAborted } from '../common/errors.js';

/** Most that one result may unpack to; far above any sensible output, far below a full disk. */
const MAX_BYTES = 50 * 2 ** 30;
const MAX_ENTRIES = 1_000_000;

/** Why an entry of a result, which a stranger's computer made, is not written; `undefined` if it may be. */
export function refusal(path: string, type: string): string | undefined {
	const parts = path.split(/[\\/]/);
	if (path.startsWith('/') || path.startsWith('\\') || /^[a-z]:/i.test(path)) {
		return 'its path is absolute';
	}
	if (parts.includes('..')) {
		return 'its path leads out of the folder';
	}
	if (path.includes('\0')) {
		return 'its name is not valid';
	}
	if (type !== 'File' && type !== 'OldFile' && type !== 'ContiguousFile' && type !== 'Directory') {
		return type.includes('Link') ? 'it is a link' : 'it is a device or a pipe';
	}
	return undefined;
}

/**
 * Unpacks a result into `folder`, which is made. Entries that are not plain files or folders inside it are left out;
 * the return value names them with the reason. Rejects with `result-corrupt` when the archive cannot be read or is a bomb.
 */
export async function unpackResult(archive: string, folder: string, signal?: AbortSignal): Promise<string[]> {
	const { extract } = await import('tar');
	const refused: string[] = [];
	const seen = { bytes: 0, entries: 0, bomb: false };
	await mkdir(folder, { recursive: true });
	const filter = (path: string, entry: ReadEntry): boolean => {
		seen.bytes += entry.size;
		seen.entries += 1;
		seen.bomb ||= seen.bytes > MAX_BYTES || seen.entries > MAX_ENTRIES;
		const why = refusal(path, entry.type);
		if (why !== undefined) {
			refused.push(`${path}: ${why}`);
		}
		return why === undefined && !seen.bomb && signal?.aborted !== true;
	};
	try {
		await extract({
			file: archive,
			cwd: folder,
			strict: true,
			preserveOwner: false,
			chmod: false,
			filter: (path, entry) => 'type' in entry && filter(path, entry),
		});
	} catch (cause) {
		throw new BoincError('result-corrupt', `The result cannot be unpacked: ${messageOf(cause)}.`, {
			remedy: 'Fetch it again. If that does not help, the archive on the server is damaged: look at the job’s log.',
			cause,
		});
	}
	throwIfAborted(signal);
	if (seen.bomb) {
		throw new BoincError('result-corrupt', 'The result was not unpacked: it would fill more than 50 GiB or a million files.', {
			remedy: 'Fetch the archive by hand and look at what the job wrote.',
		});
	}
	return refused;
}
