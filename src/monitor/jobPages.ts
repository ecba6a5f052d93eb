import { CANCELLED, GIVEN_UP, isCalledBack } from '../project/errorMask.js';
import type { JobIndex } from './jobIndex.js';
import { FINAL_JOB_STATES, jobState } from './jobState.js';
import { facts, FLAGS, marks, number, type Queries, type Row, text } from './rows.js';
import type { Job, JobState } from './types.js';

/** Which jobs of a batch, in order of their ids. */
export interface JobPage {
	/** Only jobs with a larger id. */
	readonly after?: number;
	/** Most jobs to return. */
	readonly limit?: number;
	readonly states?: readonly JobState[];
	/** Only jobs that this host has or had an instance of. */
	readonly hostId?: number;
	/** Only jobs with an instance that failed with this code. */
	readonly exitStatus?: number;
	/** Only jobs with one of these names. */
	readonly names?: readonly string[];
	/** Only jobs with this text in their names. */
	readonly containing?: string;
}

const has = (condition: string): string => `EXISTS (SELECT 1 FROM result r WHERE r.workunitid = w.id AND ${condition})`;
const RUNNING = has('r.server_state = 4');
const UNJUDGED = has('r.server_state = 5 AND r.outcome = 1 AND r.validate_state IN (0, 4)');
const LOST = has('r.server_state = 5 AND r.outcome IN (3, 4, 6, 7)');
const UNSENT = has('r.server_state IN (1, 2)');
const OPEN = 'w.canonical_resultid = 0 AND w.error_mask = 0';
const WITHDRAWN = `w.canonical_resultid = 0 AND ${CANCELLED}`;

/** `jobState` as conditions. */
const IN_STATE: Readonly<Record<JobState, string>> = {
	done: 'w.canonical_resultid > 0 AND w.assimilate_state = 2',
	collecting: 'w.canonical_resultid > 0 AND w.assimilate_state <> 2',
	cancelling: `${WITHDRAWN} AND ${RUNNING}`,
	cancelled: `${WITHDRAWN} AND NOT ${RUNNING}`,
	failed: GIVEN_UP,
	running: `${OPEN} AND ${RUNNING}`,
	validating: `${OPEN} AND NOT ${RUNNING} AND ${UNJUDGED}`,
	retrying: `${OPEN} AND NOT ${RUNNING} AND NOT ${UNJUDGED} AND ${LOST}`,
	queued: `${OPEN} AND NOT ${RUNNING} AND NOT ${UNJUDGED} AND NOT ${LOST} AND ${UNSENT}`,
	created: `${OPEN} AND NOT ${RUNNING} AND NOT ${UNJUDGED} AND NOT ${LOST} AND NOT ${UNSENT}`,
};

/** Instances that failed by themselves, not because somebody ended them. */
const FAILED_ITSELF = `r.server_state = 5 AND (r.outcome = 6 OR r.outcome = 3 AND r.exit_status NOT IN (-233, -221, -197, 200, 202, 203))`;

const COLUMNS = `w.id, w.batch, w.name, w.create_time, w.canonical_resultid, w.error_mask,
	w.canonical_resultid > 0 AS canonical, w.assimilate_state = 2 AS assimilated`;

/**
 * A page of a batch's jobs: keyset paging over `wu_batch`, then `res_wuid`. With the batch's index, jobs in a state that few are in are
 * found without looking at the others.
 */
export async function jobPage(db: Queries, batchId: number, page: JobPage = {}, index?: JobIndex): Promise<Job[]> {
	const { after = 0, limit = 200 } = page;
	const known = index && knownIds(index, page);
	if (known?.length === 0) {
		return [];
	}
	const conditions = ['w.batch = ?', 'w.id > ?'];
	const params: unknown[] = [batchId, after];
	for (const [condition, ...values] of filters(batchId, page)) {
		conditions.push(condition);
		params.push(...values);
	}
	if (known) {
		conditions.push(`w.id IN (${marks(known)})`);
		params.push(...known);
	}
	const byBatch = known || page.names || page.hostId !== undefined ? '' : 'FORCE INDEX (wu_batch)';
	const rows = await db.select(
		`SELECT w.*, ${FLAGS}, MAX(IF(${FAILED_ITSELF}, r.exit_status, NULL)) AS failed_before FROM (
			SELECT ${COLUMNS} FROM workunit w ${byBatch} WHERE ${conditions.join(' AND ')} ORDER BY w.id LIMIT ?
		) w LEFT JOIN result r ON r.workunitid = w.id
		GROUP BY w.id, w.batch, w.name, w.create_time, w.canonical_resultid, w.error_mask, w.canonical, w.assimilated ORDER BY w.id`,
		[...params, limit],
	);
	return rows.map(toJob);
}

function toJob(row: Row): Job {
	const known = facts(row);
	const state = jobState(known);
	const isCancelled = state === 'cancelled' || state === 'cancelling';
	return {
		id: number(row, 'id'),
		batchId: number(row, 'batch'),
		name: text(row, 'name'),
		state,
		createTime: number(row, 'create_time'),
		errorMask: number(row, 'error_mask'),
		canonicalInstanceId: number(row, 'canonical_resultid'),
		...(state === 'failed' && (known.running || known.unsent) && !isCalledBack(known.errorMask) && { alive: true }),
		...(isCancelled && row.failed_before !== null && { failedBefore: number(row, 'failed_before') }),
	};
}

/** The ids on the page, where the index alone decides. */
function knownIds(index: JobIndex, page: JobPage): number[] | undefined {
	const { states, after = 0, limit = 200 } = page;
	const alone = page.hostId === undefined && page.exitStatus === undefined;
	if (!states || !alone || page.names || page.containing !== undefined || states.some((one) => FINAL_JOB_STATES.includes(one))) {
		return undefined;
	}
	return index.idsIn(states, after, limit);
}

function filters(batchId: number, page: JobPage): [condition: string, ...values: unknown[]][] {
	const { states, hostId, exitStatus, names, containing } = page;
	const found: [string, ...unknown[]][] = [];
	if (states) {
		found.push([`(${states.map((state) => IN_STATE[state]).join(' OR ') || 'FALSE'})`]);
	}
	if (hostId !== undefined) {
		found.push(['w.id IN (SELECT workunitid FROM result WHERE hostid = ? AND batch = ?)', hostId, batchId]);
	}
	if (exitStatus !== undefined) {
		found.push([
			`w.id IN (SELECT workunitid FROM result WHERE batch = ? AND ${FAILED} AND exit_status = ?)`,
			batchId,
			exitStatus,
		]);
	}
	if (names) {
		found.push([names.length === 0 ? 'FALSE' : `w.name IN (${marks(names)})`, ...names]);
	}
	if (containing !== undefined && containing !== '') {
		found.push(['LOCATE(?, w.name) > 0', containing]);
	}
	return found;
}

const FAILED = 'server_state = 5 AND outcome = 3';

/** What jobs can be put together by, besides their state. */
export type JobGrouping = 'host' | 'exitCode';

/** Jobs of a batch that have something in common. A job with several instances can be in several groups. */
export interface JobGroup {
	/** Id of the host, or exit code. */
	readonly value: number;
	readonly jobs: number;
}

const GROUPED: Readonly<Record<JobGrouping, readonly [column: string, condition: string]>> = {
	host: ['hostid', 'hostid > 0'],
	exitCode: ['exit_status', FAILED],
};

/** Groups of a batch's jobs, the largest first. Reads the batch's instances over `res_batch`: not for polling. */
export async function groupJobs(db: Queries, batchId: number, by: JobGrouping): Promise<JobGroup[]> {
	const [column, condition] = GROUPED[by];
	const rows = await db.select(
		`SELECT ${column} AS value, COUNT(DISTINCT workunitid) AS jobs FROM result FORCE INDEX (res_batch)
		WHERE batch = ? AND ${condition} GROUP BY ${column} ORDER BY jobs DESC, value`,
		[batchId],
	);
	return rows.map((row) => ({ value: number(row, 'value'), jobs: number(row, 'jobs') }));
}
