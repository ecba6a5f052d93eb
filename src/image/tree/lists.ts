import type { ByteString } from '../tar/tarHeader.js';

/** Whole numbers in an order, outside of the heap. */
export class NumberList {
	#numbers = new Int32Array(64);
	#count = 0;

	add(value: number): void {
		if (this.#count === this.#numbers.length) {
			const larger = new Int32Array(2 * this.#count);
			larger.set(this.#numbers);
			this.#numbers = larger;
		}
		this.#numbers[this.#count++] = value;
	}

	numbers(): Int32Array {
		return this.#numbers.slice(0, this.#count);
	}
}

const STORE = 1 << 16;
const PREFIX = 2;

/** Short byte strings, one after another outside of the heap. At most 65,534 bytes each. */
export class StringStore {
	readonly #chunks: Buffer[] = [];
	#used = STORE;

	/** Strings that `saved` gave; their places are the same. */
	static of(saved: Buffer): StringStore {
		const store = new StringStore();
		for (let at = 0; at < saved.length; at += STORE) {
			const chunk = Buffer.alloc(STORE);
			store.#used = saved.copy(chunk, 0, at);
			store.#chunks.push(chunk);
		}
		return store;
	}

	saved(): Buffer {
		// Without strings what is used is a whole chunk that does not exist.
		return Buffer.concat(this.#chunks, (this.#chunks.length - 1) * STORE + this.#used);
	}

	/** Keeps a string; returns its place. */
	add(text: ByteString): number {
		if (this.#used + PREFIX + text.length > STORE) {
			this.#chunks.push(Buffer.alloc(STORE));
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
