/** The earliest of many events comes first. A binary heap of times with a number each. */
export class EventHeap {
	readonly #times: number[] = [];
	readonly #values: number[] = [];

	get size(): number {
		return this.#times.length;
	}

	push(time: number, value: number): void {
		let at = this.#times.length;
		this.#times.push(time);
		this.#values.push(value);
		while (at > 0) {
			const parent = (at - 1) >> 1;
			if ((this.#times[parent] ?? 0) <= time) {
				break;
			}
			this.#swap(at, parent);
			at = parent;
		}
	}

	/** Takes the earliest event out; `undefined` when there is none. */
	pop(): { readonly time: number; readonly value: number } | undefined {
		const [time, value] = [this.#times[0], this.#values[0]];
		if (time === undefined || value === undefined) {
			return undefined;
		}
		const last = this.#times.length - 1;
		this.#swap(0, last);
		this.#times.pop();
		this.#values.pop();
		for (let at = 0; ;) {
			let least = at;
			for (const child of [2 * at + 1, 2 * at + 2]) {
				if (child < last && (this.#times[child] ?? 0) < (this.#times[least] ?? 0)) {
					least = child;
				}
			}
			if (least === at) {
				return { time, value };
			}
			this.#swap(at, least);
			at = least;
		}
	}

	#swap(a: number, b: number): void {
		[this.#times[a], this.#times[b]] = [this.#times[b] ?? 0, this.#times[a] ?? 0];
		[this.#values[a], this.#values[b]] = [this.#values[b] ?? 0, this.#values[a] ?? 0];
	}
}
