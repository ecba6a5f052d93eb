import { describeInstance } from './instanceState.js';
import { batchState, emptyCounts, type JobFacts, jobState } from './jobState.js';
import type { Batch, Instance, Job } from './types.js';

/** Reads with parameters; `ProjectDatabase` is one. */
export interface Queries {
	select(sql: string, params?: readonly unknown[]): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

type Row = Readonly<Record<string, unknown>>;

const number = (row: Row, column: string): number => {
	const value = row[column];
	return value === null || value === undefined ? 0 : Number(value);
};

const text = (row: Row, column: string): string => {
	const value = row[column];
	if (typeof value === 'string') {
		return value;
	}
	return value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : '';
};

const marks = (values: readonly unknown[]): string => values.map(() => '?').join(', ');

/**
 * Per job: does it have instances of certain kinds? Uses `res_batch`; `database.md` §7 names the order of the states.
 */
const FLAGS = `
	MAX(r.server_state = 4) AS running,
	MAX(r.server_state = 5 AND r.outcome = 1 AND r.validate_state IN (0, 4)) AS unjudged,
	MAX(r.server_state IN (1, 2)) AS unsent,
	MAX(r.server_state = 5 AND r.outcome IN (3, 4, 6, 7)) AS lost`;

function facts(row: Row): JobFacts {
	return {
		canonical: number(row, 'canonical') > 0,
		assimilated: number(row, 'assimilated') > 0,
		errorMask: number(row, 'error_mask'),
		running: number(row, 'running') > 0,
		unjudged: number(row, 'unjudged') > 0,
		unsent: number(row, 'unsent') > 0,
		lost: number(row, 'lost') > 0,
	};
}

/** The database's clock in UNIX seconds: all times are compared with it, never with this computer's. */
export async function serverTime(db: Queries): Promise<number> {
	const [row] = await db.select('SELECT UNIX_TIMESTAMP() AS now');
	return row ? number(row, 'now') : 0;
}

export interface BatchRow {
	readonly id: number;
	readonly name: string;
	readonly appId: number;
	readonly state: number;
	readonly createTime: number;
}

const toBatchRow = (row: Row): BatchRow => ({
	id: number(row, 'id'),
	name: text(row, 'name'),
	appId: number(row, 'app_id'),
	state: number(row, 'state'),
	createTime: number(row, 'create_time'),
});

/** The newest `limit` batches with an id above `after`, newest first. Primary key only. */
export async function newestBatches(db: Queries, after: number, limit: number): Promise<BatchRow[]> {
	const rows = await db.select('SELECT id, name, app_id, state, create_time FROM batch WHERE id > ? ORDER BY id DESC LIMIT ?', [
		after,
		limit,
	]);
	return rows.map(toBatchRow);
}

/** The rows of certain batches; those that are gone are missing. */
export async function batchRows(db: Queries, ids: readonly number[]): Promise<BatchRow[]> {
	if (ids.length === 0) {
		return [];
	}
	return (await db.select(`SELECT id, name, app_id, state, create_time FROM batch WHERE id IN (${marks(ids)})`, ids)).map(
		toBatchRow,
	);
}

/** Batches with exact counts of their jobs by state. One pass over the jobs and instances of these batches. */
export async function countedBatches(db: Queries, batches: readonly BatchRow[]): Promise<Batch[]> {
	if (batches.length === 0) {
		return [];
	}
	const ids = batches.map(({ id }) => id);
	const rows = await db.select(
		`SELECT batch, canonical, assimilated, error_mask, running, unjudged, unsent, lost, COUNT(*) AS n FROM (
			SELECT w.batch, w.canonical_resultid > 0 AS canonical, w.assimilate_state = 2 AS assimilated, w.error_mask, i.running, i.unjudged, i.unsent, i.lost
			FROM workunit w LEFT JOIN (
				SELECT r.workunitid, ${FLAGS} FROM result r WHERE r.batch IN (${marks(ids)}) GROUP BY r.workunitid
			) i ON i.workunitid = w.id
			WHERE w.batch IN (${marks(ids)})
		) jobs GROUP BY batch, canonical, assimilated, error_mask, running, unjudged, unsent, lost`,
		[...ids, ...ids],
	);
	const counts = new Map(ids.map((id) => [id, emptyCounts()]));
	for (const row of rows) {
		const own = counts.get(number(row, 'batch'));
		if (own) {
			own[jobState(facts(row))] += number(row, 'n');
		}
	}
	return batches.map(({ id, name, appId, state, createTime }) => {
		const own = counts.get(id) ?? emptyCounts();
		const total = Object.values(own).reduce((sum, n) => sum + n, 0);
		return { id, name, appId, createTime, total, counts: own, state: batchState(state, own) };
	});
}

export interface JobPage {
	/** Only jobs with a larger id. */
	readonly after?: number;
	/** Most jobs to return. */
	readonly limit?: number;
}

const JOB_COLUMNS = `w.id, w.batch, w.name, w.create_time, w.canonical_resultid, w.error_mask,
	w.canonical_resultid > 0 AS canonical, w.assimilate_state = 2 AS assimilated`;

/** A page of a batch's jobs in order of their ids (keyset paging over `wu_batch`, then `res_wuid`). */
export async function jobPage(db: Queries, batchId: number, { after = 0, limit = 200 }: JobPage = {}): Promise<Job[]> {
	const rows = await db.select(
		`SELECT w.*, ${FLAGS} FROM (
			SELECT ${JOB_COLUMNS} FROM workunit w WHERE w.batch = ? AND w.id > ? ORDER BY w.id LIMIT ?
		) w LEFT JOIN result r ON r.workunitid = w.id
		GROUP BY w.id, w.batch, w.name, w.create_time, w.canonical_resultid, w.error_mask, w.canonical, w.assimilated ORDER BY w.id`,
		[batchId, after, limit],
	);
	return rows.map((row) => ({
		id: number(row, 'id'),
		batchId: number(row, 'batch'),
		name: text(row, 'name'),
		state: jobState(facts(row)),
		createTime: number(row, 'create_time'),
		errorMask: number(row, 'error_mask'),
		canonicalInstanceId: number(row, 'canonical_resultid'),
	}));
}

/** The instances of some jobs, in order of their ids. Uses `res_wuid`; no blobs. */
export async function instancesOf(db: Queries, jobIds: readonly number[]): Promise<Instance[]> {
	if (jobIds.length === 0) {
		return [];
	}
	const rows = await db.select(
		`SELECT r.id, r.workunitid, r.name, r.server_state, r.outcome, r.client_state, r.validate_state, r.exit_status, r.hostid,
			r.sent_time, r.report_deadline, r.received_time, r.elapsed_time, r.cpu_time, r.app_version_id,
			av.version_num, av.plan_class, p.name AS platform, UNIX_TIMESTAMP() AS now
		FROM result r LEFT JOIN app_version av ON av.id = r.app_version_id LEFT JOIN platform p ON p.id = av.platformid
		WHERE r.workunitid IN (${marks(jobIds)}) ORDER BY r.workunitid, r.id`,
		jobIds,
	);
	return rows.map(toInstance);
}

function toInstance(row: Row): Instance {
	const columns = {
		server_state: number(row, 'server_state'),
		outcome: number(row, 'outcome'),
		client_state: number(row, 'client_state'),
		validate_state: number(row, 'validate_state'),
		exit_status: number(row, 'exit_status'),
		hostid: number(row, 'hostid'),
		report_deadline: number(row, 'report_deadline'),
	};
	const version = number(row, 'version_num');
	return {
		id: number(row, 'id'),
		jobId: number(row, 'workunitid'),
		name: text(row, 'name'),
		...describeInstance(columns, number(row, 'now')),
		hostId: columns.hostid,
		exitStatus: columns.exit_status,
		sentTime: number(row, 'sent_time'),
		deadline: columns.report_deadline,
		receivedTime: number(row, 'received_time'),
		elapsedTime: number(row, 'elapsed_time'),
		cpuTime: number(row, 'cpu_time'),
		appVersion: version === 0 ? '' : `${(version / 100).toFixed(2)} (${text(row, 'plan_class')}) on ${text(row, 'platform')}`,
	};
}

/** What changed since `since` (the database's UNIX seconds, already with an overlap) in these batches. */
export interface Changes {
	readonly batchIds: readonly number[];
	readonly jobIds: readonly number[];
	readonly instanceIds: readonly number[];
	/** A fingerprint of each changed row, so that the overlap's repeats are recognised. */
	readonly keys: ReadonlySet<string>;
}

/** Changed rows of watched batches. `mod_time` has no index, so the condition on `batch` carries the query. */
export async function changesSince(db: Queries, batchIds: readonly number[], since: number): Promise<Changes> {
	const jobs = await db.select(
		`SELECT id, batch, canonical_resultid, error_mask, assimilate_state FROM workunit
		WHERE batch IN (${marks(batchIds)}) AND mod_time >= FROM_UNIXTIME(?)`,
		[...batchIds, since],
	);
	const instances = await db.select(
		`SELECT id, batch, workunitid, server_state, outcome, client_state, validate_state FROM result
		WHERE batch IN (${marks(batchIds)}) AND mod_time >= FROM_UNIXTIME(?)`,
		[...batchIds, since],
	);
	const key = (kind: string, row: Row): string => `${kind}:${Object.values(row).map(String).join(':')}`;
	return {
		batchIds: [...new Set([...jobs, ...instances].map((row) => number(row, 'batch')))],
		jobIds: [...new Set([...jobs.map((row) => number(row, 'id')), ...instances.map((row) => number(row, 'workunitid'))])],
		instanceIds: instances.map((row) => number(row, 'id')),
		keys: new Set([...jobs.map((row) => key('w', row)), ...instances.map((row) => key('r', row))]),
	};
}
