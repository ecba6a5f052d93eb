import type { RandomAccess } from './randomAccess.js';

/** A file with holes. */
export interface SparseMap {
	/** Bytes of the file, holes included. */
	readonly size: number;
	/** Offset and length of what is stored, one pair after the other: ascending, without overlaps, within `size`. */
	readonly pieces: readonly number[];
}

/** One file in the row: where it begins and ends, and what is stored of it. */
interface Placed {
	readonly start: number;
	readonly end: number;
	/** For each stored piece where it begins in the row, its length, and where it is in the source. */
	readonly pieces: Float64Array;
}

const FIELDS = 3;

/**
 * The files with holes of one archive, laid in a row, as if the holes were there: they read as zeros and take no space.
 * One object for all of them, because readers keep a buffer for each object that they read from.
 */
export class SparseFiles implements RandomAccess {
	readonly #source: RandomAccess;
	readonly #files: Placed[] = [];
	#size = 0;
	#holes = 0;
	#pieces = 0;

	constructor(source: RandomAccess) {
		this.#source = source;
	}

	/** Where the next file begins. */
	get size(): number {
		return this.#size;
	}

	/** Bytes of all holes. */
	get holes(): number {
		return this.#holes;
	}

	/** Number of all stored pieces. */
	get pieces(): number {
		return this.#pieces;
	}

	/** Adds a file whose stored bytes begin at `offset` of the source; returns where it begins here. */
	add(map: SparseMap, offset: number): number {
		const start = this.#size;
		const pieces = new Float64Array((map.pieces.length / 2) * FIELDS);
		let stored = 0;
		let used = 0;
		for (let index = 0; index < map.pieces.length; index += 2) {
			const length = map.pieces[index + 1] ?? 0;
			if (length > 0) {
				pieces.set([start + (map.pieces[index] ?? 0), length, offset + stored], used);
				used += FIELDS;
				stored += length;
			}
		}
		this.#size += map.size;
		this.#holes += map.size - stored;
		this.#pieces += used / FIELDS;
		this.#files.push({ start, end: this.#size, pieces: used === pieces.length ? pieces : pieces.slice(0, used) });
		return start;
	}

	async readInto(target: Buffer, offset: number): Promise<number> {
		const length = Math.max(0, Math.min(target.length, this.#size - offset));
		const end = offset + length;
		const wanted = target.subarray(0, length).fill(0);
		let index = firstIndex(this.#files.length, (at) => (this.#files[at]?.end ?? 0) > offset);
		for (let file = this.#files[index]; file !== undefined && file.start < end; file = this.#files[++index]) {
			await this.#readFile(file, wanted, offset);
		}
		return length;
	}

	/** Puts the stored pieces of one file that lie in `wanted`, which begins at `offset`, in their places. */
	async #readFile({ pieces }: Placed, wanted: Buffer, offset: number): Promise<void> {
		const end = offset + wanted.length;
		const count = pieces.length / FIELDS;
		const first = firstIndex(count, (at) => (pieces[at * FIELDS] ?? 0) + (pieces[at * FIELDS + 1] ?? 0) > offset);
		for (let at = first * FIELDS; at < pieces.length; at += FIELDS) {
			const [start = 0, length = 0, stored = 0] = pieces.subarray(at, at + FIELDS);
			if (start >= end) {
				return;
			}
			const from = Math.max(start, offset);
			const part = wanted.subarray(from - offset, Math.min(start + length, end) - offset);
			await this.#source.readInto(part, stored + from - start);
		}
	}
}

/** The smallest number below `count` that `fits`, given that all after it fit as well; `count` if none does. */
function firstIndex(count: number, fits: (index: number) => boolean): number {
	let low = 0;
	let high = count;
	while (low < high) {
		const middle = (low + high) >>> 1;
		if (fits(middle)) {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	return low;
}
