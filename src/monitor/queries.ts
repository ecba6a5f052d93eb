import { describeInstance } from './instanceState.js';
import { marks, number, type Queries, type Row, text } from './rows.js';
import type { Instance } from './types.js';

export type { Queries } from './rows.js';

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
	/** Jobs that were submitted; 0 until all were. */
	readonly njobs: number;
}

const toBatchRow = (row: Row): BatchRow => ({
	id: number(row, 'id'),
	name: text(row, 'name'),
	appId: number(row, 'app_id'),
	state: number(row, 'state'),
	createTime: number(row, 'create_time'),
	njobs: number(row, 'njobs'),
});

const BATCH_COLUMNS = 'id, name, app_id, state, create_time, njobs';

/** The newest `limit` batches with an id above `after`, newest first. Primary key only. */
export async function newestBatches(db: Queries, after: number, limit: number): Promise<BatchRow[]> {
	const rows = await db.select(`SELECT ${BATCH_COLUMNS} FROM batch WHERE id > ? ORDER BY id DESC LIMIT ?`, [after, limit]);
	return rows.map(toBatchRow);
}

/** The rows of certain batches; those that are gone are missing. */
export async function batchRows(db: Queries, ids: readonly number[]): Promise<BatchRow[]> {
	if (ids.length === 0) {
		return [];
	}
	return (await db.select(`SELECT ${BATCH_COLUMNS} FROM batch WHERE id IN (${marks(ids)})`, ids)).map(toBatchRow);
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
