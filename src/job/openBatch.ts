import { plural } from '../common/format.js';
import type { OperationContext } from '../common/ports.js';
import { batchesLike, claimBatch, createBatch } from '../project/batches.js';
import type { Project } from '../project/project.js';
import { createWorkArguments, type CreateWorkOptions } from './createWork.js';
import { shortHash } from './names.js';
import type { BatchPlan } from './planBatch.js';
import type { BatchSpec } from './types.js';

/** A row of `batch` to make jobs for. */
export interface BatchRow {
	readonly id: number;
	/** `resumed`: an earlier submission of equal jobs ended midway. `there`: all of its jobs were made. */
	readonly kind: 'new' | 'resumed' | 'there';
}

/**
 * Takes the batch of an earlier submission of equal jobs that ended midway, else makes a new one. No other session takes it until
 * this one ends or releases it, so that two people who submit the same at the same time get a batch each.
 */
export async function openBatch(
	project: Project,
	spec: BatchSpec,
	plan: BatchPlan,
	options: Omit<CreateWorkOptions, 'batch'>,
	appId: number,
	ctx: OperationContext,
): Promise<BatchRow> {
	const row = {
		name: spec.name,
		appId,
		description: `${plural(spec.jobs.length, 'job')} of image ${spec.image.id.slice(0, 12)}, submission ${submissionOf(plan, options)}`,
		...(spec.userId !== undefined && { userId: spec.userId }),
	};
	if (spec.repeated === 'take') {
		const [there] = await batchesLike(project, row, ['in-progress', 'complete']);
		if (there) {
			ctx.log.info(`batch ${there.id} of ${project.name} has these jobs already`);
			return { id: there.id, kind: 'there' };
		}
	}
	for (const { id } of await batchesLike(project, row, ['preparing'])) {
		if (await claimBatch(project, id)) {
			ctx.log.info(`going on with the submission of batch ${id} on ${project.name}`);
			return { id, kind: 'resumed' };
		}
	}
	const id = await createBatch(project, row);
	await claimBatch(project, id);
	return { id, kind: 'new' };
}

/** Tells submissions apart: the same for the same jobs with the same options. */
function submissionOf(plan: BatchPlan, options: Omit<CreateWorkOptions, 'batch'>): string {
	return shortHash([plan.digest, ...createWorkArguments({ ...options, batch: 0 })].join('\n'));
}
