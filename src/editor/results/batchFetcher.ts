import type { Disposable } from '../../common/disposable.js';
import { Emitter, type Event } from '../../common/event.js';
import type { OperationContext } from '../../common/ports.js';
import type { BatchFetchOptions, BatchResults } from '../../monitor/results/batchResults.js';
import type { FetchReport, FetchRequest } from '../../monitor/results/fetchRequest.js';
import type { Batch } from '../../monitor/types.js';
import type { Project } from '../../project/project.js';
import type { ServerModel } from '../servers/serverModel.js';
import type { Core } from '../services.js';

/** A batch whose results are wanted, or only those of some jobs of it. */
export interface WantedBatch {
	readonly batch: Batch;
	/** Names. */
	readonly jobs?: readonly string[];
}

type FetchOptions = Pick<BatchFetchOptions, 'folder' | 'removed' | 'patience'>;

/** Fetches results into this computer's folders, one call at a time for each batch: a second one waits for the first. */
export class BatchFetcher implements Disposable {
	readonly #core: () => Promise<Core>;
	readonly #last = new Map<string, Promise<unknown>>();
	readonly #known = new WeakMap<Project, Map<number, BatchResults>>();

	readonly #fetched = new Emitter<{ readonly serverId: string; readonly batchId: number }>();

	/** Fires when results of a batch have come. */
	readonly onDidFetch: Event<{ readonly serverId: string; readonly batchId: number }> = this.#fetched.event;

	constructor(core: () => Promise<Core>) {
		this.#core = core;
	}

	/** See `fetchBatches`. The reports are in the order of the batches. */
	fetch(
		model: ServerModel,
		wanted: readonly WantedBatch[],
		options: FetchOptions,
		ctx: OperationContext,
	): Promise<FetchReport[]> {
		const keys = wanted.map(({ batch }) => `${model.server.id}/${batch.id}`);
		const before = keys.map((key) => (this.#last.get(key) ?? Promise.resolve()).catch(() => undefined));
		const run = Promise.all(before).then(() => this.#fetch(model, wanted, options, ctx));
		keys.forEach((key) => this.#last.set(key, run));
		return run;
	}

	dispose(): void {
		this.#last.clear();
		this.#fetched.dispose();
	}

	async #fetch(
		model: ServerModel,
		wanted: readonly WantedBatch[],
		options: FetchOptions,
		ctx: OperationContext,
	): Promise<FetchReport[]> {
		ctx.signal?.throwIfAborted();
		const { BatchResults, fetchBatches } = await this.#core();
		const project = await model.project(ctx.signal);
		const known = this.#known.get(project) ?? new Map<number, BatchResults>();
		this.#known.set(project, known);
		const requests: FetchRequest[] = [];
		for (const { batch, jobs } of wanted) {
			const results = known.get(batch.id) ?? new BatchResults(project, batch);
			known.set(batch.id, results);
			requests.push(await results.request({ ...options, ...(jobs && { jobs }) }, ctx));
		}
		const reports = await fetchBatches(project.connection, requests, ctx);
		for (const [at, { batch }] of wanted.entries()) {
			if ((reports[at]?.fetched.length ?? 0) > 0) {
				this.#fetched.fire({ serverId: model.server.id, batchId: batch.id });
			}
		}
		return reports;
	}
}
