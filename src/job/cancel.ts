import { BoincError } from '../common/errors.js';
import { plural } from '../common/format.js';
import type { OperationContext } from '../common/ports.js';
import { rangesOf } from '../common/ranges.js';
import { run } from '../connection/run.js';
import { setBatchState } from '../project/batches.js';
import { ERROR_BIT, GIVEN_UP } from '../project/errorMask.js';
import { markGivenUp } from '../project/jobRows.js';
import type { Project } from '../project/project.js';
import { type JobSelection, requireBatches, selectionName, selectJobs } from './selectJobs.js';

/** What a cancellation did. */
export interface CancelReport {
	/** Jobs that were cancelled now. */
	readonly cancelled: number;
	/** Jobs that had failed and had instances left, which are called back now. These jobs remain failed ones. */
	readonly calledBack: number;
	/** Instances that are still on hosts; they end when their hosts contact the server. */
	readonly running: number;
}

const UNFINISHED = 'canonical_resultid = 0 AND assimilate_state <> 2 AND error_mask = 0';

/** A failed job can have more instances than the one that made it fail: they go on, and nobody wants what they compute. */
const FAILED_ALIVE = `${GIVEN_UP} AND error_mask & ${ERROR_BIT.cancelled} = 0
	AND EXISTS (SELECT 1 FROM result WHERE workunitid = workunit.id AND server_state IN (1, 2, 4))`;

/** Cancels the unfinished jobs of a batch: see `cancelJobs`. */
export function cancelBatch(project: Project, batchId: number, ctx: OperationContext): Promise<CancelReport> {
	return cancelJobs(project, { batchIds: [batchId] }, ctx);
}

/** Failed jobs of a selection that still have instances on hosts or waiting for one. `wu_batch`, then `res_wuid`. */
export async function failedAlive(project: Project, selection: JobSelection, signal?: AbortSignal): Promise<number> {
	return (await selectJobs(project, selection, FAILED_ALIVE, signal)).length;
}

/**
 * Cancels the unfinished jobs of batches and single jobs, calls back what is left of failed ones, and does nothing else: `cancel_jobs` takes
 * a range of numbers and ignores whose jobs they are, so only ranges without a gap are given to it, all in one go. Jobs with a result
 * keep it, and failed jobs their failure. Rejects with `batch-missing` or `tool-failed`.
 */
export async function cancelJobs(project: Project, selection: JobSelection, ctx: OperationContext): Promise<CancelReport> {
	const batches = await requireBatches(project, selection.batchIds ?? [], ctx.signal);
	const jobs = await selectJobs(project, selection, UNFINISHED, ctx.signal);
	const failed = await selectJobs(project, selection, FAILED_ALIVE, ctx.signal);
	const ids = [...jobs, ...failed].map(({ id }) => id).sort((a, b) => a - b);
	if (failed.length > 0) {
		// First, so that nobody ever reads of a failed job that it was cancelled.
		await markGivenUp(
			project,
			failed.map(({ id }) => id),
		);
	}
	if (ids.length > 0) {
		ctx.progress.report({ message: 'Cancelling jobs', current: 0, total: ids.length, unit: 'items' });
		await run(project.connection, ['xargs', '-n', '2', project.tool('cancel_jobs')], {
			cwd: project.root,
			doing: `cancel ${plural(ids.length, 'job')} of ${selectionName(selection)}`,
			stdin: Buffer.from(
				rangesOf(ids)
					.map(([first, last]) => `${String(first)} ${String(last)}\n`)
					.join(''),
			),
			timeoutMs: 5 * 60_000,
			...(ctx.signal && { signal: ctx.signal }),
		});
	}
	const wanted = new Set(ids);
	const still = await selectJobs(project, selection, `((${UNFINISHED}) OR (${FAILED_ALIVE}))`, ctx.signal);
	const left = still.filter(({ id }) => wanted.has(id)).length;
	if (left > 0) {
		throw new BoincError(
			'tool-failed',
			`${left} of ${ids.length} jobs of ${selectionName(selection)} on ${project.name} are not cancelled, though cancel_jobs reported no problem.`,
			{ remedy: 'Try again; if that does not help, look at the log of the server.', detail: { left } },
		);
	}
	for (const { id, state } of batches) {
		if (state === 0 || jobs.some(({ batch }) => batch === id)) {
			await setBatchState(project, id, 'aborted');
		}
	}
	const running = await countRunning(project, selection, ctx.signal);
	ctx.log.info(
		`cancelled ${jobs.length} jobs of ${selectionName(selection)} on ${project.name} and called back what was left of ${failed.length} failed ones; ${running} instances are on hosts`,
	);
	return { cancelled: jobs.length, calledBack: failed.length, running };
}

async function countRunning(
	project: Project,
	{ batchIds = [], jobIds = [] }: JobSelection,
	signal: AbortSignal | undefined,
): Promise<number> {
	const database = await project.database();
	const rows = await database.select<{ n: number }>(
		'SELECT COUNT(*) AS n FROM result WHERE (batch IN (?) OR workunitid IN (?)) AND server_state = 4',
		[batchIds.length > 0 ? batchIds : [-1], jobIds.length > 0 ? jobIds : [-1]],
		signal,
	);
	return rows[0]?.n ?? 0;
}
