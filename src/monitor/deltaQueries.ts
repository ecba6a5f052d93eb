import { rangesOf } from '../common/ranges.js';
import { marks, number, type Queries, type Row } from './rows.js';

/** What one cheap statement tells of a database. */
export interface Pulse {
	/** The database's clock in UNIX seconds: all times are compared with it, never with this computer's. */
	readonly now: number;
	readonly newestBatch: number;
	readonly newestJob: number;
	readonly newestInstance: number;
	/** When a job or an instance was last changed, in the same clock; `undefined` where the database cannot tell. */
	readonly changed: number | undefined;
}

const TABLES = ['workunit', 'result'] as const;

/**
 * Last changes as MariaDB remembers them for each InnoDB table, which it forgets when it restarts. MySQL answers the same question from a
 * cache that is a day old.
 */
const CHANGED = TABLES.map(
	(table) =>
		`(SELECT IF(VERSION() LIKE '%MariaDB%', UNIX_TIMESTAMP(update_time), NULL) FROM information_schema.tables
			WHERE table_schema = DATABASE() AND table_name = '${table}') AS changed_${table}`,
);

/** Reads no row: the ends of primary keys and what the database knows of its tables. */
export async function readPulse(db: Queries): Promise<Pulse> {
	const [row = {}] = await db.select(
		`SELECT UNIX_TIMESTAMP() AS now, (SELECT MAX(id) FROM batch) AS newest_batch, (SELECT MAX(id) FROM workunit) AS newest_job,
			(SELECT MAX(id) FROM result) AS newest_instance, ${CHANGED.join(', ')}`,
	);
	const changes = TABLES.map((table) => row[`changed_${table}`]);
	return {
		now: number(row, 'now'),
		newestBatch: number(row, 'newest_batch'),
		newestJob: number(row, 'newest_job'),
		newestInstance: number(row, 'newest_instance'),
		changed: changes.every((value) => value !== null && value !== undefined) ? Math.max(...changes.map(Number)) : undefined,
	};
}

/** A row that changed: its job, and a fingerprint by which its next appearance is recognised. */
export interface ChangedRow {
	readonly jobId: number;
	readonly key: string;
}

const JOB = 'id AS job, id, canonical_resultid, error_mask, assimilate_state, priority, UNIX_TIMESTAMP(mod_time) AS m';
const INSTANCE = 'workunitid AS job, id, server_state, outcome, client_state, validate_state, UNIX_TIMESTAMP(mod_time) AS m';

const changed = (kind: 'w' | 'r', rows: readonly Row[]): ChangedRow[] =>
	rows.map((row) => ({ jobId: number(row, 'job'), key: `${kind}:${Object.values(row).map(String).join(':')}` }));

/** Holes in a list of ids up to which reading what is in the hole is cheaper than another run. */
const BRIDGE = 8;
/** Runs that are longer are given as runs: many of them would cost the database more time to plan than to read. */
const LONG_RUN = 50;
/** More values make MariaDB turn `IN` into a join. */
const MOST_VALUES = 900;

/**
 * Rows of certain jobs and their instances that changed since `since` (the database's UNIX seconds). `mod_time` has no index, so the ids
 * carry the query: primary key and `res_wuid`.
 */
export async function changedAmong(
	db: Queries,
	jobIds: readonly number[],
	batchIds: readonly number[],
	since: number,
): Promise<ChangedRow[]> {
	const found: ChangedRow[] = [];
	for (const [sql, values] of conditions(jobIds)) {
		const where = (column: string): string =>
			`(${sql.replaceAll('job', column)}) AND batch IN (${marks(batchIds)}) AND mod_time >= FROM_UNIXTIME(?)`;
		const params = [...values, ...batchIds, since];
		found.push(
			...changed('w', await db.select(`SELECT ${JOB} FROM workunit WHERE ${where('id')}`, params)),
			...changed(
				'r',
				await db.select(`SELECT ${INSTANCE} FROM result FORCE INDEX (res_wuid) WHERE ${where('workunitid')}`, params),
			),
		);
	}
	return found;
}

/** Conditions on the column `job` that together admit these ids and few others. */
function conditions(jobIds: readonly number[]): [sql: string, values: number[]][] {
	const runs = rangesOf(jobIds, BRIDGE);
	const long = runs.filter(([first, last]) => last - first >= LONG_RUN);
	const inLong = new Set(long.map(([first]) => first));
	const single: number[] = [];
	let within: [number, number] | undefined;
	for (const id of jobIds) {
		within = inLong.has(id) ? long.find(([first]) => first === id) : within;
		if (!within || id > within[1]) {
			single.push(id);
		}
	}
	const found: [string, number[]][] = [];
	for (let at = 0; at < long.length; at += LONG_RUN) {
		const part = long.slice(at, at + LONG_RUN);
		found.push([part.map(() => 'job BETWEEN ? AND ?').join(' OR '), part.flat()]);
	}
	for (let at = 0; at < single.length; at += MOST_VALUES) {
		const part = single.slice(at, at + MOST_VALUES);
		found.push([`job IN (${marks(part)})`, part]);
	}
	return found;
}

/** Instances that went to a host since `since`: `res_app_state`, then the rows of what is on hosts now. */
export async function sentSince(
	db: Queries,
	appIds: readonly number[],
	batchIds: readonly number[],
	since: number,
): Promise<ChangedRow[]> {
	return changed(
		'r',
		await db.select(
			`SELECT ${INSTANCE} FROM result FORCE INDEX (res_app_state)
			WHERE appid IN (${marks(appIds)}) AND server_state = 4 AND batch IN (${marks(batchIds)}) AND mod_time >= FROM_UNIXTIME(?)`,
			[...appIds, ...batchIds, since],
		),
	);
}

/** Ids of up to `limit` instances that are on hosts, of whatever batch. Uses `res_app_state` alone, without the rows. */
export async function onHosts(db: Queries, appIds: readonly number[], limit: number): Promise<number[]> {
	const rows = await db.select(
		`SELECT id FROM result FORCE INDEX (res_app_state) WHERE appid IN (${marks(appIds)}) AND server_state = 4 LIMIT ?`,
		[...appIds, limit],
	);
	return rows.map((row) => number(row, 'id'));
}

/** Certain instances, as far as they are of these batches. Primary key. */
export async function instanceRows(db: Queries, ids: readonly number[], batchIds: readonly number[]): Promise<ChangedRow[]> {
	const found: ChangedRow[] = [];
	for (let at = 0; at < ids.length; at += MOST_VALUES) {
		const part = ids.slice(at, at + MOST_VALUES);
		const sql = `SELECT ${INSTANCE} FROM result WHERE id IN (${marks(part)}) AND batch IN (${marks(batchIds)})`;
		found.push(...changed('r', await db.select(sql, [...part, ...batchIds])));
	}
	return found;
}

/** Jobs and instances that were made after these ids. Primary keys. */
export async function madeAfter(
	db: Queries,
	jobId: number,
	instanceId: number,
	batchIds: readonly number[],
): Promise<ChangedRow[]> {
	const where = `id > ? AND batch IN (${marks(batchIds)})`;
	return [
		...changed('w', await db.select(`SELECT ${JOB} FROM workunit WHERE ${where}`, [jobId, ...batchIds])),
		...changed('r', await db.select(`SELECT ${INSTANCE} FROM result WHERE ${where}`, [instanceId, ...batchIds])),
	];
}
