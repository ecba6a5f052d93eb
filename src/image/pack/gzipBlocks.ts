import { promisify } from 'node:util';
import { constants, crc32, deflateRaw } from 'node:zlib';

/** zlib's own. Level 5 takes two thirds of its time for 0.6 % more bytes, which cross a network and go to each host. */
export const GZIP_LEVEL = 6;
/** Bytes that are compressed at a time. Their statistics are their own, which makes up for what the ends of blocks cost. */
const BLOCK = 1 << 18;
/** What deflate looks back at (RFC 1951). */
const WINDOW = 1 << 15;
/** Blocks under way: several packs are compressed at a time, but a small change is one pack, and people wait for it. */
const AT_ONCE = 2;
/** RFC 1952 §2.3: deflate, no name, no time, no level, unknown system. */
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);

const deflate = promisify(deflateRaw);

/**
 * Compresses a stream to one gzip member, blocks side by side on the threads of the runtime, each with what is before it as its
 * dictionary, as pigz does it. `onBlock` is told how many bytes each has. The same bytes give the same member with the same version of zlib, however they are cut.
 */
export async function* gzipBlocks(
	pieces: AsyncIterable<Buffer>,
	onBlock: (bytes: number) => void,
): AsyncGenerator<Buffer, void, undefined> {
	yield HEADER;
	const underWay: Promise<Buffer>[] = [];
	let dictionary: Buffer | undefined;
	let crc = 0;
	let size = 0;
	try {
		for await (const { block, isLast } of blocksOf(pieces)) {
			crc = crc32(block, crc);
			size += block.length;
			const work = deflate(block, {
				level: GZIP_LEVEL,
				chunkSize: BLOCK,
				finishFlush: isLast ? constants.Z_FINISH : constants.Z_SYNC_FLUSH,
				...(dictionary && { dictionary }),
			});
			work.catch(() => undefined);
			underWay.push(work);
			onBlock(block.length);
			// A copy, for the block is filled anew while the next one may still be compressed.
			dictionary = Buffer.from(block.subarray(-WINDOW));
			if (underWay.length >= AT_ONCE) {
				yield await nextOf(underWay);
			}
		}
		while (underWay.length > 0) {
			yield await nextOf(underWay);
		}
	} finally {
		await Promise.allSettled(underWay);
	}
	const end = Buffer.alloc(8);
	end.writeUInt32LE(crc, 0);
	end.writeUInt32LE(size % 2 ** 32, 4);
	yield end;
}

const nextOf = async (works: Promise<Buffer>[]): Promise<Buffer> => (await works.shift()) ?? Buffer.alloc(0);

/**
 * The stream in blocks of one size but for the last, which may be empty. They take turns in `AT_ONCE` buffers, so that a block is
 * good until the `AT_ONCE`-th after it is asked for.
 */
async function* blocksOf(
	pieces: AsyncIterable<Buffer>,
): AsyncGenerator<{ readonly block: Buffer; readonly isLast: boolean }, void, undefined> {
	const buffers: Buffer[] = [];
	const bufferAt = (index: number): Buffer => (buffers[index % AT_ONCE] ??= Buffer.allocUnsafe(BLOCK));
	let index = 0;
	let filled = 0;
	for await (const piece of pieces) {
		for (let at = 0; at < piece.length;) {
			// Only when more comes it is known that a full one is not the last.
			if (filled === BLOCK) {
				yield { block: bufferAt(index), isLast: false };
				index++;
				filled = 0;
			}
			const count = piece.copy(bufferAt(index), filled, at);
			at += count;
			filled += count;
		}
	}
	yield { block: bufferAt(index).subarray(0, filled), isLast: true };
}
