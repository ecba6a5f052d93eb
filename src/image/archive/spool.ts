import { createWriteStream } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';

import { BoincError, isAbort, messageOf } from '../../common/errors.js';
import { noRoom, withinRoom } from './room.js';
import { unzstd, ZstdTrouble } from './zstd.js';

export type Compression = 'none' | 'gzip' | 'zstd' | 'bzip2' | 'xz';

const MAGIC: readonly (readonly [Compression, readonly number[]])[] = [
	['gzip', [0x1f, 0x8b]],
	['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
	['bzip2', [0x42, 0x5a, 0x68]],
	['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a]],
];

/** How bytes are compressed, by their first few. A tar archive begins with a name, hence with none of these. */
export function compressionOf(head: Uint8Array): Compression {
	return MAGIC.find(([, magic]) => magic.every((byte, index) => head[index] === byte))?.[0] ?? 'none';
}

export interface SpoolTarget {
	/** Path of the file that is written. */
	readonly file: string;
	/** What is written, for messages. */
	readonly label: string;
	readonly signal?: AbortSignal | undefined;
}

/**
 * Writes a stream to a file, unpacked if it is compressed. Pieces of the stream may be used again for the next ones.
 * Throws `archive-corrupt`, `disk-full`, `image-unsupported` for other compressions than gzip and zstd.
 */
export async function spool(stream: AsyncIterable<Uint8Array>, compression: Compression, target: SpoolTarget): Promise<void> {
	const { label, signal } = target;
	requireKnown(compression, label);
	let read = 0;
	const packed = Readable.from(
		copied(stream, (bytes) => (read += bytes)),
		{ objectMode: false },
	);
	const bounded = (pieces: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> =>
		withinRoom(pieces, {
			label,
			freeBytes: () => freeBytes(dirname(target.file)),
			...(compression !== 'none' && { packedBytes: () => read }),
		});
	const file = createWriteStream(target.file, { mode: 0o600 });
	const options = { ...(signal && { signal }) };
	try {
		if (compression === 'gzip') {
			await pipeline(packed, createGunzip(), bounded, file, options);
		} else if (compression === 'zstd') {
			await pipeline(packed, (pieces) => bounded(unzstd(pieces, label)), file, options);
		} else {
			await pipeline(packed, bounded, file, options);
		}
	} catch (error) {
		throw isAbort(error) ? error : explained(error, label);
	}
}

function requireKnown(compression: Compression, label: string): void {
	if (compression === 'bzip2' || compression === 'xz') {
		throw new BoincError('image-unsupported', `The archive (${label}) is compressed with ${compression}.`, {
			remedy: 'Save the image with docker save or podman save --format docker-archive, without compression or with gzip.',
			detail: { archive: label, compression },
		});
	}
}

async function freeBytes(folder: string): Promise<number> {
	const { bavail, bsize } = await statfs(folder);
	return bavail * bsize;
}

/** The pieces while there is room for them beside the target. */
export const roomFor = <T extends Uint8Array>(
	pieces: AsyncIterable<T>,
	{ file, label }: SpoolTarget,
): AsyncGenerator<T, void, undefined> => withinRoom(pieces, { label, freeBytes: () => freeBytes(dirname(file)) });

/** The error in our words, if it is about the data or the disk. */
export function explained(error: unknown, label: string): unknown {
	const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
	if (code === 'ENOSPC' || code === 'EDQUOT') {
		return noRoom(label, error);
	}
	return code.startsWith('Z_') || error instanceof ZstdTrouble
		? new BoincError('archive-corrupt', `The compressed archive (${label}) is damaged: ${messageOf(error)}.`, {
				remedy: 'Save the image again, and compare the sizes if the file was copied.',
				detail: { archive: label },
				cause: error,
			})
		: error;
}

/** A stream keeps several pieces at a time, so each must have bytes of its own. */
async function* copied(
	stream: AsyncIterable<Uint8Array>,
	onBytes: (count: number) => void,
): AsyncGenerator<Buffer, void, undefined> {
	for await (const piece of stream) {
		onBytes(piece.length);
		yield Buffer.from(piece);
	}
}
