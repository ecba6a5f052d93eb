import { type Database, numberOf, type Row, textOf } from '../../database.js';

/** An instance together with its job, as far as sending needs it. */
export interface Candidate {
	readonly resultId: number;
	readonly resultName: string;
	readonly serverState: number;
	readonly sentTime: number;
	readonly reportDeadline: number;
	readonly workunitId: number;
	readonly wuName: string;
	readonly appId: number;
	readonly batch: number;
	readonly fpopsEst: number;
	readonly fpopsBound: number;
	readonly memoryBound: number;
	readonly diskBound: number;
	readonly delayBound: number;
	readonly errorMask: number;
	readonly canonicalResultId: number;
	readonly appVersionNum: number;
	readonly appVersionId: number;
}

const COLUMNS = `r.id AS rid, r.name AS rname, r.server_state, r.sent_time, r.report_deadline, w.id AS wid, w.name AS wname, w.appid, w.batch,
	w.rsc_fpops_est, w.rsc_fpops_bound, w.rsc_memory_bound, w.rsc_disk_bound, w.delay_bound, w.error_mask, w.canonical_resultid,
	w.app_version_num, w.app_version_id FROM result r JOIN workunit w ON w.id = r.workunitid JOIN app a ON a.id = w.appid`;

/** What the feeder would hold: unsent instances of jobs without errors, highest priority first, then the oldest jobs. */
export async function unsentCandidates(database: Database, limit: number): Promise<Candidate[]> {
	const rows = await database.select(
		`SELECT ${COLUMNS} WHERE r.server_state = 2 AND w.transitioner_flags = 0 AND w.error_mask = 0 AND a.deprecated = 0
			ORDER BY r.priority DESC, r.workunitid, r.id LIMIT ?`,
		[limit],
	);
	return rows.map(candidate);
}

/** Instances that the server believes to be on the host. */
export async function candidatesOnHost(database: Database, hostId: number): Promise<Candidate[]> {
	const rows = await database.select(`SELECT ${COLUMNS} WHERE r.hostid = ? AND r.server_state = 4 ORDER BY r.id`, [hostId]);
	return rows.map(candidate);
}

function candidate(row: Row): Candidate {
	return {
		resultId: numberOf(row, 'rid'),
		resultName: textOf(row, 'rname'),
		serverState: numberOf(row, 'server_state'),
		sentTime: numberOf(row, 'sent_time'),
		reportDeadline: numberOf(row, 'report_deadline'),
		workunitId: numberOf(row, 'wid'),
		wuName: textOf(row, 'wname'),
		appId: numberOf(row, 'appid'),
		batch: numberOf(row, 'batch'),
		fpopsEst: numberOf(row, 'rsc_fpops_est'),
		fpopsBound: numberOf(row, 'rsc_fpops_bound'),
		memoryBound: numberOf(row, 'rsc_memory_bound'),
		diskBound: numberOf(row, 'rsc_disk_bound'),
		delayBound: numberOf(row, 'delay_bound'),
		errorMask: numberOf(row, 'error_mask'),
		canonicalResultId: numberOf(row, 'canonical_resultid'),
		appVersionNum: numberOf(row, 'app_version_num'),
		appVersionId: numberOf(row, 'app_version_id'),
	};
}
