import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

import type { Database, DatabaseSettings } from '../../src/sandbox/database.js';

export { installSchema, openDatabase } from '../../src/sandbox/database.js';
export { startMariadb } from '../../src/sandbox/mariadb.js';

/** The folder of a project that consists of a database. Returns its address for *Add Server*. */
export async function makeProject(root: string, { port, user, password, database }: DatabaseSettings): Promise<string> {
	await mkdir(root, { recursive: true });
	await writeFile(
		path.join(root, 'config.xml'),
		`<boinc><config>
			<long_name>Sweeps</long_name><master_url>http://127.0.0.1/sweeps/</master_url>
			<download_url>http://127.0.0.1/sweeps/download</download_url><upload_url>http://127.0.0.1/sweeps_cgi/file_upload_handler</upload_url>
			<download_dir>${root}/download</download_dir><upload_dir>${root}/upload</upload_dir><uldl_dir_fanout>1024</uldl_dir_fanout>
			<db_host>127.0.0.1:${port}</db_host><db_name>${database}</db_name><db_user>${user}</db_user><db_passwd>${password}</db_passwd>
		</config></boinc>\n`,
	);
	return `local:${root}`;
}

export async function addApp(db: Database): Promise<void> {
	await db.execute(
		`INSERT INTO app (create_time, name, min_version, deprecated, user_friendly_name, homogeneous_redundancy, weight, beta,
			target_nresults, min_avg_pfc, host_scale_check, homogeneous_app_version, non_cpu_intensive, locality_scheduling,
			n_size_classes, fraction_done_exact)
		VALUES (0, 'boinc2docker', 0, 0, 'Containers', 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0)`,
	);
}

/** Adds a batch of `jobs` jobs that wait for hosts, one instance each. Returns the id of the batch and of its first job. */
export async function addBatch(db: Database, name: string, jobs: number): Promise<{ batch: number; firstJob: number }> {
	const { insertId: batch } = await db.execute(
		`INSERT INTO batch (user_id, create_time, logical_start_time, logical_end_time, est_completion_time, njobs, fraction_done, nerror_jobs,
			state, completion_time, credit_estimate, credit_canonical, credit_total, name, app_id, project_state, description, expire_time)
		VALUES (1, UNIX_TIMESTAMP(), 0, 0, 0, ?, 0, 0, 1, 0, 0, 0, 0, ?, 1, 0, '', 0)`,
		[jobs, name],
	);
	const [row] = await db.select('SELECT COALESCE(MAX(id), 0) + 1 AS next FROM workunit');
	const firstJob = Number(row?.next);
	await db.execute(
		`INSERT INTO workunit (id, create_time, appid, name, xml_doc, batch, rsc_fpops_est, rsc_fpops_bound, rsc_memory_bound, rsc_disk_bound,
			need_validate, canonical_resultid, canonical_credit, transition_time, delay_bound, error_mask, file_delete_state, assimilate_state,
			hr_class, opaque, min_quorum, target_nresults, max_error_results, max_total_results, max_success_results, result_template_file,
			priority, rsc_bandwidth_bound, fileset_id, app_version_id, transitioner_flags, keywords, app_version_num)
		SELECT ? + seq, UNIX_TIMESTAMP(), 1, CONCAT('b2d_', ?, '_', LPAD(seq, 6, '0')), '', ?, 1, 1, 1, 1, 0, 0, 0, 2147483647, 604800, 0, 0, 0,
			0, 0, 1, 1, 3, 5, 2, 'templates/x', 0, 0, 0, 0, 0, '', 0 FROM seq_0_to_999999 WHERE seq < ?`,
		[firstJob, batch, batch, jobs],
	);
	await db.execute(
		`INSERT INTO result (create_time, workunitid, server_state, outcome, client_state, hostid, userid, report_deadline, sent_time, received_time,
			name, cpu_time, xml_doc_in, xml_doc_out, stderr_out, batch, file_delete_state, validate_state, claimed_credit, granted_credit, opaque,
			random, app_version_num, appid, exit_status, teamid, priority, elapsed_time, flops_estimate, app_version_id, runtime_outlier,
			peak_working_set_size, peak_swap_size, peak_disk_usage)
		SELECT create_time, id, 2, 0, 0, 0, 0, 0, 0, 0, CONCAT(name, '_0'), 0, '', '', '', batch, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
		FROM workunit WHERE batch = ?`,
		[batch],
	);
	return { batch, firstJob };
}

/** What can happen to jobs, for jobs `first` to `last`. */
export type Fate = 'sent' | 'done' | 'failed';

/** Lets it happen, in the order of BOINC's daemons: instances, then jobs. */
export async function happen(db: Database, fate: Fate, first: number, last: number): Promise<void> {
	if (fate === 'sent') {
		await db.execute(
			`UPDATE result SET server_state = 4, hostid = 1 + workunitid MOD 7, sent_time = UNIX_TIMESTAMP(), report_deadline = UNIX_TIMESTAMP() + 86400
			WHERE workunitid BETWEEN ? AND ? AND server_state = 2`,
			[first, last],
		);
		return;
	}
	const good = fate === 'done';
	await db.execute(
		`UPDATE result SET server_state = 5, outcome = ?, validate_state = ?, client_state = ?, exit_status = ?, received_time = UNIX_TIMESTAMP(),
			hostid = 1 + workunitid MOD 7 WHERE workunitid BETWEEN ? AND ?`,
		[good ? 1 : 3, good ? 1 : 2, good ? 5 : 3, good ? 0 : 1, first, last],
	);
	await db.execute('UPDATE workunit SET canonical_resultid = ?, error_mask = ?, assimilate_state = 2 WHERE id BETWEEN ? AND ?', [
		good ? 1 : 0,
		good ? 0 : 2,
		first,
		last,
	]);
}
