import type { Clock } from '../common/ports.js';
import { FASTEST, nextPeriod, type PollOutcome } from './pollPeriod.js';

/** Polls again and again, the more rarely the less happens. */
export class PollLoop {
	readonly #clock: Clock;
	readonly #poll: () => Promise<PollOutcome>;
	#running: AbortController | undefined;
	#wake: (() => void) | undefined;

	/** `poll` rejects when there shall be no further one. */
	constructor(clock: Clock, poll: () => Promise<PollOutcome>) {
		this.#clock = clock;
		this.#poll = poll;
	}

	/** Polls at once, unless it does already. */
	start(): void {
		if (!this.#running) {
			this.#running = new AbortController();
			void this.#run(this.#running.signal);
		}
	}

	stop(): void {
		this.#running?.abort();
		this.#running = undefined;
	}

	/** Makes the next poll come now. */
	wake(): void {
		this.#wake?.();
	}

	async #run(signal: AbortSignal): Promise<void> {
		let period = FASTEST;
		while (!signal.aborted) {
			try {
				period = nextPeriod(period, await this.#poll());
			} catch {
				this.#running = this.#running?.signal === signal ? undefined : this.#running;
				return; // whoever polls has ended it
			}
			const waiting = new AbortController();
			this.#wake = () => waiting.abort();
			await this.#clock.sleep(period, AbortSignal.any([signal, waiting.signal])).catch(() => undefined);
		}
	}
}
