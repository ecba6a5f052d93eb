/** Lets pieces of work run beside each other, as long as they are few and small enough together. */
export class Gate {
	readonly #most: number;
	readonly #mostBytes: number;
	readonly #running = new Set<Promise<void>>();
	#bytes = 0;

	constructor(most: number, mostBytes: number) {
		this.#most = most;
		this.#mostBytes = mostBytes;
	}

	/**
	 * Starts `work`, which holds `bytes`. Returns a promise while there is no room for more: whoever brings work waits for it.
	 * A failure goes to `onError`.
	 */
	enter(bytes: number, work: () => Promise<void>, onError: (error: unknown) => void): Promise<void> | undefined {
		this.#bytes += bytes;
		const running: Promise<void> = work()
			.catch(onError)
			.finally(() => {
				this.#running.delete(running);
				this.#bytes -= bytes;
			});
		this.#running.add(running);
		return this.#isFull() ? this.#room() : undefined;
	}

	/** Resolves when nothing runs. */
	async empty(): Promise<void> {
		while (this.#running.size > 0) {
			await Promise.all(this.#running);
		}
	}

	#isFull(): boolean {
		return this.#running.size >= this.#most || this.#bytes >= this.#mostBytes;
	}

	async #room(): Promise<void> {
		while (this.#isFull()) {
			await Promise.race(this.#running);
		}
	}
}
