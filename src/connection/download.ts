import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { BoincError, messageOf } from '../common/errors.js';
import type { Connection, TransferOptions, TransferReceipt } from './connection.js';
import { type Fetched, Fetching } from './fetching.js';
import { lockLocally } from './localLock.js';
import { LocalSink } from './localSink.js';

let counter = 0;

type Server = Pick<Connection, 'name' | 'exec'>;

/** `Connection.download` by way of `exec`. */
export async function download(
	connection: Server,
	path: string,
	target: string,
	options: TransferOptions = {},
): Promise<TransferReceipt> {
	const id = createHash('sha256')
		.update(`${connection.name}\0${path}\0${basename(target)}`)
		.digest('hex')
		.slice(0, 24);
	const shared = join(dirname(target), `.b2d-${id}.part`);
	let unlock: (() => Promise<void>) | undefined;
	let part = shared;
	let rest: 'keep' | 'drop' = 'keep';
	try {
		unlock = await lockLocally(shared);
		if (!unlock) {
			// Two downloads of one file at once: the second writes its own, which nobody resumes.
			part = `${shared}.${String(process.pid)}.${String(++counter)}`;
			rest = 'drop';
		}
		let receipt = await fetchInto(connection, path, part, options);
		if (!receipt.intact) {
			await rm(part, { force: true });
			receipt = await fetchInto(connection, path, part, options);
		}
		if (!receipt.intact) {
			rest = 'drop';
			throw new BoincError('transfer-corrupt', `${path} from ${connection.name} arrived damaged, twice.`, {
				remedy: 'Try again when nothing writes to the file.',
				detail: { path },
			});
		}
		await rename(part, target);
		return { bytesSent: receipt.received, resumedAt: receipt.resumedAt };
	} catch (error) {
		throw localProblem(error, target);
	} finally {
		if (rest === 'drop' || (await isEmpty(part))) {
			await rm(part, { force: true });
		}
		await unlock?.();
	}
}

const isEmpty = (file: string): Promise<boolean> =>
	stat(file).then(
		({ size }) => size === 0,
		() => false,
	);

async function fetchInto(connection: Server, path: string, part: string, options: TransferOptions): Promise<Fetched> {
	const handle = await open(part, 'a', options.mode ?? 0o644);
	try {
		const have = (await handle.stat()).size;
		const fetching = new Fetching(connection, path, new LocalSink(handle, await hashOf(part, have)), have, options);
		const result = await fetching.run();
		// The mask of the process narrows the mode given to open.
		await handle.chmod(options.mode ?? 0o644);
		return result;
	} finally {
		await handle.close();
	}
}

/** The state of a hash that has seen the first `size` bytes of a file; nothing for none. */
async function hashOf(file: string, size: number): Promise<Hash | undefined> {
	if (size === 0) {
		return undefined;
	}
	const hash = createHash('sha256');
	for await (const chunk of createReadStream(file, { end: size - 1, highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
		hash.update(chunk);
	}
	return hash;
}

/** Errors of the local file system as ours; the others as they are. */
function localProblem(error: unknown, target: string): unknown {
	if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) {
		return error;
	}
	const code =
		error.code === 'ENOSPC' || error.code === 'EDQUOT'
			? 'disk-full'
			: error.code === 'ENOENT'
				? 'file-not-found'
				: 'permission-denied';
	return new BoincError(code, `Could not write ${target} on this computer: ${messageOf(error)}.`, {
		remedy: code === 'disk-full' ? 'Free some space on this computer and try again.' : 'Choose another folder.',
		detail: { path: target },
		cause: error,
	});
}
