import type { FollowedBatch } from './changeReader.js';
import { JobIndex } from './jobIndex.js';
import { batchState, emptyCounts, FINAL_JOB_STATES, isFinalBatchState } from './jobState.js';
import { type BatchRow, batchRows } from './queries.js';
import { marks, number, type Queries } from './rows.js';
import { jobSpans, overStates, spanStates, statesOf } from './stateQueries.js';
import type { Batch } from './types.js';

interface Entry {
	row: BatchRow;
	/** While the batch is not over. */
	index: JobIndex | undefined;
	/** To be counted (again). */
	pending: boolean;
	/** `claimOf` the row that was there when counting began. */
	counted: string | undefined;
	/** As listeners know it. */
	shown: Batch;
	/** Whether its end would be news. */
	news: boolean;
}

/** Batches, and the states of the jobs of those that are not over. Knows nothing of time. */
export class BatchStore {
	readonly #entries = new Map<number, Entry>();
	#newest = 0;

	/** The largest id that was ever added. */
	get newest(): number {
		return this.#newest;
	}

	/** Newest first. */
	all(): readonly Batch[] {
		return [...this.#entries.values()].map(({ shown }) => shown).sort((a, b) => b.id - a.id);
	}

	get(id: number): Batch | undefined {
		return this.#entries.get(id)?.shown;
	}

	indexOf(id: number): JobIndex | undefined {
		return this.#entries.get(id)?.index;
	}

	/** Adds a batch that waits to be counted. The end of one that is `new` is news even when it is over by then. */
	add(row: BatchRow, kind: 'known' | 'new'): void {
		this.#newest = Math.max(this.#newest, row.id);
		const { id, name, appId, createTime, njobs: total } = row;
		const state = row.state === 0 ? 'preparing' : row.state === 4 ? 'retired' : 'running';
		const shown: Batch = { id, name, appId, createTime, total, counts: emptyCounts(), state, uncounted: true };
		this.#entries.set(id, { row, index: undefined, pending: true, counted: undefined, shown, news: kind === 'new' });
	}

	update(row: BatchRow): void {
		const entry = this.#entries.get(row.id);
		if (entry) {
			entry.row = row;
		}
	}

	remove(id: number): void {
		this.#entries.delete(id);
	}

	/** Batches that may change: not over, or not known to be. */
	open(scope: ReadonlySet<number> | undefined): readonly Batch[] {
		return [...this.#entries.values()]
			.filter(({ index, pending, shown }) => (index !== undefined || pending) && (scope?.has(shown.id) ?? true))
			.map(({ shown }) => shown);
	}

	followed(scope: ReadonlySet<number> | undefined): FollowedBatch[] {
		return [...this.#entries.values()].flatMap(({ row, index, pending }) =>
			index && !pending && (scope?.has(row.id) ?? true) ? [{ id: row.id, appId: row.appId, index }] : [],
		);
	}

	/** Batches to be counted, newest first. */
	pending(scope: ReadonlySet<number> | undefined): number[] {
		return [...this.#entries.values()]
			.flatMap(({ row, pending }) => (pending && (scope?.has(row.id) ?? true) ? [row.id] : []))
			.sort((a, b) => b - a);
	}

	/** Has a batch counted again. Until then it shows what it shows. */
	forget(id: number): void {
		const entry = this.#entries.get(id);
		if (entry) {
			entry.pending = true;
		}
	}

	/** Has everything counted again that is not over, but for some batches. */
	forgetOpen(except?: ReadonlySet<number>): void {
		for (const { row, index } of this.#entries.values()) {
			if (index && except?.has(row.id) !== true) {
				this.forget(row.id);
			}
		}
	}

	/** Counts a batch by reading the states of its jobs. */
	async count(db: Queries, id: number): Promise<void> {
		const index = new JobIndex();
		const before = this.#entries.get(id)?.row;
		for (const span of (await jobSpans(db, [id])).get(id) ?? []) {
			const all = this.indexOf(id) ? undefined : await overStates(db, span);
			for (const { id: jobId, state, count } of all ?? (await spanStates(db, span))) {
				if (jobId === undefined) {
					index.count(state, count);
				} else {
					index.set(jobId, state);
				}
			}
			index.reached(span.last);
		}
		const entry = this.#entries.get(id);
		if (entry) {
			entry.index = index;
			entry.pending = false;
			entry.counted = before && claimOf(before);
		}
	}

	/** Reads the states of jobs that changed into the indexes. */
	async apply(db: Queries, jobIds: readonly number[]): Promise<void> {
		for (const { id, batchId, state } of await statesOf(db, jobIds)) {
			const entry = this.#entries.get(batchId);
			const index = entry?.index;
			if (!entry || !index) {
				continue;
			}
			if (index.get(id) !== undefined || id > index.last) {
				index.set(id, state);
			} else if (!FINAL_JOB_STATES.includes(state)) {
				entry.pending = true; // it was over when the batch was counted, and is not any longer; or came late
			}
		}
	}

	/** Has batches counted again that have fewer rows than they had. Uses `wu_batch` alone. */
	async census(db: Queries, batches: readonly FollowedBatch[]): Promise<void> {
		const ids = batches.map(({ id }) => id);
		const rows = await db.select(
			`SELECT batch, COUNT(*) AS jobs FROM workunit WHERE batch IN (${marks(ids)}) GROUP BY batch`,
			ids,
		);
		const found = new Map(rows.map((row) => [number(row, 'batch'), number(row, 'jobs')]));
		for (const { id, index } of batches) {
			if ((found.get(id) ?? 0) < index.total) {
				this.forget(id);
			}
		}
	}

	/** Makes what is shown of some batches what is known of them. Returns which look different, and which have ended. */
	publish(ids: readonly number[]): { different: number[]; ended: Batch[] } {
		const different: number[] = [];
		const ended: Batch[] = [];
		for (const id of ids) {
			const entry = this.#entries.get(id);
			if (!entry?.index) {
				continue;
			}
			const now = describe(entry.row, entry.index);
			if ((now.purged !== undefined || now.total === 0) && entry.counted !== claimOf(entry.row)) {
				// The row says more than the jobs that are known: they may have been made after these were read.
				entry.pending = true;
				continue;
			}
			const over = isFinalBatchState(now.state) && !entry.pending;
			if (JSON.stringify(now) !== JSON.stringify(entry.shown)) {
				const before = entry.shown;
				entry.shown = now;
				different.push(id);
				const wasOpen = before.uncounted !== true && !isFinalBatchState(before.state);
				if (over && (wasOpen || entry.news)) {
					ended.push(now);
				}
			}
			entry.news = false;
			if (over) {
				entry.index = undefined;
			}
		}
		return { different, ended };
	}
}

/** What the row of a batch says of its jobs: they were all there before. */
const claimOf = ({ state, njobs }: BatchRow): string => (state === 0 ? 'preparing' : `${njobs} jobs`);

function describe({ id, name, appId, createTime, state, njobs }: BatchRow, index: JobIndex): Batch {
	const { counts, total } = index;
	const purged = state === 0 ? 0 : Math.max(0, njobs - total);
	return {
		id,
		name,
		appId,
		createTime,
		total,
		counts,
		state: batchState(state, counts, purged),
		...(purged > 0 && { purged }),
	};
}

/** One batch with exact counts of its jobs by state, read now; `undefined` when its row is gone. */
export async function countedBatch(db: Queries, id: number): Promise<Batch | undefined> {
	const [row] = await batchRows(db, [id]);
	if (!row) {
		return undefined;
	}
	const store = new BatchStore();
	store.add(row, 'known');
	await store.count(db, id);
	store.publish([id]);
	return store.get(id);
}
