import { BoincError } from '../common/errors.js';
import { plural } from '../common/format.js';
import type { OperationContext } from '../common/ports.js';
import { writePriority } from '../project/jobRows.js';
import type { Project } from '../project/project.js';
import { type JobSelection, requireBatches, selectionName, selectJobs } from './selectJobs.js';

/** Not over, as far as the job's own row tells. */
const UNFINISHED = 'canonical_resultid = 0 AND error_mask = 0';
/** Kept far from the ends of the column. */
const MOST_PRIORITY = 1_000_000;

/**
 * Sets the priority of the unfinished jobs of batches and of single jobs: instances that wait are sent in this order, the highest first, if
 * the project's feeder goes by priority. Resolves to the number of jobs. Rejects with `job-invalid`, `batch-missing` or `tool-failed`.
 */
export async function setPriority(
	project: Project,
	selection: JobSelection,
	priority: number,
	ctx: OperationContext,
): Promise<number> {
	if (!Number.isInteger(priority) || Math.abs(priority) > MOST_PRIORITY) {
		throw new BoincError('job-invalid', `${priority} is not a priority.`, {
			remedy: `Give a whole number from -${MOST_PRIORITY} to ${MOST_PRIORITY}.`,
		});
	}
	await requireBatches(project, selection.batchIds ?? [], ctx.signal);
	const ids = (await selectJobs(project, selection, UNFINISHED, ctx.signal)).map(({ id }) => id);
	if (ids.length === 0) {
		return 0;
	}
	ctx.progress.report({ message: `Setting the priority of ${plural(ids.length, 'job')}` });
	await writePriority(project, ids, priority);
	const database = await project.database();
	const [row] = await database.select<{ n: number }>(
		'SELECT COUNT(*) AS n FROM workunit WHERE id IN (?) AND priority <> ?',
		[ids, priority],
		ctx.signal,
	);
	if ((row?.n ?? 0) > 0) {
		throw new BoincError('tool-failed', `${row?.n ?? 0} of ${ids.length} jobs on ${project.name} have another priority.`, {
			remedy: 'Try again.',
		});
	}
	ctx.log.info(`set the priority of ${ids.length} jobs of ${selectionName(selection)} on ${project.name} to ${priority}`);
	return ids.length;
}
