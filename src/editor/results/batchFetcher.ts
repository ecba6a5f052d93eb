import type { Disposable } from '../../common/disposable.js';
import type { OperationContext } from '../../common/ports.js';
import type { BatchFetchOptions, BatchResults } from '../../monitor/results/batchResults.js';
import type { FetchReport } from '../../monitor/results/fetchResults.js';
import type { Batch } from '../../monitor/types.js';
import type { Project } from '../../project/project.js';
import type { ServerModel } from '../servers/serverModel.js';
import type { Core } from '../services.js';

/** Fetches results into this computer's folders, one call at a time for each batch: a second one waits for the first. */
export class BatchFetcher implements Disposable {
	readonly #core: () => Promise<Core>;
	readonly #last = new Map<string, Promise<unknown>>();
	readonly #known = new WeakMap<Project, Map<number, BatchResults>>();

	constructor(core: () => Promise<Core>) {
		this.#core = core;
	}

	/** See `BatchResults.fetch`. */
	fetch(model: ServerModel, batch: Batch, options: BatchFetchOptions, ctx: OperationContext): Promise<FetchReport> {
		const key = `${model.server.id}/${batch.id}`;
		const before = this.#last.get(key) ?? Promise.resolve();
		const run = before.catch(() => undefined).then(() => this.#fetch(model, batch, options, ctx));
		this.#last.set(key, run);
		return run;
	}

	dispose(): void {
		this.#last.clear();
	}

	async #fetch(model: ServerModel, batch: Batch, options: BatchFetchOptions, ctx: OperationContext): Promise<FetchReport> {
		ctx.signal?.throwIfAborted();
		const { BatchResults } = await this.#core();
		const project = await model.project(ctx.signal);
		const batches = this.#known.get(project) ?? new Map<number, BatchResults>();
		this.#known.set(project, batches);
		const results = batches.get(batch.id) ?? new BatchResults(project, batch);
		batches.set(batch.id, results);
		return results.fetch(options, ctx);
	}
}
