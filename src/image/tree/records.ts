/**
 * Records of some bytes each, by number, outside of the heap; all 0 at first. They grow in chunks of 2 to the power of `bits`, so that
 * growing copies nothing. A record is `view(number)` from `at(number)` on.
 */
export class Records {
	readonly #size: number;
	readonly #bits: number;
	readonly #chunks: DataView[] = [];
	readonly #bytes: Buffer[] = [];

	constructor(size: number, bits = 12) {
		this.#size = size;
		this.#bits = bits;
	}

	/** Records that `saved` gave, of the same size. */
	static of(saved: Buffer, size: number): Records {
		const records = new Records(size);
		const chunk = size << records.#bits;
		for (let at = 0; at < saved.length; at += chunk) {
			records.bytes(at / size).set(saved.subarray(at, at + chunk));
		}
		return records;
	}

	/** The first `count` records, one after another. */
	saved(count: number): Buffer {
		return Buffer.concat(this.#bytes, count * this.#size);
	}

	/** What holds a record. */
	view(number: number): DataView {
		return this.#chunks[number >>> this.#bits] ?? this.#grow(number >>> this.#bits);
	}

	/** The bytes of a record's view. */
	bytes(number: number): Buffer {
		return this.#bytes[number >>> this.#bits] ?? Buffer.from(this.#grow(number >>> this.#bits).buffer);
	}

	/** Where a record begins in its view. */
	at(number: number): number {
		return (number & ((1 << this.#bits) - 1)) * this.#size;
	}

	#grow(chunk: number): DataView {
		for (;;) {
			const view = new DataView(new ArrayBuffer(this.#size << this.#bits));
			this.#chunks.push(view);
			this.#bytes.push(Buffer.from(view.buffer));
			if (this.#chunks.length > chunk) {
				return view;
			}
		}
	}
}
