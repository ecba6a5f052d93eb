import { changedAmong, type ChangedRow, instanceRows, madeAfter, onHosts, type Pulse, sentSince } from './deltaQueries.js';
import type { JobIndex } from './jobIndex.js';
import { FINAL_JOB_STATES, JOB_STATES } from './jobState.js';
import type { Queries } from './rows.js';
import type { JobState } from './types.js';

/** A batch that is not over, as far as reading its changes needs it. */
export interface FollowedBatch {
	readonly id: number;
	readonly appId: number;
	readonly index: JobIndex;
}

/** From when on changes are wanted, in the database's UNIX seconds, and which rows were there already. */
export interface Since {
	readonly time: number;
	readonly newestJob: number;
	readonly newestInstance: number;
}

/** Jobs that are looked at in every poll when all of them can be. */
const ALL_AT_ONCE = 4_000;
/** With more jobs than that, the next so many of them are, after those that are most likely to change. */
const CHUNK = 2_000;
const MOST_ACTIVE = 6_000;
/** Seconds that a second look goes back: a statement that writes many rows shows them long after the time it gives them. */
const SECOND_LOOK = 60;
/** Seconds between two second looks. */
const EVERY = 30;

/** Instances on hosts whose ids are compared from poll to poll. */
const MOST_ON_HOSTS = 10_000;

const UNFINISHED = JOB_STATES.filter((state) => !FINAL_JOB_STATES.includes(state));
/** Jobs that are on hosts or about to change. */
const ACTIVE = UNFINISHED.filter((state) => state !== 'queued');
/** Of these, what does not show in which instances are on hosts or have been made. */
const BETWEEN = ACTIVE.filter((state) => state !== 'running' && state !== 'retrying');
/** Seconds in which a job that has changed is likely to change again: somebody decides what comes after a failure. */
const RECENT = 120;

/**
 * Finds the jobs that changed, without looking at those that are over. Up to some thousand jobs are all looked at. Of more, those
 * that are on hosts or being decided are, those that were just sent are found by their state, and the rest, which waits,
 * takes turns: what happens to it otherwise (somebody cancels it) is seen some polls later.
 */
export class ChangeReader {
	/** Rows that were reported, with the time until which they may come again. */
	readonly #seen = new Map<string, number>();
	/** Ids of instances on hosts at the last look; `undefined` when there were too many, or none was needed. */
	#onHosts: ReadonlySet<number> | undefined;
	/** Jobs that changed of late, with the time. */
	readonly #recent = new Map<number, number>();
	#secondLook = 0;
	#cursor = 0;
	#passStarted = 0;
	#passBefore = 0;

	/** The ids of jobs that changed or have an instance that did, each change once. */
	async read(db: Queries, batches: readonly FollowedBatch[], since: Since, pulse: Pulse): Promise<Set<number>> {
		const batchIds = batches.map(({ id }) => id);
		const deep = pulse.now - this.#secondLook >= EVERY;
		const from = deep ? since.time - SECOND_LOOK : since.time;
		const rows: ChangedRow[] = [];
		if (pulse.newestJob > since.newestJob || pulse.newestInstance > since.newestInstance) {
			rows.push(...(await madeAfter(db, since.newestJob, since.newestInstance, batchIds)));
		}
		const unfinished = batches.reduce((sum, { index }) => sum + index.unfinished, 0);
		if (unfinished <= ALL_AT_ONCE) {
			rows.push(...(await changedAmong(db, idsIn(batches, UNFINISHED), batchIds, from)));
		} else {
			rows.push(...(await this.#hosts(db, batches, from)));
			rows.push(...(await this.#nextChunk(db, batches, from, pulse.now)));
		}
		if (unfinished <= ALL_AT_ONCE) {
			this.#onHosts = undefined;
		}
		this.#secondLook = deep ? pulse.now : this.#secondLook;
		return this.#fresh(rows, pulse.now);
	}

	/** What came to hosts and left them, and jobs between hosts. */
	async #hosts(db: Queries, batches: readonly FollowedBatch[], since: number): Promise<ChangedRow[]> {
		const apps = [...new Set(batches.map(({ appId }) => appId))];
		const ids = batches.map(({ id }) => id);
		const before = this.#onHosts;
		const there = await onHosts(db, apps, MOST_ON_HOSTS + 1);
		const now = there.length <= MOST_ON_HOSTS ? new Set(there) : undefined;
		this.#onHosts = now;
		if (before && now) {
			const moved = [...there.filter((id) => !before.has(id)), ...[...before].filter((id) => !now.has(id))];
			return [...(await instanceRows(db, moved, ids)), ...(await changedAmong(db, this.#between(batches), ids, since))];
		}
		const active = idsIn(batches, ACTIVE);
		return [
			...(await sentSince(db, apps, ids, since)),
			...(active.length <= MOST_ACTIVE ? await changedAmong(db, active, ids, since) : []),
		];
	}

	#between(batches: readonly FollowedBatch[]): number[] {
		return [...new Set([...idsIn(batches, BETWEEN), ...this.#recent.keys()])].sort((a, b) => a - b);
	}

	/** The next jobs in turn, with what happened to them since the turn before. */
	async #nextChunk(db: Queries, batches: readonly FollowedBatch[], since: number, now: number): Promise<ChangedRow[]> {
		const ids = idsIn(batches, UNFINISHED).filter((id) => id > this.#cursor);
		const chunk = ids.slice(0, CHUNK);
		const from = Math.min(since, (this.#passBefore || since) - SECOND_LOOK);
		this.#passStarted ||= now;
		const rows = await changedAmong(
			db,
			chunk,
			batches.map(({ id }) => id),
			from,
		);
		this.#cursor = chunk.at(-1) ?? 0;
		if (ids.length <= CHUNK) {
			[this.#cursor, this.#passBefore, this.#passStarted] = [0, this.#passStarted, 0];
		}
		return rows;
	}

	#fresh(rows: readonly ChangedRow[], now: number): Set<number> {
		const fresh = new Set<number>();
		for (const { jobId, key } of rows) {
			if (!this.#seen.has(key)) {
				fresh.add(jobId);
				this.#recent.set(jobId, now);
			}
			this.#seen.set(key, now);
		}
		for (const [key, time] of this.#seen) {
			if (now - time > 10 * SECOND_LOOK || time > now) {
				this.#seen.delete(key);
			}
		}
		for (const [jobId, time] of this.#recent) {
			if (now - time > RECENT || time > now) {
				this.#recent.delete(jobId);
			}
		}
		return fresh;
	}
}

/** Ascending over all batches, so that neighbours are read together. */
function idsIn(batches: readonly FollowedBatch[], states: readonly JobState[]): number[] {
	return batches.flatMap(({ index }) => index.idsIn(states)).sort((a, b) => a - b);
}
