import { abortError } from '../common/errors.js';

/**
 * Keeps the number of open channels below what the server allows. Servers do not tell their limit, so a refusal while
 * other channels are open lowers ours to what was open.
 */
export class ChannelQueue {
	#limit: number;
	#open = 0;
	readonly #waiting: (() => void)[] = [];

	constructor(limit: number) {
		this.#limit = limit;
	}

	get limit(): number {
		return this.#limit;
	}

	/** Resolves when a channel may be opened; call `release` when it is closed. First come, first served. */
	async acquire(signal?: AbortSignal): Promise<void> {
		if (signal?.aborted) {
			throw abortError();
		}
		if (this.#open < this.#limit) {
			this.#open++;
			return;
		}
		await new Promise<void>((resolve, reject) => {
			const enter = (): void => {
				signal?.removeEventListener('abort', leave);
				resolve();
			};
			const leave = (): void => {
				this.#waiting.splice(this.#waiting.indexOf(enter), 1);
				reject(abortError());
			};
			this.#waiting.push(enter);
			signal?.addEventListener('abort', leave, { once: true });
		});
	}

	release(): void {
		this.#open--;
		this.#admit();
	}

	/**
	 * The server refused the channel of one `acquire`, which is released hereby. Says whether it is worth waiting for
	 * another: not when no other channel was open.
	 */
	refused(): 'wait' | 'hopeless' {
		this.#open--;
		if (this.#open === 0) {
			this.#admit();
			return 'hopeless';
		}
		this.#limit = Math.min(this.#limit, this.#open);
		return 'wait';
	}

	/** Lets everybody in; what they try fails by itself when the connection is gone. */
	dissolve(): void {
		this.#limit = Number.POSITIVE_INFINITY;
		this.#admit();
	}

	#admit(): void {
		while (this.#open < this.#limit) {
			const next = this.#waiting.shift();
			if (!next) {
				return;
			}
			this.#open++;
			next();
		}
	}
}
