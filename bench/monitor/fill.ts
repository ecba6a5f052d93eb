import { type Database, installSchema } from '../../src/sandbox/database.js';
import { addApp } from './liveProject.js';

/** How large the project is: batch 1 has `large` jobs, batches 2 to `batches` have `small` each; one job in fifty had a second try. */
export interface ProjectSize {
	readonly batches: number;
	readonly large: number;
	readonly small: number;
}

/** 199 × 4,422 + 100,000 = 979,978 jobs, with the second tries 1,000,000 results. */
const WHOLE: ProjectSize = { batches: 200, large: 100_000, small: 4_422 };
const RESULTS = 1_000_000;

/** A project with fewer batches, or with smaller ones in the same proportion; as large as the targets say by default. */
export function projectSize({
	batches = WHOLE.batches,
	jobs = WHOLE.large,
}: Readonly<Partial<Record<'batches' | 'jobs', number>>>): ProjectSize {
	return { batches, large: jobs, small: Math.max(1, Math.round((WHOLE.small * jobs) / WHOLE.large)) };
}

export const jobsIn = ({ batches, large, small }: ProjectSize): number => large + (batches - 1) * small;

const secondTriesIn = (size: ProjectSize): number => Math.round((jobsIn(size) * (RESULTS - jobsIn(WHOLE))) / jobsIn(WHOLE));

export const resultsIn = (size: ProjectSize): number => jobsIn(size) + secondTriesIn(size);

/** Batches that are not over: the large one and the newest. */
export const openBatches = ({ batches }: ProjectSize): number[] => [
	...new Set([1, ...[batches - 2, batches - 1, batches].filter((id) => id > 0)]),
];

/** The share of an open batch that is done, and of its jobs what is on hosts: the rest waits. */
const DONE = 0.6;
const RUNNING = 0.02;

/** Seconds from the submission of a batch to that of the next. */
const PAUSE = 1000;

/**
 * Of the job with the number `seq`, the large batch's first: its batch and its place there; 0 when it is done, 1 on a host, 2 when it
 * waits; when it was sent to a host. Jobs of a batch were sent one after another up to now.
 */
function columnsOf(size: ProjectSize): Readonly<Record<'batch' | 'place' | 'phase' | 'sent', string>> {
	const { batches, large, small } = size;
	const batch = `IF(seq <= ${large}, 1, 2 + (seq - ${large} - 1) DIV ${small})`;
	const place = `IF(seq <= ${large}, seq - 1, (seq - ${large} - 1) MOD ${small})`;
	const jobs = `IF(seq <= ${large}, ${large}, ${small})`;
	// One done job in a hundred of an open batch is a straggler that still runs.
	const phase = `CASE WHEN NOT (${batch} IN (${openBatches(size).join(', ')})) THEN 0
		WHEN ${place} < ${jobs} * ${DONE} THEN IF(${place} MOD 100 = 99, 1, 0)
		WHEN ${place} < ${jobs} * ${DONE + RUNNING} THEN 1 ELSE 2 END`;
	const sent = `(UNIX_TIMESTAMP() - (${PAUSE} * (${batches} - ${batch} + 1) * (1 - ${place} / ${jobs} / ${DONE + RUNNING})) DIV 1)`;
	return { batch, place, phase, sent };
}

/** What a finished instance of a small container reports, in length. */
const STDERR = 300;

/** Fills an empty database with a project of such a size, on the stock indexes. A million results take about two minutes. */
export async function fill(db: Database, size: ProjectSize): Promise<void> {
	const { batch, place, phase, sent } = columnsOf(size);
	const jobs = jobsIn(size);
	// The machine's own defaults are for small sandboxes.
	await db.execute('SET GLOBAL innodb_buffer_pool_size = 2147483648');
	await installSchema(db);
	await db.execute("SET time_zone = '+00:00'");
	await db.execute('SET unique_checks = 0, foreign_key_checks = 0');
	await addApp(db);
	await db.execute(
		`INSERT INTO batch (id, user_id, create_time, logical_start_time, logical_end_time, est_completion_time, njobs, fraction_done,
			nerror_jobs, state, completion_time, credit_estimate, credit_canonical, credit_total, name, app_id, project_state, description, expire_time)
		SELECT seq, 1, UNIX_TIMESTAMP() - ${PAUSE} * (${size.batches} - seq + 1), 0, 0, 0, IF(seq = 1, ${size.large}, ${size.small}), 0, 0, 1, 0, 0, 0, 0,
			CONCAT('sweep ', seq), 1, 0, '', 0 FROM seq_1_to_${size.batches}`,
	);
	await inChunks(jobs, (first, last) =>
		db.execute(
			`INSERT INTO workunit (id, create_time, appid, name, xml_doc, batch, rsc_fpops_est, rsc_fpops_bound, rsc_memory_bound, rsc_disk_bound,
				need_validate, canonical_resultid, canonical_credit, transition_time, delay_bound, error_mask, file_delete_state, assimilate_state,
				hr_class, opaque, min_quorum, target_nresults, max_error_results, max_total_results, max_success_results, result_template_file,
				priority, mod_time, rsc_bandwidth_bound, fileset_id, app_version_id, transitioner_flags, keywords, app_version_num)
			SELECT seq, 1700000000, 1, CONCAT('b2d_', ${batch}, '_', LPAD(${place}, 6, '0')), REPEAT('<file_ref/>', 60), ${batch}, 1, 1, 1, 1,
				0, IF(${phase} = 0 AND seq MOD 200 <> 0, seq, 0), 0, 2147483647, 604800, IF(${phase} = 0 AND seq MOD 200 = 0, 2, 0), 0, IF(${phase} = 0, 2, 0),
				0, 0, 1, 1, 3, 5, 2, 'templates/x', 0, '2024-01-01', 0, 0, 0, 0, '', 0 FROM seq_${first}_to_${last}`,
		),
	);
	const columns = `id, create_time, workunitid, server_state, outcome, client_state, hostid, userid, report_deadline, sent_time, received_time, name,
		cpu_time, xml_doc_in, xml_doc_out, stderr_out, batch, file_delete_state, validate_state, claimed_credit, granted_credit, opaque, random,
		app_version_num, appid, exit_status, teamid, priority, mod_time, elapsed_time, flops_estimate, app_version_id, runtime_outlier,
		peak_working_set_size, peak_swap_size, peak_disk_usage`;
	const runTime = '(300 + (seq * 7919) MOD 1800)';
	const values = (
		id: string,
		job: string,
		state: string,
		outcome: string,
		number: string,
	): string => `${id}, 1700000000, ${job}, ${state}, ${outcome},
		IF(${state} = 5, 5, 0), IF(${state} = 2, 0, 1 + ${job} MOD 500), 1, UNIX_TIMESTAMP() + 600000, IF(${state} = 2, 0, ${sent}), IF(${state} = 5, LEAST(${sent} + ${runTime} + 60, UNIX_TIMESTAMP()), 0),
		CONCAT('b2d_', ${job}, '_', ${number}), 10, REPEAT('<file_ref/>', 40), '', IF(${state} = 5, REPEAT('x', ${STDERR}), ''), ${batch}, 0,
		IF(${state} = 5 AND ${outcome} = 1, 1, 0), 0, 0, 0, 0, 100, 1, IF(${outcome} = 3, 1 + ${job} MOD 5, 0), 0, 0, '2024-01-01', IF(${state} = 5, ${runTime}, 0), 1e9, 1, 0, 0, 0, 0`;
	const state = `(CASE ${phase} WHEN 0 THEN 5 WHEN 1 THEN 4 ELSE 2 END)`;
	await inChunks(jobs, (first, last) =>
		db.execute(
			`INSERT INTO result (${columns}) SELECT ${values('seq', 'seq', state, `IF(${state} = 5, IF(seq MOD 200 = 0, 3, 1), 0)`, '0')} FROM seq_${first}_to_${last}`,
		),
	);
	// Second tries of jobs whose first host failed, spread over the jobs that are done.
	await db.execute(
		`INSERT INTO result (${columns}) SELECT ${values(`${jobs} + n`, 'seq', '5', '3', '1')}
		FROM (SELECT seq AS n, 1 + ((seq - 1) * 47) MOD ${jobs} AS seq FROM seq_1_to_${secondTriesIn(size)}) tries`,
	);
	await db.execute('ANALYZE TABLE workunit, result, batch');
}

const CHUNK = 50_000;

async function inChunks(total: number, insert: (first: number, last: number) => Promise<unknown>): Promise<void> {
	for (let first = 1; first <= total; first += CHUNK) {
		await insert(first, Math.min(total, first + CHUNK - 1));
	}
}
