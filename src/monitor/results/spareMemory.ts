/** Memory of packed results that were unpacked, for the next ones: what was used a moment ago need not be found and cleared again. */
export class SpareMemory {
	readonly #spare = new Map<number, ArrayBuffer[]>();
	readonly #most: number;
	#bytes = 0;

	/** Keeps at most `most` bytes. */
	constructor(most: number) {
		this.#most = most;
	}

	/** A buffer of `size` bytes, with anything in it. */
	take(size: number): Buffer {
		const whole = roundedUp(size);
		const found = this.#spare.get(whole)?.pop();
		if (!found) {
			return Buffer.allocUnsafeSlow(whole).subarray(0, size);
		}
		this.#bytes -= whole;
		return Buffer.from(found, 0, size);
	}

	/** Takes back what `take` gave, or drops it. Nobody may use it any more. */
	give(memory: ArrayBuffer): void {
		const size = memory.byteLength;
		if (size !== roundedUp(size) || this.#bytes + size > this.#most) {
			return;
		}
		this.#bytes += size;
		const others = this.#spare.get(size);
		if (others) {
			others.push(memory);
		} else {
			this.#spare.set(size, [memory]);
		}
	}
}

/** Results of about one size share their memory. */
const roundedUp = (size: number): number => 2 ** Math.ceil(Math.log2(Math.max(4096, size)));
