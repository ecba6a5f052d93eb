import { type Database, installSchema } from '../../src/sandbox/database.js';
import { addApp } from './liveProject.js';

/** How large the project is: batches 2 to `BATCHES` have `SMALL` jobs each, batch 1 has `LARGE`; one job in fifty had a second try. */
export const BATCHES = 200;
export const LARGE = 100_000;
/** 199 × 4,422 + 100,000 = 979,978 jobs, with the second tries 1,000,000 results. */
export const RESULTS = 1_000_000;
const SMALL = 4_422;
const JOBS = LARGE + (BATCHES - 1) * SMALL;
/** The newest batches that are not over. */
export const OPEN = [1, 198, 199, 200];

/** The share of an open batch that is done, and of the large one what is on hosts: the rest waits. */
const DONE = 0.6;
const RUNNING = 2_000;
const SECOND_TRIES = RESULTS - JOBS;

/** Batch of the job with the number `seq`: the large one first. */
const BATCH = `IF(seq <= ${LARGE}, 1, 2 + (seq - ${LARGE} - 1) DIV ${SMALL})`;
/** Place of the job in its batch, from 0. */
const PLACE = `IF(seq <= ${LARGE}, seq - 1, (seq - ${LARGE} - 1) MOD ${SMALL})`;
const SIZE = `IF(seq <= ${LARGE}, ${LARGE}, ${SMALL})`;
const IS_OPEN = `${BATCH} IN (${OPEN.join(', ')})`;
/** 0 done, 1 on a host, 2 waiting. One done job in a hundred of an open batch is a straggler that still runs. */
const PHASE = `CASE WHEN NOT (${IS_OPEN}) THEN 0 WHEN ${PLACE} < ${SIZE} * ${DONE} THEN IF(${PLACE} MOD 100 = 99, 1, 0)
	WHEN ${PLACE} < ${SIZE} * ${DONE} + ${RUNNING} * ${SIZE} / ${LARGE} THEN 1 ELSE 2 END`;

/** What a finished instance of a small container reports, in length. */
const STDERR = 300;

/** Fills an empty database with a project of a million results, on the stock indexes. Takes about two minutes. */
export async function fill(db: Database): Promise<void> {
	// The machine's own defaults are for small sandboxes.
	await db.execute('SET GLOBAL innodb_buffer_pool_size = 2147483648');
	await installSchema(db);
	await db.execute("SET time_zone = '+00:00'");
	await db.execute('SET unique_checks = 0, foreign_key_checks = 0');
	await addApp(db);
	await db.execute(
		`INSERT INTO batch (id, user_id, create_time, logical_start_time, logical_end_time, est_completion_time, njobs, fraction_done,
			nerror_jobs, state, completion_time, credit_estimate, credit_canonical, credit_total, name, app_id, project_state, description, expire_time)
		SELECT seq, 1, UNIX_TIMESTAMP() - 1000 * (${BATCHES} - seq), 0, 0, 0, IF(seq = 1, ${LARGE}, ${SMALL}), 0, 0, 1, 0, 0, 0, 0,
			CONCAT('sweep ', seq), 1, 0, '', 0 FROM seq_1_to_${BATCHES}`,
	);
	await inChunks(JOBS, (first, last) =>
		db.execute(
			`INSERT INTO workunit (id, create_time, appid, name, xml_doc, batch, rsc_fpops_est, rsc_fpops_bound, rsc_memory_bound, rsc_disk_bound,
				need_validate, canonical_resultid, canonical_credit, transition_time, delay_bound, error_mask, file_delete_state, assimilate_state,
				hr_class, opaque, min_quorum, target_nresults, max_error_results, max_total_results, max_success_results, result_template_file,
				priority, mod_time, rsc_bandwidth_bound, fileset_id, app_version_id, transitioner_flags, keywords, app_version_num)
			SELECT seq, 1700000000, 1, CONCAT('b2d_', ${BATCH}, '_', LPAD(${PLACE}, 6, '0')), REPEAT('<file_ref/>', 60), ${BATCH}, 1, 1, 1, 1,
				0, IF(${PHASE} = 0 AND seq MOD 200 <> 0, seq, 0), 0, 2147483647, 604800, IF(${PHASE} = 0 AND seq MOD 200 = 0, 2, 0), 0, IF(${PHASE} = 0, 2, 0),
				0, 0, 1, 1, 3, 5, 2, 'templates/x', 0, '2024-01-01', 0, 0, 0, 0, '', 0 FROM seq_${first}_to_${last}`,
		),
	);
	const columns = `id, create_time, workunitid, server_state, outcome, client_state, hostid, userid, report_deadline, sent_time, received_time, name,
		cpu_time, xml_doc_in, xml_doc_out, stderr_out, batch, file_delete_state, validate_state, claimed_credit, granted_credit, opaque, random,
		app_version_num, appid, exit_status, teamid, priority, mod_time, elapsed_time, flops_estimate, app_version_id, runtime_outlier,
		peak_working_set_size, peak_swap_size, peak_disk_usage`;
	const values = (
		id: string,
		job: string,
		state: string,
		outcome: string,
		number: string,
	): string => `${id}, 1700000000, ${job}, ${state}, ${outcome},
		IF(${state} = 5, 5, 0), IF(${state} = 2, 0, 1 + ${job} MOD 500), 1, UNIX_TIMESTAMP() + 600000, IF(${state} = 2, 0, 1700000100), IF(${state} = 5, 1700000900, 0),
		CONCAT('b2d_', ${job}, '_', ${number}), 10, REPEAT('<file_ref/>', 40), '', IF(${state} = 5, REPEAT('x', ${STDERR}), ''), ${BATCH}, 0,
		IF(${state} = 5 AND ${outcome} = 1, 1, 0), 0, 0, 0, 0, 100, 1, IF(${outcome} = 3, 1 + ${job} MOD 5, 0), 0, 0, '2024-01-01', 600, 1e9, 1, 0, 0, 0, 0`;
	const state = `(CASE ${PHASE} WHEN 0 THEN 5 WHEN 1 THEN 4 ELSE 2 END)`;
	await inChunks(JOBS, (first, last) =>
		db.execute(
			`INSERT INTO result (${columns}) SELECT ${values('seq', 'seq', state, `IF(${state} = 5, IF(seq MOD 200 = 0, 3, 1), 0)`, '0')} FROM seq_${first}_to_${last}`,
		),
	);
	// Second tries of jobs whose first host failed, spread over the jobs that are done.
	await db.execute(
		`INSERT INTO result (${columns}) SELECT ${values(`${JOBS} + n`, 'seq', '5', '3', '1')}
		FROM (SELECT seq AS n, 1 + ((seq - 1) * 47) MOD ${JOBS} AS seq FROM seq_1_to_${SECOND_TRIES}) tries`,
	);
	await db.execute('ANALYZE TABLE workunit, result, batch');
}

const CHUNK = 50_000;

async function inChunks(total: number, insert: (first: number, last: number) => Promise<unknown>): Promise<void> {
	for (let first = 1; first <= total; first += CHUNK) {
		await insert(first, Math.min(total, first + CHUNK - 1));
	}
}
