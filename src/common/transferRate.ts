/** Milliseconds over which a rate is measured: short enough to follow the network, long enough to be read. */
const WINDOW = 10_000;

/** How fast something goes and when it will be done, from what was done at what time. */
export class TransferRate {
	readonly #points: { readonly time: number; readonly bytes: number }[] = [];

	/** `bytes` are done at `time`, in milliseconds. */
	add(bytes: number, time: number): void {
		const last = this.#points.at(-1);
		if (last && bytes < last.bytes) {
			this.#points.length = 0; // begun again
		}
		this.#points.push({ time, bytes });
		while (this.#points.length > 2 && time - (this.#points[1]?.time ?? time) >= WINDOW) {
			this.#points.shift();
		}
		// As many as a person can tell apart, however often it is called.
		if (this.#points.length > 500) {
			this.#points.splice(1, 1);
		}
	}

	/** Bytes a second; `undefined` while too little is known. */
	get bytesPerSecond(): number | undefined {
		const [first, last] = [this.#points[0], this.#points.at(-1)];
		const ms = (last?.time ?? 0) - (first?.time ?? 0);
		return !first || !last || ms < 500 ? undefined : ((last.bytes - first.bytes) / ms) * 1000;
	}

	/** Seconds until `total` bytes are done; `undefined` while too little is known. */
	secondsLeft(total: number): number | undefined {
		const rate = this.bytesPerSecond;
		const done = this.#points.at(-1)?.bytes ?? 0;
		return rate === undefined || rate <= 0 ? undefined : Math.max(0, total - done) / rate;
	}
}
