import { abortError, isAbort } from '../../common/errors.js';
import type { Clock, Log, OperationContext, ProgressUpdate } from '../../common/ports.js';

export interface RunPorts {
	readonly log: Log;
	readonly clock: Clock;
	/** Called on every change: progress, end. */
	readonly onChange: () => void;
}

/** Something that takes a while: what state it is in, how far it has come, and how it ended. */
export class Run<T> {
	readonly startedAt: number;
	readonly #ports: RunPorts;
	readonly #abort = new AbortController();
	#state: 'running' | 'done' | 'failed' | 'cancelled' = 'running';
	#endedAt: number | undefined;
	#value: T | undefined;
	#error: unknown;
	#progress: ProgressUpdate | undefined;

	constructor(ports: RunPorts) {
		this.#ports = ports;
		this.startedAt = ports.clock.now();
	}

	get state(): 'running' | 'done' | 'failed' | 'cancelled' {
		return this.#state;
	}
	get endedAt(): number | undefined {
		return this.#endedAt;
	}
	/** What it came to, once it is done. */
	get value(): T | undefined {
		return this.#value;
	}
	/** Why it failed. */
	get error(): unknown {
		return this.#error;
	}
	get progress(): ProgressUpdate | undefined {
		return this.#progress;
	}

	/** Runs the task, once. Rejects with what it rejects with. */
	async start(task: (ctx: OperationContext) => Promise<T>): Promise<T> {
		const { log, clock } = this.#ports;
		const report = (update: ProgressUpdate): void => {
			this.#progress = update;
			this.onProgress?.(update);
			this.#ports.onChange();
		};
		try {
			const value = await task({ log, clock, progress: { report }, signal: this.#abort.signal });
			this.#value = value;
			this.#end('done');
			return value;
		} catch (error) {
			this.#error = error;
			this.#end(isAbort(error) ? 'cancelled' : 'failed');
			throw error;
		}
	}

	/** Stops the task, if it still runs; `start` rejects when it has stopped. */
	cancel(): void {
		this.#abort.abort(abortError());
	}

	/** For those who measure it. */
	protected onProgress: ((update: ProgressUpdate) => void) | undefined;

	#end(state: 'done' | 'failed' | 'cancelled'): void {
		this.#state = state;
		this.#endedAt = this.#ports.clock.now();
		this.#ports.onChange();
	}
}
