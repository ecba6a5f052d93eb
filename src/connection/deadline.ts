/** A deadline that does not run while a person is being asked. */
export class PausableDeadline {
	#left: number;
	#startedAt = 0;
	#timer: NodeJS.Timeout | undefined;
	#pauses = 0;
	readonly #onExpired: () => void;

	constructor(milliseconds: number, onExpired: () => void) {
		this.#left = milliseconds;
		this.#onExpired = onExpired;
		this.#run();
	}

	/** Runs `ask` with the deadline standing still. */
	async pausedFor<T>(ask: () => Promise<T>): Promise<T> {
		if (this.#pauses++ === 0) {
			clearTimeout(this.#timer);
			this.#left -= performance.now() - this.#startedAt;
		}
		try {
			return await ask();
		} finally {
			if (--this.#pauses === 0 && this.#timer) {
				this.#run();
			}
		}
	}

	cancel(): void {
		clearTimeout(this.#timer);
		this.#timer = undefined;
	}

	#run(): void {
		this.#startedAt = performance.now();
		this.#timer = setTimeout(this.#onExpired, Math.max(0, this.#left));
	}
}
