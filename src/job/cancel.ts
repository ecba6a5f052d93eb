import { BoincError, throwIfAborted } from '../common/errors.js';
import type { OperationContext } from '../common/ports.js';
import { rangesOf } from '../common/ranges.js';
import { run } from '../connection/run.js';
import { setBatchState } from '../project/batches.js';
import type { Project } from '../project/project.js';

/** What a cancellation did. */
export interface CancelReport {
	/** Jobs that were cancelled now. */
	readonly cancelled: number;
	/** Instances that are still on hosts; they end when their hosts contact the server. */
	readonly running: number;
}

/** Bit of `workunit.error_mask`. */
const CANCELLED = 16;

const UNFINISHED = `
	SELECT id FROM workunit
	WHERE batch = ? AND canonical_resultid = 0 AND assimilate_state <> 2 AND error_mask & ${String(CANCELLED)} = 0 ORDER BY id`;

/**
 * Cancels the unfinished jobs of a batch, and nothing else: `cancel_jobs` takes a range of numbers and ignores whose jobs they are,
 * so only ranges without a gap are given to it. Jobs with a result keep it. Rejects with `batch-missing` or `tool-failed`.
 */
export async function cancelBatch(project: Project, batchId: number, ctx: OperationContext): Promise<CancelReport> {
	const database = await project.database();
	const batches = await database.select<{ state: number }>('SELECT state FROM batch WHERE id = ?', [batchId], ctx.signal);
	const state = batches[0]?.state;
	if (state === undefined || batchId === 0) {
		throw new BoincError('batch-missing', `The project ${project.name} has no batch ${batchId}.`, { detail: { id: batchId } });
	}
	const rows = await database.select<{ id: number }>(UNFINISHED, [batchId], ctx.signal);
	const ids = rows.map(({ id }) => id);
	let done = 0;
	for (const [first, last] of rangesOf(ids)) {
		throwIfAborted(ctx.signal);
		ctx.progress.report({ message: 'Cancelling jobs', current: done, total: ids.length, unit: 'items' });
		await run(project.connection, [project.tool('cancel_jobs'), String(first), String(last)], {
			cwd: project.root,
			doing: `cancel jobs ${first} to ${last} of batch ${batchId}`,
			timeoutMs: 5 * 60_000,
			...(ctx.signal && { signal: ctx.signal }),
		});
		done += last - first + 1;
	}
	const left = await database.select<{ id: number }>(UNFINISHED, [batchId], ctx.signal);
	const leftOver = left.filter(({ id }) => ids.includes(id)).length;
	if (leftOver > 0) {
		throw new BoincError(
			'tool-failed',
			`${leftOver} of ${ids.length} jobs of batch ${batchId} on ${project.name} are not cancelled, though cancel_jobs reported no problem.`,
			{
				remedy: 'Try again; if that does not help, look at the log of the server.',
				detail: { id: batchId, left: leftOver },
			},
		);
	}
	if (ids.length > 0 || state === 0) {
		await setBatchState(project, batchId, 'aborted');
	}
	const onHosts = await database.select<{ n: number }>(
		'SELECT COUNT(*) AS n FROM result WHERE batch = ? AND server_state = 4',
		[batchId],
		ctx.signal,
	);
	const running = onHosts[0]?.n ?? 0;
	ctx.log.info(`cancelled ${ids.length} jobs of batch ${batchId} on ${project.name}; ${running} instances are on hosts`);
	return { cancelled: ids.length, running };
}
