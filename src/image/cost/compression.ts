import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

import { GZIP_LEVEL } from '../pack/gzipBlocks.js';
import type { PackPlan } from '../pack/partition.js';

const PIECE = 128 << 10;
const PIECES = 64;

/**
 * How well packs will compress: bytes of gzip for a byte of tar. Measured on pieces at equal distances in them, so it is about right
 * however large the image. The contents must be there to be read.
 */
export async function compressionOf(plans: readonly PackPlan[], signal?: AbortSignal): Promise<number> {
	const total = plans.reduce((sum, { size }) => sum + size, 0);
	const distance = Math.max(1, total / PIECES);
	const pieces: Buffer[] = [];
	let at = 0;
	let next = distance / 2;
	for (const { units } of plans) {
		for (const { inode } of units) {
			for (; inode.kind === 'file' && inode.size > 0 && next < at + inode.size; next += distance) {
				signal?.throwIfAborted();
				const offset = Math.max(0, Math.min(Math.floor(next - at), inode.size - PIECE));
				const piece = Buffer.alloc(Math.min(PIECE, inode.size - offset));
				await inode.source.readInto(piece, inode.offset + offset);
				pieces.push(piece);
			}
			at += inode.size;
		}
	}
	const bytes = Buffer.concat(pieces);
	return bytes.length === 0 ? 1 : (await promisify(gzip)(bytes, { level: GZIP_LEVEL })).length / bytes.length;
}
