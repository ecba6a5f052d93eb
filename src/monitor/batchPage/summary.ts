import { BoincError } from '../../common/errors.js';
import { countedBatch } from '../batchStore.js';
import type { Eta } from '../eta/estimate.js';
import { batchEta } from '../eta/history.js';
import { failedInBlock, type FailedRow, FailureLogs } from '../explain/failedInstances.js';
import { type FailureCluster, failureClusters } from '../explain/failureClusters.js';
import type { HostRecord } from '../explain/hostRecord.js';
import { type InstanceBlock, instanceBlocks } from '../instanceBlocks.js';
import { blockSeconds, blockSums, InstanceSums } from '../instanceSums.js';
import { type Queries, serverTime } from '../queries.js';
import type { Batch } from '../types.js';
import { type Histogram, histogram } from './histogram.js';
import { type HostKind, hostKinds, recordsOf } from './hostKinds.js';
import { stepToRead, suits, type Timeline, timelineOf } from './timeline.js';

/** Everything of a batch that its page shows besides the rows of jobs. */
export interface BatchSummary {
	readonly batch: Batch;
	/** `counts`: what else there is to know was not read yet. */
	readonly extent: 'counts' | 'all';
	/** The database's clock, UNIX seconds. */
	readonly now: number;
	readonly eta: Eta | undefined;
	readonly timeline: Timeline | undefined;
	readonly runTime: Histogram | undefined;
	readonly turnaround: Histogram | undefined;
	readonly failures: readonly FailureCluster[];
	readonly hosts: readonly HostKind[];
}

interface Part {
	readonly sums: InstanceSums;
	readonly failed: readonly FailedRow[];
}

/** What a block without anything unsettled came to is believed for so long, in seconds: a person may have failed jobs tried again. */
const BELIEVED = 300;

/**
 * Reads the summary of one batch again and again, in statements of less than a tenth of a second, so that others can use the session
 * meanwhile. Blocks of instances that are all over are read once, and so are logs and hosts.
 */
export class BatchReader {
	readonly #batchId: number;
	readonly #settled = new Map<string, Part>();
	readonly #logs = new FailureLogs();
	readonly #hosts = new Map<number, HostRecord>();
	#step: number | undefined;
	#since = 0;

	constructor(batchId: number) {
		this.#batchId = batchId;
	}

	/** What was remembered is read again at the next call. */
	forget(): void {
		this.#settled.clear();
		this.#hosts.clear();
	}

	/** What can be shown at once: the counts alone. A batch that was counted already need not be counted again. Rejects with `batch-missing`. */
	async outline(db: Queries, counted?: Batch): Promise<BatchSummary> {
		return {
			batch: counted ?? (await this.#count(db)),
			extent: 'counts',
			now: await serverTime(db),
			...{ eta: undefined, timeline: undefined, runTime: undefined, turnaround: undefined, failures: [], hosts: [] },
		};
	}

	/** Reads everything now; otherwise like `outline`. */
	async read(db: Queries, counted?: Batch): Promise<BatchSummary> {
		const now = await serverTime(db);
		const batch = counted ?? (await this.#count(db));
		if (now - this.#since > BELIEVED) {
			this.forget();
			this.#since = now;
		}
		const { sums, failed } = await this.#parts(db, batch, now);
		for (const host of await recordsOf(db, sums.hosts, this.#hosts)) {
			this.#hosts.set(host.id, host);
		}
		return {
			batch,
			extent: 'all',
			now,
			eta: await batchEta(db, batch, sums),
			timeline: timelineOf(sums, now),
			runTime: histogram(sums.runTimes),
			turnaround: histogram(sums.turnarounds.get('good') ?? new Map()),
			failures: await failureClusters(db, failed, this.#logs),
			hosts: hostKinds(sums.hosts, this.#hosts),
		};
	}

	async #count(db: Queries): Promise<Batch> {
		const batch = await countedBatch(db, this.#batchId);
		if (!batch) {
			throw new BoincError('batch-missing', `The batch ${this.#batchId} is no longer in the project's database.`, {
				detail: { id: this.#batchId },
			});
		}
		return batch;
	}

	/** The whole, with bins of time that suit the picture: how long the batch lasted is known only then, but its first instances tell roughly. */
	async #parts(db: Queries, { createTime }: Batch, now: number): Promise<Part> {
		const blocks = await instanceBlocks(db, this.#batchId);
		const [oldest] = blocks;
		this.#step ??= stepToRead((oldest && (await blockSeconds(db, this.#batchId, oldest, now))) ?? now - createTime);
		const first = await this.#whole(db, blocks, now, this.#step);
		if (suits(first.sums, now)) {
			return first;
		}
		const { sums } = first;
		this.#step = stepToRead((sums.count('out') > 0 ? now : sums.lastEvent) - sums.firstSent);
		this.#settled.clear();
		return this.#whole(db, blocks, now, this.#step);
	}

	async #whole(db: Queries, blocks: readonly InstanceBlock[], now: number, step: number): Promise<Part> {
		const sums = new InstanceSums(step);
		const failed: FailedRow[] = [];
		for (const block of blocks) {
			const part = await this.#block(db, block, now, step);
			sums.add(part.sums);
			failed.push(...part.failed);
		}
		return { sums, failed };
	}

	async #block(db: Queries, block: InstanceBlock, now: number, step: number): Promise<Part> {
		const key = `${block.first} ${block.last} ${block.count}`;
		const known = this.#settled.get(key);
		if (known) {
			return known;
		}
		const part = {
			sums: await blockSums(db, this.#batchId, block, { now, step }),
			failed: await failedInBlock(db, this.#batchId, block),
		};
		if (part.sums.unsettled === 0) {
			this.#settled.set(key, part);
		}
		return part;
	}
}
