import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';

import { BoincError, isAbort, messageOf } from '../../common/errors.js';

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

/** Refuses what Node cannot unpack. `label` says what is compressed. */
export function requireUnpackable(compression: Compression, label: string): void {
	if (compression !== 'none' && compression !== 'gzip') {
		throw new BoincError('image-unsupported', `The archive (${label}) is compressed with ${compression}.`, {
			remedy: 'Save the image with docker save or podman save --format docker-archive, without compression or with gzip.',
			detail: { archive: label, compression },
		});
	}
}

/** Writes a stream to `target`. */
export async function spool(stream: AsyncIterable<Uint8Array>, target: string, signal?: AbortSignal): Promise<void> {
	await pipeline(Readable.from(stream, { objectMode: false }), createWriteStream(target, { mode: 0o600 }), {
		...(signal && { signal }),
	});
}

/** Unpacks gzip data into `target`. Pieces of the stream may be used again for the next ones. Throws `archive-corrupt`. */
export async function spoolGunzip(
	stream: AsyncIterable<Uint8Array>,
	label: string,
	target: string,
	signal?: AbortSignal,
): Promise<void> {
	try {
		await pipeline(
			Readable.from(copied(stream), { objectMode: false }),
			createGunzip(),
			createWriteStream(target, { mode: 0o600 }),
			{
				...(signal && { signal }),
			},
		);
	} catch (error) {
		if (isAbort(error) || !isZlibError(error)) {
			throw error;
		}
		throw new BoincError('archive-corrupt', `The compressed archive (${label}) is damaged: ${messageOf(error)}.`, {
			remedy: 'Save the image again, and compare the sizes if the file was copied.',
			detail: { archive: label },
			cause: error,
		});
	}
}

/** A stream keeps several pieces at a time, so each must have bytes of its own. */
async function* copied(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
	for await (const piece of stream) {
		yield Buffer.from(piece);
	}
}

const isZlibError = (error: unknown): boolean =>
	error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_');
