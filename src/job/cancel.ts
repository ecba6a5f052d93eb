import { BoincError } from '../common/errors.js';
import { plural } from '../common/format.js';
import type { OperationContext } from '../common/ports.js';
import { rangesOf } from '../common/ranges.js';
import { run } from '../connection/run.js';
import { setBatchState } from '../project/batches.js';
import type { Project } from '../project/project.js';
import { type JobSelection, requireBatches, selectionName, selectJobs } from './selectJobs.js';

/** What a cancellation did. */
export interface CancelReport {
	/** Jobs that were cancelled now. */
	readonly cancelled: number;
	/** Instances that are still on hosts; they end when their hosts contact the server. */
	readonly running: number;
}

/** A job that has failed is over, and stays one that failed. */
const UNFINISHED = 'canonical_resultid = 0 AND assimilate_state <> 2 AND error_mask = 0';

/** Cancels the unfinished jobs of a batch: see `cancelJobs`. */
export function cancelBatch(project: Project, batchId: number, ctx: OperationContext): Promise<CancelReport> {
	return cancelJobs(project, { batchIds: [batchId] }, ctx);
}

/**
 * Cancels the unfinished jobs of batches and single jobs, and nothing else: `cancel_jobs` takes a range of numbers and ignores whose jobs
 * they are, so only ranges without a gap are given to it, all in one go. Jobs with a result keep it. Rejects with `batch-missing`
 * or `tool-failed`.
 */
export async function cancelJobs(project: Project, selection: JobSelection, ctx: OperationContext): Promise<CancelReport> {
	const batches = await requireBatches(project, selection.batchIds ?? [], ctx.signal);
	const jobs = await selectJobs(project, selection, UNFINISHED, ctx.signal);
	const ids = jobs.map(({ id }) => id);
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
	const left = (await selectJobs(project, selection, UNFINISHED, ctx.signal)).filter(({ id }) => wanted.has(id)).length;
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
		`cancelled ${ids.length} jobs of ${selectionName(selection)} on ${project.name}; ${running} instances are on hosts`,
	);
	return { cancelled: ids.length, running };
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
