import { BoincError } from '../common/errors.js';
import { plural } from '../common/format.js';
import type { OperationContext } from '../common/ports.js';
import { batchesLike, claimantIdle, claimBatch, createBatch } from '../project/batches.js';
import type { Project } from '../project/project.js';
import { createWorkArguments, type CreateWorkOptions } from './createWork.js';
import { shortHash } from './names.js';
import { type BatchPlan, DIGEST_VERSION } from './planBatch.js';
import type { BatchSpec } from './types.js';

/** A row of `batch` to make jobs for. */
export interface BatchRow {
	readonly id: number;
	/** `resumed`: an earlier submission of equal jobs ended midway. `there`: all of its jobs were made. */
	readonly kind: 'new' | 'resumed' | 'there';
}

/** A session that submits asks the database more often than this; a silent one has lost its connection. */
const SILENT_SECONDS = 180;

/**
 * Takes the batch of an earlier submission of equal jobs that ended midway, else makes a new one. Rejects with `submit-running` while
 * another session is at work on it, and with `submit-former` where it cannot be told whether the jobs are equal.
 */
export async function openBatch(
	project: Project,
	spec: BatchSpec,
	plan: BatchPlan,
	options: Omit<CreateWorkOptions, 'batch'>,
	appId: number,
	ctx: OperationContext,
): Promise<BatchRow> {
	const begins = `${plural(spec.jobs.length, 'job')} of image ${spec.image.id.slice(0, 12)}, submission `;
	const row = {
		name: spec.name,
		appId,
		description: `${begins}${submissionOf(plan, options)}`,
		...(spec.userId !== undefined && { userId: spec.userId }),
	};
	if (spec.repeated === 'take') {
		const all = await batchesLike(project, { name: spec.name, begins }, ['in-progress', 'complete']);
		const there = all.find(({ description }) => description === row.description);
		if (there) {
			ctx.log.info(`batch ${there.id} of ${project.name} has these jobs already`);
			return { id: there.id, kind: 'there' };
		}
	}
	const unfinished = await batchesLike(project, { name: spec.name, begins }, ['preparing']);
	const begun = unfinished.find(({ description }) => description === row.description);
	if (begun) {
		await takeOver(project, begun.id);
		ctx.log.info(`going on with the submission of batch ${begun.id} on ${project.name}`);
		return { id: begun.id, kind: 'resumed' };
	}
	const former = unfinished.find(({ description }) => !description.startsWith(`${begins}${DIGEST_MARK}`));
	if (former) {
		throw new BoincError(
			'submit-former',
			`The submission of batch ${former.id} “${spec.name}” of ${project.name} was interrupted, with the same image and number of jobs. Another version of this program began it, so it cannot be told whether its jobs are the same, and nothing was sent.`,
			{
				remedy: `Cancel that batch (boinc2docker cancel ${former.id}) and submit again, or complete it with the version that began it. For a batch beside it give another name.`,
				detail: { batch: former.id },
			},
		);
	}
	const id = await createBatch(project, row);
	await claimBatch(project, id);
	return { id, kind: 'new' };
}

/** The lock of a killed program ends with its session; that of a lost connection may stay for hours. */
async function takeOver(project: Project, id: number): Promise<void> {
	if (await claimBatch(project, id)) {
		return;
	}
	const idle = await claimantIdle(project, id);
	if (idle !== undefined && idle < SILENT_SECONDS) {
		throw new BoincError(
			'submit-running',
			`Batch ${id} of ${project.name} with the same jobs is being submitted at this moment.`,
			{
				remedy: `Wait for it. If that program was ended or lost its connection, try again in ${SILENT_SECONDS / 60} minutes; for a second batch of the same jobs give it another name.`,
				detail: { batch: id, idle },
			},
		);
	}
}

/** Before the digest, and not before those of versions that worked it out in another way. */
const DIGEST_MARK = `${DIGEST_VERSION}:`;

/** Tells submissions apart: the same for the same jobs with the same options. */
function submissionOf(plan: BatchPlan, options: Omit<CreateWorkOptions, 'batch'>): string {
	return DIGEST_MARK + shortHash([plan.digest, ...createWorkArguments({ ...options, batch: 0 })].join('\n'));
}
