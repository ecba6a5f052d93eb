import type { Disposable } from '../common/disposable.js';
import { isAbort, messageOf } from '../common/errors.js';
import { Emitter, type Event } from '../common/event.js';
import type { Clock, Log } from '../common/ports.js';
import { BatchStore } from './batchStore.js';
import { ChangeReader, type Since } from './changeReader.js';
import { type Pulse, readPulse } from './deltaQueries.js';
import { groupJobs, type JobGroup, type JobGrouping, type JobPage, jobPage } from './jobPages.js';
import { PollLoop } from './pollLoop.js';
import type { PollOutcome } from './pollPeriod.js';
import { batchRows, instancesOf, newestBatches, type Queries } from './queries.js';
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

/** Seconds that two delta queries overlap: `mod_time` has whole seconds, and transactions take time to show. */
const OVERLAP = 3;
/** Seconds without a look after which the open batches are read anew: rows may have been removed meanwhile. */
const LONG_PAUSE = 600;
/** Seconds between two looks for rows that were removed. */
const CENSUS_EVERY = 60;
/** Batches that are shown. */
const NEWEST = 200;

/**
 * The batches of one project as a store that keeps itself up to date by delta queries while it is started.
 * Batches that are over cost nothing.
 */
export class ProjectMonitor implements Disposable {
	readonly #ports: MonitorPorts;
	readonly #store = new BatchStore();
	readonly #changed = new Emitter<MonitorChange>();
	readonly #finished = new Emitter<Batch>();
	readonly #trouble = new Emitter<unknown>();
	readonly #loop: PollLoop;
	#reader = new ChangeReader();
	#last: (Pulse & { readonly local: number }) | undefined;
	#census = 0;
	#troubled: unknown;
	#scope: ReadonlySet<number> | undefined;
	#queue: Promise<unknown> = Promise.resolve();
	#refreshing: Promise<void> | undefined;

	constructor(ports: MonitorPorts) {
		this.#ports = ports;
		this.#loop = new PollLoop(ports.clock, () => this.#turn());
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
		return this.#last !== undefined;
	}

	/** Newest first. */
	batches(): readonly Batch[] {
		return this.#store.all();
	}

	batch(id: number): Batch | undefined {
		return this.#store.get(id);
	}

	/** A page of jobs, read now. */
	async jobs(batchId: number, page: JobPage = {}): Promise<Job[]> {
		const index = this.#store.indexOf(batchId);
		return jobPage(await this.#ports.database(), batchId, page, index);
	}

	/** How many jobs of a batch each host had, or failed with each exit code; the largest groups first. Read now. */
	async groups(batchId: number, by: JobGrouping): Promise<JobGroup[]> {
		return groupJobs(await this.#ports.database(), batchId, by);
	}

	/** The instances of a job, read now. */
	async instances(jobId: number): Promise<Instance[]> {
		return instancesOf(await this.#ports.database(), [jobId]);
	}

	/** Begins to poll all batches, or only some of them. */
	start(batchIds?: readonly number[]): void {
		const before = this.#scope;
		this.#scope = batchIds && new Set(batchIds);
		if (before && [...this.#store.open(this.#scope)].some(({ id }) => !before.has(id))) {
			this.#store.forgetOpen(before); // nobody has looked at the others meanwhile
			this.#loop.wake();
		}
		this.#loop.start();
	}

	/** Ends polling: no query is made until `start` or `refresh`. */
	stop(): void {
		this.#loop.stop();
	}

	/** Reads which batches there are, without their jobs, which are counted by the next poll. Rejects when that fails. */
	load(): Promise<void> {
		return this.#guarded(async () => {
			const db = await this.#ports.database();
			const pulse = await readPulse(db);
			await this.#list(db, pulse);
			this.#last ??= { ...pulse, local: this.#ports.clock.now() };
		});
	}

	/** Reads all open batches anew, now. Rejects when that fails, unlike polling in the background. */
	async refresh(): Promise<void> {
		this.#refreshing ??= this.#guarded(async () => {
			await this.#poll(undefined);
			this.#store.forgetOpen();
			await this.#count(await this.#ports.database(), undefined);
		}).finally(() => (this.#refreshing = undefined));
		await this.#refreshing;
		this.#loop.wake();
	}

	/** Polls now, as in the background. Rejects when that fails. */
	async poll(): Promise<void> {
		await this.#guarded(() => this.#poll(undefined));
	}

	/** Reads certain batches anew, also such that were over: after something was done to their jobs. */
	async recount(batchIds: readonly number[]): Promise<void> {
		await this.#guarded(async () => {
			batchIds.forEach((id) => this.#store.forget(id));
			await this.#poll(undefined);
		});
		this.#loop.wake();
	}

	dispose(): void {
		this.stop();
		this.#changed.dispose();
		this.#finished.dispose();
		this.#trouble.dispose();
	}

	/** One poll in the background, and what comes of it. Rejects only when polling shall end. */
	async #turn(): Promise<PollOutcome> {
		try {
			const moved = await this.#guarded(() => this.#poll(this.#scope));
			return moved ? 'moved' : this.#store.open(this.#scope).length > 0 ? 'still' : 'all-over';
		} catch (error) {
			if (isAbort(error)) {
				throw error;
			}
			return 'failed';
		}
	}

	/** One at a time, and what goes wrong is known to all. */
	#guarded<T>(work: () => Promise<T>): Promise<T> {
		const mine = this.#queue.then(work).then(
			(value) => {
				this.#setTrouble(undefined);
				return value;
			},
			(error: unknown) => {
				if (!isAbort(error)) {
					this.#setTrouble(error);
				}
				throw error;
			},
		);
		this.#queue = mine.catch(() => undefined);
		return mine;
	}

	/** Whether anything was different. */
	async #poll(scope: ReadonlySet<number> | undefined): Promise<boolean> {
		const db = await this.#ports.database();
		const local = this.#ports.clock.now();
		const pulse = await readPulse(db);
		const since = this.#since(pulse, local);
		const listed = scope === undefined && (await this.#list(db, pulse));
		const quiet = pulse.changed !== undefined && pulse.changed < since.time && pulse.now - this.#census < CENSUS_EVERY;
		let moved = (await this.#readRows(db, scope)) || listed;
		if (!quiet) {
			moved = (await this.#readChanges(db, scope, since, pulse)) || moved;
		}
		this.#last = { ...pulse, local };
		return (await this.#count(db, scope)) || moved;
	}

	/**
	 * From when on changes are wanted. A database's clock that was set back, or runs slower than ours, only makes the overlap longer;
	 * after a long pause the open batches are read anew.
	 */
	#since(pulse: Pulse, local: number): Since {
		const last = this.#last;
		if (!last) {
			return { time: pulse.now, newestJob: pulse.newestJob, newestInstance: pulse.newestInstance };
		}
		const passed = (local - last.local) / 1000;
		if (passed > LONG_PAUSE || pulse.now < last.now - OVERLAP) {
			this.#store.forgetOpen();
			this.#reader = new ChangeReader();
		}
		const time = Math.floor(Math.min(last.now, pulse.now - passed)) - OVERLAP;
		return { time, newestJob: last.newestJob, newestInstance: last.newestInstance };
	}

	/** New batches; those of the beginning have ended without news for anybody. */
	async #list(db: Queries, pulse: Pulse): Promise<boolean> {
		if (pulse.newestBatch <= this.#store.newest) {
			return false;
		}
		const rows = await newestBatches(db, this.#store.newest, NEWEST);
		const first = !this.loaded;
		rows.forEach((row) => this.#store.add(row, first ? 'known' : 'new'));
		this.#changed.fire({ batchIds: [], jobIds: [] });
		return rows.length > 0;
	}

	/** The rows of open batches: a submission that ended, a batch that was deleted or retired. */
	async #readRows(db: Queries, scope: ReadonlySet<number> | undefined): Promise<boolean> {
		const open = this.#store.open(scope).map(({ id }) => id);
		const rows = await batchRows(db, open);
		const gone = open.filter((id) => !rows.some((row) => row.id === id));
		gone.forEach((id) => this.#store.remove(id));
		if (gone.length > 0) {
			this.#changed.fire({ batchIds: [], jobIds: [] });
		}
		rows.forEach((row) => this.#store.update(row));
		const ids = rows.map(({ id }) => id);
		return this.#tell([], ids) || gone.length > 0;
	}

	async #readChanges(db: Queries, scope: ReadonlySet<number> | undefined, since: Since, pulse: Pulse): Promise<boolean> {
		const followed = this.#store.followed(scope);
		if (followed.length === 0) {
			return false;
		}
		const touched = await this.#reader.read(db, followed, since, pulse);
		await this.#store.apply(db, [...touched]);
		if (pulse.now - this.#census >= CENSUS_EVERY) {
			await this.#store.census(db, followed);
			this.#census = pulse.now;
		}
		return this.#tell(
			[...touched],
			followed.map(({ id }) => id),
		);
	}

	/** Counts what is not counted, newest first, and tells of each batch as soon as it is. */
	async #count(db: Queries, scope: ReadonlySet<number> | undefined): Promise<boolean> {
		const pending = this.#store.pending(scope);
		for (const id of pending) {
			await this.#store.count(db, id);
			this.#tell([], [id]);
		}
		return pending.length > 0;
	}

	/** Tells of jobs, and of those batches that look different now. */
	#tell(jobIds: readonly number[], batchIds: readonly number[]): boolean {
		const { different, ended } = this.#store.publish(batchIds);
		if (different.length > 0 || jobIds.length > 0) {
			this.#changed.fire({ batchIds: different, jobIds });
		}
		ended.forEach((batch) => this.#finished.fire(batch));
		return different.length > 0 || jobIds.length > 0;
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
