const BITS = 12;
const MASK = (1 << BITS) - 1;

/**
 * Records of some bytes each, by number, outside of the heap; all 0 at first. They grow in chunks, so that growing copies nothing. A
 * record is `view(number)` from `at(number)` on.
 */
export class Records {
	readonly #size: number;
	readonly #chunks: DataView[] = [];
	readonly #bytes: Buffer[] = [];

	constructor(size: number) {
		this.#size = size;
	}

	/** What holds a record. */
	view(number: number): DataView {
		return this.#chunks[number >>> BITS] ?? this.#grow(number >>> BITS);
	}

	/** The bytes of a record's view. */
	bytes(number: number): Buffer {
		return this.#bytes[number >>> BITS] ?? Buffer.from(this.#grow(number >>> BITS).buffer);
	}

	/** Where a record begins in its view. */
	at(number: number): number {
		return (number & MASK) * this.#size;
	}

	#grow(chunk: number): DataView {
		for (;;) {
			const view = new DataView(new ArrayBuffer(this.#size << BITS));
			this.#chunks.push(view);
			this.#bytes.push(Buffer.from(view.buffer));
			if (this.#chunks.length > chunk) {
				return view;
			}
		}
	}
}
