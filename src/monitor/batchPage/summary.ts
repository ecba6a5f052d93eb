import { BoincError } from '../../common/errors.js';
import { countedBatch } from '../batchStore.js';
import type { Eta } from '../eta/estimate.js';
import { batchEta } from '../eta/history.js';
import { type FailureCluster, failureClusters } from '../explain/failures.js';
import { isFinalBatchState } from '../jobState.js';
import { type Queries, serverTime } from '../queries.js';
import type { Batch } from '../types.js';
import { batchHistograms, type Histogram } from './histogram.js';
import { type HostKind, hostKinds } from './hostKinds.js';
import { batchTimeline, type Timeline } from './timeline.js';

/** Everything of a batch that its page shows besides the rows of jobs. */
export interface BatchSummary {
	readonly batch: Batch;
	/** The database's clock, UNIX seconds. */
	readonly now: number;
	readonly eta: Eta | undefined;
	readonly timeline: Timeline | undefined;
	readonly runTime: Histogram | undefined;
	readonly turnaround: Histogram | undefined;
	readonly failures: readonly FailureCluster[];
	readonly hosts: readonly HostKind[];
}

/** Reads the summary of a batch by aggregates on the stock indexes. Rejects with `batch-missing`. */
export async function batchSummary(db: Queries, batchId: number): Promise<BatchSummary> {
	const now = await serverTime(db);
	const batch = await countedBatch(db, batchId);
	if (!batch) {
		throw new BoincError('batch-missing', `The batch ${batchId} is no longer in the project's database.`, {
			detail: { id: batchId },
		});
	}
	return {
		batch,
		now,
		eta: isFinalBatchState(batch.state) || batch.total === 0 ? undefined : await batchEta(db, batchId),
		timeline: await batchTimeline(db, batchId, now),
		...(await batchHistograms(db, batchId)),
		failures: await failureClusters(db, { kind: 'batch', id: batchId }),
		hosts: await hostKinds(db, batchId),
	};
}
