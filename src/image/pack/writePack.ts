import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

import { contentOfBytes } from '../../common/content.js';
import { ForwardReader, type RandomAccess } from '../archive/randomAccess.js';
import { encodeHeader, endOfArchive, padding } from '../tar/encodeHeader.js';
import type { TarHeader } from '../tar/tarHeader.js';
import type { Pack, PackFacts } from '../types.js';
import { gzipBlocks } from './gzipBlocks.js';
import { encodeManifest } from './manifest.js';
import type { PackPlan } from './partition.js';
import type { DigestedTree } from './planPacks.js';
import { timeHeader, unitHeaders } from './unitHeaders.js';

export interface PackTarget {
	readonly dir: string;
	/** Tells packs that are written at the same time apart. */
	readonly index: number;
	readonly generation: number;
	/** Called with the bytes of tar that were written since the last call. */
	readonly onBytes: (count: number) => void;
	readonly signal?: AbortSignal;
}

/**
 * Writes one pack: tar, gzip, hashes, in one pass. The same plan gives the same tar on every machine.
 *
 * The name holds the hash of the compressed file, not of the tar: another version of zlib compresses the same tar to
 * other bytes, and a BOINC file name stands for one sequence of bytes for ever. So two machines with different
 * versions may send a part twice; they never meet under one name with different contents. What says that two images
 * are equal is their id, which is computed from the tree, and what says that two parts are, is the manifest.
 */
export async function writePack(plan: PackPlan, image: DigestedTree, target: PackTarget): Promise<Pack> {
	const temporary = join(target.dir, `pack-${target.index}`);
	const totals: Totals = { entries: 0, tarBytes: 0 };
	const sha256 = createHash('sha256');
	const md5 = createHash('md5');
	let size = 0;
	const observe = async function* (compressed: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
		for await (const piece of compressed) {
			sha256.update(piece);
			md5.update(piece);
			size += piece.length;
			yield piece;
		}
	};
	await pipeline(gzipBlocks(tarOf(plan, image, totals), target.onBytes), observe, createWriteStream(temporary, { mode: 0o600 }), {
		...(target.signal && { signal: target.signal }),
	});
	const hash = sha256.digest('hex');
	const name = `b2d_pack_${hash.slice(0, 32)}.tar.gz`;
	const file = join(target.dir, name);
	await rename(temporary, file);
	const facts: PackFacts = {
		name,
		size,
		sha256: hash,
		md5: md5.digest('hex'),
		unpackedSize: totals.tarBytes,
		entries: totals.entries,
		kind: plan.kind,
		generation: target.generation,
		times: plan.times.length,
	};
	return {
		...facts,
		content: {
			size,
			sha256: hash,
			md5: facts.md5,
			open: (offset) => createReadStream(file, { start: offset, highWaterMark: 1 << 18 }),
		},
		manifest: contentOfBytes(await encodeManifest(facts, plan)),
	};
}

const MOST_READERS = 16;

/** Readers by what they read. Each has a large buffer, and an image may have hundreds of layers. */
class Readers {
	readonly #readers = new Map<RandomAccess, ForwardReader>();

	of(source: RandomAccess): ForwardReader {
		const known = this.#readers.get(source);
		if (known) {
			return known;
		}
		const [oldest] = this.#readers.keys();
		if (oldest && this.#readers.size >= MOST_READERS) {
			this.#readers.delete(oldest);
		}
		const made = new ForwardReader(source);
		this.#readers.set(source, made);
		return made;
	}
}

interface Totals {
	entries: number;
	tarBytes: number;
}

async function* tarOf(
	{ times, units }: PackPlan,
	{ sharedLink }: DigestedTree,
	totals: Totals,
): AsyncGenerator<Buffer, void, undefined> {
	const readers = new Readers();
	const emit = (bytes: Buffer): Buffer => {
		totals.tarBytes += bytes.length;
		return bytes;
	};
	const header = (of: TarHeader): Buffer => {
		totals.entries++;
		return emit(encodeHeader(of));
	};
	for (const unit of times) {
		yield header(timeHeader(unit, sharedLink));
	}
	for (const unit of units) {
		for (const [index, each] of unitHeaders(unit).entries()) {
			yield header(each);
			if (index === 0 && unit.inode.kind === 'file') {
				const { source, offset, size } = unit.inode;
				const reader = readers.of(source);
				const whole = reader.peek(offset, size);
				if (whole) {
					yield emit(whole);
				} else {
					for await (const piece of reader.stream(offset, offset + size)) {
						yield emit(piece);
					}
				}
				yield emit(padding(unit.inode.size));
			}
		}
	}
	yield emit(endOfArchive());
}
