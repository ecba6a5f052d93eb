import { BoincError } from '../common/errors.js';
import { ERROR_BIT, GIVEN_UP } from './errorMask.js';
import { hierarchyPath } from './hierarchy.js';
import type { Project } from './project.js';

/** What a retry allows beyond what was allowed before. Absent: as before. */
export interface RaisedBounds {
	/** Bytes of the slot. */
	readonly diskBytes?: number;
	/** Seconds from sending to deadline. */
	readonly delayBoundSeconds?: number;
}

/** Failed, neither cancelled nor with an instance that could not be sent at all: the transitioner would fail these again at once. */
export const RETRYABLE = `${GIVEN_UP} AND error_mask & ${ERROR_BIT.couldntSend} = 0`;

/** Instances that were not judged because the job had failed are judged after all; without their files they count as failed. */
const REOPEN_RESULTS = `
	UPDATE result r JOIN workunit w ON w.id = r.workunitid
	SET r.validate_state = IF(r.file_delete_state = 0, 0, 2), r.outcome = IF(r.file_delete_state = 0, 1, 6)
	WHERE w.id IN (?) AND ${RETRYABLE}
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
	WHERE w.id IN (?) AND ${RETRYABLE}`;

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

/** Before the instances of failed jobs are called back: the jobs stay failed ones under the bit for it (see `errorMask.ts`). */
export async function markGivenUp(project: Pick<Project, 'write'>, jobIds: readonly number[]): Promise<void> {
	await project.write(
		`UPDATE workunit SET error_mask = error_mask | ${ERROR_BIT.noCanonicalResult} WHERE id IN (?) AND ${GIVEN_UP}`,
		[jobIds],
	);
}

/** A staged file as the description of a job names it. */
export interface NamedFile {
	readonly name: string;
	readonly md5: string;
	readonly size: number;
}

/**
 * Puts a staged file in the place of another in the descriptions of jobs, which clients get with instances that are sent from now on. The
 * jobs have to name the old one. Rejects with `job-invalid` when none does.
 */
export async function replaceInput(project: Project, jobIds: readonly number[], old: string, file: NamedFile): Promise<void> {
	const database = await project.database();
	const [row] = await database.select<{ xml_doc: Buffer }>(
		'SELECT xml_doc FROM workunit WHERE id IN (?) AND LOCATE(?, xml_doc) > 0 LIMIT 1',
		[jobIds, `<name>${old}</name>`],
	);
	const infos = row?.xml_doc.toString('utf8').match(/<file_info>[^]*?<\/file_info>/g) ?? [];
	const before = infos.find((info) => info.includes(`<name>${old}</name>`));
	if (before === undefined) {
		throw new BoincError('job-invalid', `The jobs do not name the file ${old}.`, { remedy: 'Submit them again.' });
	}
	const { uldlDirFanout: fanout } = project.config;
	const after = before
		.replaceAll(hierarchyPath(old, fanout), hierarchyPath(file.name, fanout))
		.replaceAll(old, file.name)
		.replace(/<md5_cksum>[^<]*</, `<md5_cksum>${file.md5}<`)
		.replace(/<nbytes>[^<]*</, `<nbytes>${String(file.size)}<`);
	const element = (name: string): string => `<file_name>${name}</file_name>`;
	await project.write('UPDATE workunit SET xml_doc = REPLACE(REPLACE(xml_doc, ?, ?), ?, ?) WHERE id IN (?)', [
		before,
		after,
		element(old),
		element(file.name),
		jobIds,
	]);
}

/** Raises what BOINC itself keeps of jobs' limits; 0 leaves a limit as it is. */
export async function raiseBounds(
	project: Project,
	jobIds: readonly number[],
	bounds: {
		readonly memoryBytes: number;
		/** What a host needs where the job may run in a virtual machine: jobs that ask for more than `ownMemoryBytes` may. */
		readonly machineBytes: number;
		readonly ownMemoryBytes: number;
		readonly operations: number;
		readonly delayBoundSeconds: number;
	},
): Promise<void> {
	const { memoryBytes, machineBytes, ownMemoryBytes, operations, delayBoundSeconds } = bounds;
	await project.write(
		`UPDATE workunit SET rsc_fpops_bound = GREATEST(rsc_fpops_bound, ?), delay_bound = GREATEST(delay_bound, ?),
			rsc_memory_bound = GREATEST(rsc_memory_bound, IF(? > 0 AND rsc_memory_bound > ?, ?, ?)) WHERE id IN (?)`,
		[operations, Math.ceil(delayBoundSeconds), memoryBytes, ownMemoryBytes, machineBytes, memoryBytes, jobIds],
	);
}

/** Sets the priority of jobs and of their instances that wait for a host. */
export async function writePriority(project: Project, jobIds: readonly number[], priority: number): Promise<void> {
	await project.write('UPDATE workunit SET priority = ? WHERE id IN (?)', [priority, jobIds]);
	await project.write('UPDATE result SET priority = ? WHERE workunitid IN (?) AND server_state IN (1, 2)', [priority, jobIds]);
}
