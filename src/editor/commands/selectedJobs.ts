import type { Batch } from '../../monitor/types.js';
import type { ServerModel } from '../servers/serverModel.js';
import type { Services } from '../services.js';
import { GroupNode } from '../tree/groupNode.js';
import { JobNode } from '../tree/jobNode.js';
import { batchOf } from './chooseBatch.js';

/** A job of a selection. */
export interface SelectedJob {
	readonly id: number;
	readonly batchId: number;
	readonly name: string;
}

/** What is selected of one server: whole batches, and single jobs of other batches. */
export interface ServerSelection {
	readonly model: ServerModel;
	readonly batches: readonly Batch[];
	readonly jobs: readonly SelectedJob[];
}

/** What a command of the tree got: the row, and the whole selection if the row is part of one. */
export interface TreeSelection {
	readonly servers: readonly ServerSelection[];
	/** Rows that it cannot be done with. */
	readonly skipped: number;
}

/**
 * Groups the rows of a selection by server. Jobs of a selected batch are not named again; `admits` decides which rows it can be done with.
 * A group of jobs stands for its batch where it is admitted, and is skipped otherwise: what is done to the batch is done to other jobs too.
 */
export function selectionOf(
	services: Services,
	item: unknown,
	items: unknown,
	admits: {
		readonly batch: (batch: Batch) => boolean;
		readonly job: (node: JobNode) => boolean;
		readonly group?: (node: GroupNode) => boolean;
	},
): TreeSelection {
	const rows: readonly unknown[] = Array.isArray(items) && items.length > 1 ? items : [item];
	const found = new Map<ServerModel, { batches: Batch[]; jobs: SelectedJob[] }>();
	let taken = 0;
	const entry = (model: ServerModel): { batches: Batch[]; jobs: SelectedJob[] } => {
		const own = found.get(model) ?? { batches: [], jobs: [] };
		found.set(model, own);
		return own;
	};
	for (const row of rows) {
		const whole = row instanceof GroupNode && admits.group?.(row) === true ? row.parent : row;
		const choice = batchOf(services, whole);
		const model = row instanceof JobNode ? services.models.get(row.server.id) : undefined;
		if (choice && admits.batch(choice.batch)) {
			entry(choice.model).batches.push(choice.batch);
			taken += 1;
		} else if (row instanceof JobNode && model && admits.job(row)) {
			entry(model).jobs.push({ id: row.job.id, batchId: row.job.batchId, name: row.job.name });
			taken += 1;
		}
	}
	const servers = [...found].map(([model, { batches, jobs }]) => ({
		model,
		batches,
		jobs: jobs.filter(({ batchId }) => !batches.some(({ id }) => id === batchId)),
	}));
	return { servers, skipped: rows.length - taken };
}

/** The ids that `src/job` takes. */
export function idsOf({ batches, jobs }: ServerSelection): { batchIds: number[]; jobIds: number[] } {
	return { batchIds: batches.map(({ id }) => id), jobIds: jobs.map(({ id }) => id) };
}

/** The batches whose jobs change. */
export function touchedBatches({ batches, jobs }: ServerSelection): number[] {
	return [...new Set([...batches.map(({ id }) => id), ...jobs.map(({ batchId }) => batchId)])];
}
