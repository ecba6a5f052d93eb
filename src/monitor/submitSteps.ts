import { BoincError } from '../common/errors.js';
import { plural } from '../common/format.js';
import type { OperationContext } from '../common/ports.js';
import { jobName } from '../job/names.js';
import type { SubmitSteps } from '../job/submit.js';
import type { Project } from '../project/project.js';
import { countedBatch } from './batchStore.js';
import type { Explanation } from './explain/explanation.js';
import { explainFailure } from './explain/failures.js';
import { FINAL_JOB_STATES } from './jobState.js';
import type { Batch } from './types.js';

/** How the jobs of a batch come to the server. */
export interface StepOptions {
	/** First one job, then ten, each waited for; the rest only if none of them failed. */
	readonly canary?: boolean;
	/** Keep so many jobs waiting for hosts, and add more as they drain. Absent: all at once. */
	readonly unsent?: number;
	/** Milliseconds between two looks. */
	readonly pollMs?: number;
}

const CANARY = [1, 10];
const CANARY_POLL_MS = 5_000;
const REFILL_POLL_MS = 60_000;
/** A batch is filled up when less than this share of what is wanted waits. */
const LOW = 0.5;

/** The steps of a submission in parts. Both kinds go on where an earlier call was stopped, for jobs that exist are not made again. */
export function submitSteps({ canary = false, unsent, pollMs }: StepOptions): SubmitSteps {
	return async (batch, make, ctx) => {
		let made = 0;
		const makeTo = async (to: number): Promise<void> => {
			await make({ from: made, to });
			made = to;
		};
		for (const size of canary ? CANARY : []) {
			if (made < batch.jobs) {
				await makeTo(Math.min(batch.jobs, made + size));
				await allWell(batch.project, batch.id, made, pollMs ?? CANARY_POLL_MS, ctx);
			}
		}
		if (unsent === undefined) {
			await makeTo(batch.jobs);
			return 'made';
		}
		const first = made;
		while (made < batch.jobs) {
			// In this order: jobs that somebody cancels do not wait any longer, which must not look as if hosts had taken them.
			const waiting = await waitingJobs(batch.project, batch.id, made);
			await requireOpen(batch.project, batch.id);
			if (made === first || waiting < unsent * LOW) {
				await makeTo(Math.min(batch.jobs, made + Math.max(0, unsent - waiting)));
			} else {
				ctx.progress.report({
					message: `${plural(waiting, 'job')} ${waiting === 1 ? 'waits' : 'wait'} for hosts`,
					current: made,
					total: batch.jobs,
					unit: 'items',
				});
				await ctx.clock.sleep(pollMs ?? REFILL_POLL_MS, ctx.signal);
			}
		}
		return 'made';
	};
}

/** Resolves when all jobs of the batch are over and went well. Rejects with `canary-failed` at the first that failed. */
async function allWell(project: Project, id: number, jobs: number, pollMs: number, ctx: OperationContext): Promise<void> {
	for (;;) {
		const { counts } = await requireOpen(project, id);
		if (counts.failed > 0) {
			const [reason] = await explainFailure(await project.database(), { kind: 'batch', id });
			const failed = jobs === 1 ? 'The first job' : `${counts.failed} of the first ${jobs} jobs`;
			throw new BoincError(
				'canary-failed',
				[`${failed} failed, so the rest was not submitted.`, reason?.sentence ?? '', exampleOf(reason)].filter(Boolean).join(' '),
				{
					remedy: reason?.remedy ?? `Look at the logs of the jobs of batch ${id}.`,
					detail: { batch: id, jobs, failed: counts.failed },
				},
			);
		}
		const over = FINAL_JOB_STATES.reduce((sum, state) => sum + counts[state], 0) + counts.collecting;
		if (over >= jobs) {
			return;
		}
		ctx.progress.report({
			message: `Waiting for the first ${plural(jobs, 'job')}`,
			current: over,
			total: jobs,
			unit: 'items',
		});
		await ctx.clock.sleep(pollMs, ctx.signal);
	}
}

/** `b2d_7_000000_0 said last: no such file.` */
function exampleOf(reason: Explanation | undefined): string {
	const [example] = reason?.examples ?? [];
	return example === undefined
		? ''
		: example.line === ''
			? `It was ${example.name}.`
			: `${example.name} said last: “${example.line}”`;
}

/** The batch with its counts. Rejects when somebody has cancelled it meanwhile: `batch-missing`. */
async function requireOpen(project: Project, id: number): Promise<Batch> {
	const database = await project.database();
	const [row] = await database.select<{ state: number }>('SELECT state FROM batch WHERE id = ?', [id]);
	const batch = row?.state === 0 ? await countedBatch(database, id) : undefined;
	if (!batch || batch.counts.cancelled + batch.counts.cancelling > 0) {
		throw new BoincError('batch-missing', `Batch ${id} was cancelled while it was being submitted; no more jobs are added.`, {
			detail: { id },
		});
	}
	return batch;
}

/** Jobs that no host has yet: instances that wait, and jobs of the last part that have no instance yet. */
async function waitingJobs(project: Project, id: number, made: number): Promise<number> {
	const database = await project.database();
	const [unsent] = await database.select<{ n: number }>(
		'SELECT COUNT(DISTINCT workunitid) AS n FROM result WHERE server_state IN (1, 2) AND batch = ?',
		[id],
	);
	const [fresh] = await database.select<{ n: number }>(
		`SELECT COUNT(*) AS n FROM workunit w LEFT JOIN result r ON r.workunitid = w.id
		WHERE w.name BETWEEN ? AND ? AND w.error_mask = 0 AND r.id IS NULL`,
		[jobName(id, Math.max(0, made - LAST)), `${jobName(id, Math.max(0, made - 1))}~`],
	);
	return (unsent?.n ?? 0) + (fresh?.n ?? 0);
}

/** The transitioner makes instances in the order of time, so only the newest jobs can be without. */
const LAST = 20_000;
