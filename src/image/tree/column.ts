import type { ByteString } from '../tar/tarHeader.js';

type Numbers = Uint8Array | Int32Array | Float64Array;

const BITS = 12;
/** Of columns of which there are many and most are short. */
export const SHORT = 6;

/** Numbers by index, 0 where nothing was set. It grows in pieces of 2 to the power of `bits`, so that growing copies nothing. */
export class Column {
	readonly #make: (length: number) => Numbers;
	readonly #bits: number;
	readonly #chunks: Numbers[] = [];

	constructor(make: (length: number) => Numbers, bits = BITS) {
		this.#make = make;
		this.#bits = bits;
	}

	get(index: number): number {
		return this.#chunks[index >>> this.#bits]?.[index & ((1 << this.#bits) - 1)] ?? 0;
	}

	set(index: number, value: number): void {
		const at = index >>> this.#bits;
		while (this.#chunks.length <= at) {
			this.#chunks.push(this.#make(1 << this.#bits));
		}
		const chunk = this.#chunks[at];
		if (chunk) {
			chunk[index & ((1 << this.#bits) - 1)] = value;
		}
	}
}

export const bytes = (bits?: number): Column => new Column((length) => new Uint8Array(length), bits);
/** Whole numbers below zero, too. */
export const integers = (bits?: number): Column => new Column((length) => new Int32Array(length), bits);
/** Sizes and offsets beyond 4 GiB. */
export const large = (bits?: number): Column => new Column((length) => new Float64Array(length), bits);

/** Whole numbers in an order. */
export class NumberList {
	readonly #column = integers();
	#count = 0;

	add(value: number): void {
		this.#column.set(this.#count++, value);
	}

	numbers(): Int32Array {
		const all = new Int32Array(this.#count);
		for (let index = 0; index < all.length; index++) {
			all[index] = this.#column.get(index);
		}
		return all;
	}
}

const STORE = 1 << 16;
const PREFIX = 2;

/** Short byte strings, one after another outside of the heap. At most 65,534 bytes each. */
export class StringStore {
	readonly #chunks: Buffer[] = [];
	#used = STORE;

	/** Keeps a string; returns its place. */
	add(text: ByteString): number {
		if (this.#used + PREFIX + text.length > STORE) {
			this.#chunks.push(Buffer.allocUnsafeSlow(STORE));
			this.#used = 0;
		}
		const chunk = this.#chunks.length - 1;
		const at = this.#used;
		const target = this.#chunks[chunk];
		target?.writeUInt16LE(text.length, at);
		target?.write(text, at + PREFIX, 'latin1');
		this.#used += PREFIX + text.length;
		return chunk * STORE + at;
	}

	get(place: number): ByteString {
		const { chunk, start, end } = this.#find(place);
		return chunk.toString('latin1', start, end);
	}

	is(place: number, text: ByteString): boolean {
		const { chunk, start, end } = this.#find(place);
		if (end - start !== text.length) {
			return false;
		}
		for (let at = 0; at < text.length; at++) {
			if (chunk[start + at] !== text.charCodeAt(at)) {
				return false;
			}
		}
		return true;
	}

	/** The order of two strings by their bytes. */
	compare(a: number, b: number): number {
		const one = this.#find(a);
		const two = this.#find(b);
		const length = Math.min(one.end - one.start, two.end - two.start);
		for (let at = 0; at < length; at++) {
			const difference = (one.chunk[one.start + at] ?? 0) - (two.chunk[two.start + at] ?? 0);
			if (difference !== 0) {
				return difference;
			}
		}
		return one.end - one.start - (two.end - two.start);
	}

	#find(place: number): { readonly chunk: Buffer; readonly start: number; readonly end: number } {
		const chunk = this.#chunks[Math.floor(place / STORE)] ?? Buffer.alloc(PREFIX);
		const at = place % STORE;
		return { chunk, start: at + PREFIX, end: at + PREFIX + chunk.readUInt16LE(at) };
	}
}
