import type { Project } from './project.js';

/** What a retry allows beyond what was allowed before. Absent: as before. */
export interface RaisedBounds {
	/** Bytes of the slot. */
	readonly diskBytes?: number;
	/** Seconds from sending to deadline. */
	readonly delayBoundSeconds?: number;
}

/** Failed, neither cancelled nor with an instance that could not be sent at all: the transitioner would fail these again at once. */
export const RETRYABLE = 'canonical_resultid = 0 AND error_mask <> 0 AND error_mask & 17 = 0';

/** Instances that were not judged because the job had failed are judged after all; without their files they count as failed. */
const REOPEN_RESULTS = `
	UPDATE result r JOIN workunit w ON w.id = r.workunitid
	SET r.validate_state = IF(r.file_delete_state = 0, 0, 2), r.outcome = IF(r.file_delete_state = 0, 1, 6)
	WHERE w.id IN (?) AND w.canonical_resultid = 0 AND w.error_mask <> 0 AND w.error_mask & 17 = 0
		AND r.server_state = 5 AND r.outcome = 1 AND r.validate_state = 3`;

/** The limits count from what has been tried; the transitioner does the rest. */
const REOPEN_JOBS = `
	UPDATE workunit w JOIN (
		SELECT workunitid, COUNT(*) AS total, SUM(outcome IN (3, 6)) AS errors, SUM(outcome = 1) AS successes
		FROM result WHERE workunitid IN (?) GROUP BY workunitid
	) tried ON tried.workunitid = w.id
	SET w.error_mask = 0, w.assimilate_state = 0, w.file_delete_state = 0, w.need_validate = 0, w.transition_time = UNIX_TIMESTAMP(),
		w.max_error_results = GREATEST(w.max_error_results, tried.errors + ? - 1),
		w.max_total_results = GREATEST(w.max_total_results, tried.total + ?),
		w.max_success_results = GREATEST(w.max_success_results, tried.successes + ?),
		w.rsc_disk_bound = GREATEST(w.rsc_disk_bound, ?),
		w.delay_bound = GREATEST(w.delay_bound, ?)
	WHERE w.id IN (?) AND w.canonical_resultid = 0 AND w.error_mask <> 0 AND w.error_mask & 17 = 0`;

/** Takes back the failure of jobs, each with `tries` more instances. Rows that changed meanwhile are left alone. */
export async function reopenJobs(
	project: Pick<Project, 'write'>,
	jobIds: readonly number[],
	tries: number,
	bounds: RaisedBounds,
): Promise<void> {
	await project.write(REOPEN_RESULTS, [jobIds]);
	const { diskBytes = 0, delayBoundSeconds = 0 } = bounds;
	await project.write(REOPEN_JOBS, [jobIds, tries, tries, tries, diskBytes, delayBoundSeconds, jobIds]);
}

/** Sets the priority of jobs and of their instances that wait for a host. */
export async function writePriority(project: Project, jobIds: readonly number[], priority: number): Promise<void> {
	await project.write('UPDATE workunit SET priority = ? WHERE id IN (?)', [priority, jobIds]);
	await project.write('UPDATE result SET priority = ? WHERE workunitid IN (?) AND server_state IN (1, 2)', [priority, jobIds]);
}
