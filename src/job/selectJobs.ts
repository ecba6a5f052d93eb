import { BoincError } from '../common/errors.js';
import type { Project } from '../project/project.js';

/** Whole batches and single jobs, as a person selects them. */
export interface JobSelection {
	readonly batchIds?: readonly number[];
	readonly jobIds?: readonly number[];
}

/** A job of a selection. */
export interface SelectedJob {
	readonly id: number;
	readonly batch: number;
}

/** The jobs of a selection that meet a condition of our own, in one statement, in order of their ids. */
export async function selectJobs(
	project: Project,
	{ batchIds = [], jobIds = [] }: JobSelection,
	condition: string,
	signal: AbortSignal | undefined,
): Promise<SelectedJob[]> {
	const database = await project.database();
	const parts = [...(batchIds.length > 0 ? ['batch IN (?)'] : []), ...(jobIds.length > 0 ? ['id IN (?)'] : [])];
	if (parts.length === 0) {
		return [];
	}
	return database.select<SelectedJob>(
		`SELECT id, batch FROM workunit WHERE (${parts.join(' OR ')}) AND ${condition} ORDER BY id`,
		[...(batchIds.length > 0 ? [batchIds] : []), ...(jobIds.length > 0 ? [jobIds] : [])],
		signal,
	);
}

/** The rows of batches. Rejects with `batch-missing` when one is not there. */
export async function requireBatches(
	project: Project,
	batchIds: readonly number[],
	signal: AbortSignal | undefined,
): Promise<readonly { readonly id: number; readonly state: number }[]> {
	if (batchIds.length === 0) {
		return [];
	}
	const database = await project.database();
	const rows = await database.select<{ id: number; state: number }>(
		'SELECT id, state FROM batch WHERE id IN (?)',
		[batchIds],
		signal,
	);
	const missing = batchIds.find((wanted) => wanted === 0 || !rows.some(({ id }) => id === wanted));
	if (missing !== undefined) {
		throw missingBatch(project, missing);
	}
	return rows;
}

/** For a batch that is not in the project. */
export const missingBatch = (project: { readonly name: string }, id: number): BoincError =>
	new BoincError('batch-missing', `There is no batch ${id} in ${project.name}.`, {
		remedy: 'Look at the list of batches.',
		detail: { id },
	});

/** `batch 7`, `2 batches`, `3 jobs`: for messages. */
export function selectionName({ batchIds = [], jobIds = [] }: JobSelection): string {
	const parts = [
		...(batchIds.length === 1 ? [`batch ${String(batchIds[0])}`] : batchIds.length > 1 ? [`${batchIds.length} batches`] : []),
		...(jobIds.length === 1 ? [`job ${String(jobIds[0])}`] : jobIds.length > 1 ? [`${jobIds.length} jobs`] : []),
	];
	return parts.join(' and ') || 'nothing';
}
