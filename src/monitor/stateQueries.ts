import { CANCELLED } from '../project/errorMask.js';
import { jobState } from './jobState.js';
import { facts, FLAGS, marks, number, type Queries } from './rows.js';
import type { JobState } from './types.js';

/** A run of ids that holds jobs of a batch, and perhaps of others. */
export interface JobSpan {
	readonly batchId: number;
	readonly first: number;
	readonly last: number;
}

/** A job and its state; without an id, `count` jobs that are over. */
export interface StateRow {
	readonly id: number | undefined;
	readonly state: JobState;
	readonly count: number;
}

/** Ids that are read in one statement. Reading by a run of ids is several times as fast as by `batch`. */
const SPAN = 20_000;
/** A batch whose ids are spread wider than this is read by the index on `batch` instead. */
const SPREAD = 8;

/** Runs of ids that cover the jobs of some batches, in the order of `batchIds`. Uses `wu_batch` alone, without the rows. */
export async function jobSpans(db: Queries, batchIds: readonly number[]): Promise<Map<number, JobSpan[]>> {
	const spans = new Map<number, JobSpan[]>(batchIds.map((id) => [id, []]));
	if (batchIds.length === 0) {
		return spans;
	}
	const rows = await db.select(
		`SELECT batch, MIN(id) AS first, MAX(id) AS last, COUNT(*) AS jobs FROM workunit WHERE batch IN (${marks(batchIds)}) GROUP BY batch`,
		batchIds,
	);
	for (const row of rows) {
		const [batchId, first, last] = [number(row, 'batch'), number(row, 'first'), number(row, 'last')];
		const step = Math.max(SPAN, Math.ceil((SPAN * (last - first)) / number(row, 'jobs') / SPREAD));
		const own = spans.get(batchId);
		for (let from = first; own && from <= last; from += step) {
			own.push({ batchId, first: from, last: Math.min(last, from + step - 1) });
		}
	}
	return spans;
}

/** A job that only a person brings back: it is counted, not kept. */
const OVER = `(w.canonical_resultid > 0 AND w.assimilate_state = 2 OR w.canonical_resultid = 0 AND w.error_mask <> 0 AND (NOT (${CANCELLED})
	OR NOT EXISTS (SELECT 1 FROM result o WHERE o.workunitid = w.id AND o.server_state = 4)))`;
const DECISION = 'w.canonical_resultid > 0 AS canonical, w.assimilate_state = 2 AS assimilated, w.error_mask';

/**
 * The states of the jobs in a span, in one statement, so that no job is missed or counted twice. Primary key, then `res_wuid` for jobs
 * that are not over.
 */
export async function spanStates(db: Queries, { batchId, first, last }: JobSpan): Promise<StateRow[]> {
	const span = 'w.id BETWEEN ? AND ? AND w.batch = ?';
	const rows = await db.select(
		`SELECT NULL AS id, ${DECISION}, 0 AS running, 0 AS unjudged, 0 AS unsent, 0 AS lost, COUNT(*) AS n
			FROM workunit w WHERE ${span} AND ${OVER} GROUP BY canonical, assimilated, error_mask
		UNION ALL SELECT w.id, ${DECISION}, ${FLAGS}, 1 AS n
			FROM workunit w LEFT JOIN result r FORCE INDEX (res_wuid) ON r.workunitid = w.id
			WHERE ${span} AND NOT ${OVER} GROUP BY w.id`,
		[first, last, batchId, first, last, batchId],
	);
	return rows.map((row) => ({
		id: row.id === null || row.id === undefined ? undefined : number(row, 'id'),
		state: jobState(facts(row)),
		count: number(row, 'n'),
	}));
}

/** Counts of the jobs in a span when all of them are over, cancelled ones aside; else `undefined`. Reads no instances. */
export async function overStates(db: Queries, { batchId, first, last }: JobSpan): Promise<StateRow[] | undefined> {
	const rows = await db.select(
		`SELECT ${DECISION}, COUNT(*) AS n FROM workunit w WHERE w.id BETWEEN ? AND ? AND w.batch = ?
		GROUP BY canonical, assimilated, error_mask`,
		[first, last, batchId],
	);
	const states = rows.map((row) => ({ id: undefined, state: jobState(facts(row)), count: number(row, 'n') }));
	return states.every(({ state }) => state === 'done' || state === 'failed') ? states : undefined;
}

/** A job, its batch and its state. */
export interface JobNow {
	readonly id: number;
	readonly batchId: number;
	readonly state: JobState;
}

/** More values make MariaDB turn `IN` into a join. */
const AT_ONCE = 900;

/** The states of certain jobs; those that are gone are missing. Primary key, then `res_wuid`. */
export async function statesOf(db: Queries, jobIds: readonly number[]): Promise<JobNow[]> {
	const found: JobNow[] = [];
	for (let from = 0; from < jobIds.length; from += AT_ONCE) {
		const ids = jobIds.slice(from, from + AT_ONCE);
		const rows = await db.select(
			`SELECT w.id, w.batch, ${DECISION}, ${FLAGS} FROM workunit w LEFT JOIN result r FORCE INDEX (res_wuid) ON r.workunitid = w.id
			WHERE w.id IN (${marks(ids)}) GROUP BY w.id`,
			ids,
		);
		found.push(...rows.map((row) => ({ id: number(row, 'id'), batchId: number(row, 'batch'), state: jobState(facts(row)) })));
	}
	return found;
}
