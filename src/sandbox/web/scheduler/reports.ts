import { type Database, numberOf, type Row, textOf } from '../../database.js';
import type { ServerConfig } from '../serverConfig.js';
import type { WebLog } from '../webLog.js';
import type { Account, HostRecord } from './hosts.js';
import { countResult } from './quota.js';
import type { Report } from './request.js';

const OVER = 5;
const UNSENT = 2;
const SUCCESS = 1;
const CLIENT_ERROR = 3;
const NO_REPLY = 4;
const DETACHED = 7;
const FILES_UPLOADED = 5;
const ABORTED_BY_PROJECT = 202;
const BLOB = 65_535;

interface Reporting {
	readonly database: Database;
	readonly config: ServerConfig;
	readonly account: Account;
	readonly host: HostRecord;
	readonly ncpus: number;
	/** Seconds. */
	readonly now: number;
	readonly log: WebLog;
}

/**
 * Stores finished tasks. Returns the names to acknowledge: all of them, also unknown ones, repeated ones and those of
 * other hosts, because a client repeats a report until it is acknowledged.
 */
export async function handleReports(reporting: Reporting, reports: readonly Report[]): Promise<string[]> {
	const acks: string[] = [];
	for (const report of reports) {
		// A name with these words is taken for a file transfer report by the stock scheduler: acknowledged, never recorded.
		if (!/download|upload/.test(report.name)) {
			await handleReport(reporting, report);
		}
		acks.push(report.name);
	}
	return acks;
}

async function handleReport(reporting: Reporting, report: Report): Promise<void> {
	const { database, host, account, now, log } = reporting;
	const [row] = await database.select(
		`SELECT id, workunitid, server_state, outcome, hostid, userid, sent_time, received_time, app_version_id FROM result WHERE name = ?`,
		[report.name],
	);
	const refusal = row ? refuse(row, host, account) : 'not in the database';
	if (!row || refusal !== undefined) {
		log.scheduler(`[HOST#${host.id}] reported result ${report.name} is ignored: ${refusal ?? ''}`);
		return;
	}
	const success = report.clientState === FILES_UPLOADED && report.exitStatus === 0;
	const { cpuTime, elapsedTime } = plausibleTimes(report, now - numberOf(row, 'sent_time'), reporting.ncpus);
	const stderr = success && reporting.config.dontStoreSuccessStderr ? '' : report.stderrOut;
	await database.execute(
		`UPDATE result SET server_state = ?, outcome = ?, validate_state = IF(?, validate_state, 2), client_state = ?, exit_status = ?,
			hostid = ?, teamid = ?, received_time = ?, cpu_time = ?, elapsed_time = ?, app_version_num = ?, stderr_out = ?, xml_doc_out = ?,
			peak_working_set_size = ?, peak_swap_size = ?, peak_disk_usage = ? WHERE id = ?`,
		[
			OVER,
			success ? SUCCESS : CLIENT_ERROR,
			success ? 1 : 0,
			report.clientState,
			report.exitStatus,
			host.id,
			account.teamId,
			now,
			cpuTime,
			elapsedTime,
			report.appVersionNum,
			Buffer.from(stderr, 'utf8').subarray(0, BLOB),
			Buffer.from(report.xmlDocOut, 'utf8').subarray(0, BLOB),
			report.peakWorkingSetSize,
			report.peakSwapSize,
			report.peakDiskUsage,
			numberOf(row, 'id'),
		],
	);
	await database.execute('UPDATE workunit SET transition_time = ? WHERE id = ?', [now, numberOf(row, 'workunitid')]);
	if (report.exitStatus !== ABORTED_BY_PROJECT) {
		await countResult(database, reporting.config, host.id, numberOf(row, 'app_version_id'), success ? 'good' : 'bad');
	}
	log.scheduler(
		`[HOST#${host.id}] [RESULT#${numberOf(row, 'id')} ${report.name}] reported: client_state ${report.clientState} exit_status ${report.exitStatus}`,
	);
}

/** Why a report is not stored; `undefined` when it is. Late reports of tasks given up for lost are welcome. */
function refuse(row: Row, host: HostRecord, account: Account): string | undefined {
	const state = numberOf(row, 'server_state');
	const outcome = numberOf(row, 'outcome');
	if (state === OVER && outcome !== NO_REPLY && outcome !== DETACHED) {
		return `already over with outcome ${textOf(row, 'outcome')}`;
	}
	if (state === UNSENT) {
		return 'it was not sent';
	}
	if (state !== OVER && numberOf(row, 'received_time') > 0) {
		return 'already received';
	}
	if (numberOf(row, 'hostid') !== host.id && numberOf(row, 'userid') !== account.id) {
		return 'it belongs to another host';
	}
	return undefined;
}

/** Clients report impossible times now and then; the stock scheduler bends them the same way. */
function plausibleTimes(report: Report, turnaround: number, ncpus: number): { cpuTime: number; elapsedTime: number } {
	let elapsed = Math.max(0, report.elapsedTime);
	if (elapsed === 0 && report.cpuTime > 0) {
		elapsed = report.cpuTime;
	}
	if (turnaround >= 0) {
		elapsed = Math.min(elapsed, turnaround);
	}
	return { elapsedTime: elapsed, cpuTime: Math.max(0, Math.min(report.cpuTime, elapsed * ncpus)) };
}
