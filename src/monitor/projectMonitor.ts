import type { Disposable } from '../common/disposable.js';
import { isAbort } from '../common/errors.js';
import { messageOf } from '../common/errors.js';
import { Emitter, type Event } from '../common/event.js';
import type { Clock, Log } from '../common/ports.js';
import { isFinalBatchState } from './jobState.js';
import {
	batchRows,
	changesSince,
	countedBatches,
	instancesOf,
	type JobPage,
	jobPage,
	newestBatches,
	type Queries,
	serverTime,
} from './queries.js';
import type { Batch, Instance, Job } from './types.js';

/** What a change touched. An empty list of batches means: the list of batches itself. */
export interface MonitorChange {
	readonly batchIds: readonly number[];
	readonly jobIds: readonly number[];
}

export interface MonitorPorts {
	readonly log: Log;
	readonly clock: Clock;
	/** The database, opened or reopened when needed. */
	readonly database: () => Promise<Queries>;
}

/** Milliseconds between two polls: while something moves, and the most when nothing does. */
const FASTEST = 2_000;
const SLOWEST = 20_000;
/** Seconds that two delta queries overlap: `mod_time` has whole seconds, and transactions take time to show. */
const OVERLAP = 3;
/** Batches that are shown. */
const NEWEST = 200;

/**
 * The batches of one project as a store that keeps itself up to date by delta queries while it is started.
 * Batches that are over cost nothing.
 */
export class ProjectMonitor implements Disposable {
	readonly #ports: MonitorPorts;
	readonly #batches = new Map<number, Batch>();
	readonly #changed = new Emitter<MonitorChange>();
	readonly #finished = new Emitter<Batch>();
	readonly #trouble = new Emitter<unknown>();
	#newest = 0;
	#since = 0;
	#seen: ReadonlySet<string> = new Set();
	#loaded = false;
	#troubled: unknown;
	#running: AbortController | undefined;
	#polling: Promise<void> | undefined;
	#wake: (() => void) | undefined;

	constructor(ports: MonitorPorts) {
		this.#ports = ports;
	}

	/** Fires after the store changed. */
	readonly onDidChange: Event<MonitorChange> = this.#changed.event;
	/** Fires once for each batch that ends while it is being watched. */
	readonly onDidFinish: Event<Batch> = this.#finished.event;
	/** Fires with the error when polling begins to fail, and with `undefined` when it works again. */
	readonly onDidChangeTrouble: Event<unknown> = this.#trouble.event;

	/** The error of the last poll, or `undefined`. The batches are then those of the last poll that worked. */
	get trouble(): unknown {
		return this.#troubled;
	}

	/** Whether the batches have been read at least once. */
	get loaded(): boolean {
		return this.#loaded;
	}

	/** Newest first. */
	batches(): readonly Batch[] {
		return [...this.#batches.values()].sort((a, b) => b.id - a.id);
	}

	batch(id: number): Batch | undefined {
		return this.#batches.get(id);
	}

	/** A page of jobs, read now. */
	async jobs(batchId: number, page?: JobPage): Promise<Job[]> {
		return jobPage(await this.#ports.database(), batchId, page);
	}

	/** The instances of a job, read now. */
	async instances(jobId: number): Promise<Instance[]> {
		return instancesOf(await this.#ports.database(), [jobId]);
	}

	/** Begins to poll; nothing when it polls already. */
	start(): void {
		if (this.#running) {
			return;
		}
		const running = new AbortController();
		this.#running = running;
		void this.#loop(running.signal);
	}

	/** Ends polling: no query is made until `start` or `refresh`. */
	stop(): void {
		this.#running?.abort();
		this.#running = undefined;
	}

	/** Polls now. Rejects when that fails, unlike polling in the background. */
	async refresh(): Promise<void> {
		await this.#poll();
		this.#wake?.();
	}

	dispose(): void {
		this.stop();
		this.#changed.dispose();
		this.#finished.dispose();
		this.#trouble.dispose();
	}

	async #loop(signal: AbortSignal): Promise<void> {
		let period = FASTEST;
		while (!signal.aborted) {
			try {
				const moved = await this.#poll();
				const open = this.batches().some((batch) => !isFinalBatchState(batch.state));
				period = moved ? FASTEST : Math.min(period * 1.3, open ? SLOWEST / 4 : SLOWEST);
			} catch (error) {
				if (isAbort(error)) {
					return;
				}
				period = Math.min(period * 2, SLOWEST);
			}
			const waiting = new AbortController();
			this.#wake = () => waiting.abort();
			await this.#ports.clock.sleep(period, AbortSignal.any([signal, waiting.signal])).catch(() => undefined);
		}
	}

	/** One poll at a time: a second caller gets the result of the one that runs. */
	async #poll(): Promise<boolean> {
		let moved = false;
		this.#polling ??= this.#pollOnce()
			.then((result) => {
				moved = result;
				this.#setTrouble(undefined);
			})
			.catch((error: unknown) => {
				if (!isAbort(error)) {
					this.#setTrouble(error);
				}
				throw error;
			})
			.finally(() => {
				this.#polling = undefined;
			});
		await this.#polling;
		return moved;
	}

	async #pollOnce(): Promise<boolean> {
		const db = await this.#ports.database();
		const now = await serverTime(db);
		const fresh = await newestBatches(db, this.#newest, NEWEST);
		const open = this.batches()
			.filter((batch) => !isFinalBatchState(batch.state))
			.map(({ id }) => id);
		const rows = await batchRows(db, open);
		for (const id of open.filter((known) => !rows.some((row) => row.id === known))) {
			this.#batches.delete(id);
		}
		const stateChanged = rows.filter((row) => this.#batches.get(row.id)?.state === 'preparing');
		const changes = open.length === 0 || !this.#loaded ? undefined : await changesSince(db, open, this.#since - OVERLAP);
		const news = changes && [...changes.keys].some((key) => !this.#seen.has(key));
		const touched = new Set([...(news ? changes.batchIds : []), ...stateChanged.map(({ id }) => id)]);
		const counted = await countedBatches(db, [...fresh, ...rows.filter((row) => touched.has(row.id))]);
		this.#newest = Math.max(this.#newest, ...fresh.map(({ id }) => id));
		this.#since = now;
		this.#seen = changes?.keys ?? new Set();
		return this.#accept(counted, fresh.length > 0 || rows.length < open.length, news ? changes.jobIds : []);
	}

	/** Puts batches into the store and tells the listeners. Returns whether anything is different. */
	#accept(counted: readonly Batch[], listChanged: boolean, jobIds: readonly number[]): boolean {
		const different = counted.filter((batch) => JSON.stringify(this.#batches.get(batch.id)) !== JSON.stringify(batch));
		const ended = this.#loaded
			? different.filter(
					(batch) => isFinalBatchState(batch.state) && !isFinalBatchState(this.#batches.get(batch.id)?.state ?? 'preparing'),
				)
			: [];
		for (const batch of counted) {
			this.#batches.set(batch.id, batch);
		}
		const first = !this.#loaded;
		this.#loaded = true;
		if (first || listChanged || different.length > 0 || jobIds.length > 0) {
			this.#changed.fire({ batchIds: first || listChanged ? [] : different.map(({ id }) => id), jobIds });
		}
		for (const batch of ended) {
			this.#finished.fire(batch);
		}
		return different.length > 0 || jobIds.length > 0 || listChanged;
	}

	#setTrouble(error: unknown): void {
		const before = this.#troubled;
		this.#troubled = error;
		if ((before === undefined) !== (error === undefined)) {
			if (error !== undefined) {
				this.#ports.log.warn(`Reading the project's state failed: ${messageOf(error)}`);
			}
			this.#trouble.fire(error);
		}
	}
}
