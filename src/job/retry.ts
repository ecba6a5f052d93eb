import { BoincError } from '../common/errors.js';
import { plural } from '../common/format.js';
import { given } from '../common/given.js';
import type { OperationContext } from '../common/ports.js';
import { setBatchState } from '../project/batches.js';
import { GIVEN_UP } from '../project/errorMask.js';
import { type RaisedBounds, reopenJobs, RETRYABLE } from '../project/jobRows.js';
import type { Project } from '../project/project.js';
import { type RaisedLimits, raiseLimits } from './raiseLimits.js';
import { type JobSelection, requireBatches, selectionName, selectJobs } from './selectJobs.js';

/** What a retry did. */
export interface RetryReport {
	/** Jobs that are tried again. */
	readonly retried: number;
	/** Failed jobs of the selection that cannot be tried again: an instance of them could not be sent to any host. */
	readonly left: number;
}

export interface RetryOptions extends RaisedBounds, RaisedLimits {
	/** More instances that each job may have. Default 3. */
	readonly tries?: number;
}

const DEFAULT_TRIES = 3;

/**
 * Has the failed jobs of batches, and single failed jobs, tried again with their old numbers and names, under raised limits if wanted. BOINC
 * has no program for it: the failure is taken back in the database and BOINC's transitioner makes the new instances. What was
 * cancelled stays cancelled. Rejects with `batch-missing`, or `tool-failed` when the rows do not say afterwards what was written.
 */
export async function retryFailed(
	project: Project,
	selection: JobSelection,
	options: RetryOptions,
	ctx: OperationContext,
): Promise<RetryReport> {
	const { tries = DEFAULT_TRIES, memoryBytes, limitSeconds, ...bounds } = options;
	await requireBatches(project, selection.batchIds ?? [], ctx.signal);
	const failed = await selectJobs(project, selection, GIVEN_UP, ctx.signal);
	const jobs = await selectJobs(project, selection, RETRYABLE, ctx.signal);
	const ids = jobs.map(({ id }) => id);
	if (ids.length === 0) {
		return { retried: 0, left: failed.length };
	}
	if (memoryBytes !== undefined || limitSeconds !== undefined) {
		// Before the jobs are open again: the transitioner makes new instances at once.
		await raiseLimits(project, ids, given({ memoryBytes, limitSeconds }), ctx);
	}
	ctx.progress.report({ message: `Trying ${plural(ids.length, 'job')} again` });
	await reopenJobs(project, ids, tries, bounds);
	const still = await selectJobs(project, { jobIds: ids }, RETRYABLE, ctx.signal);
	if (still.length > 0) {
		throw new BoincError(
			'tool-failed',
			`${still.length} of ${ids.length} failed jobs of ${selectionName(selection)} on ${project.name} are still failed.`,
			{ remedy: 'Try again; if that does not help, look at the log of the transitioner.', detail: { left: still.length } },
		);
	}
	for (const batch of new Set(jobs.map(({ batch: id }) => id))) {
		await setBatchState(project, batch, 'in-progress');
	}
	ctx.log.info(`retried ${ids.length} jobs of ${selectionName(selection)} on ${project.name}`);
	return { retried: ids.length, left: failed.length - ids.length };
}
