import * as vscode from 'vscode';

import { type Disposable, DisposableStore } from '../../common/disposable.js';
import { BoincError, isAbort, messageOf } from '../../common/errors.js';
import type { Event } from '../../common/event.js';
import { type Clock, type Log, type OperationContext, silentProgress } from '../../common/ports.js';
import { isFinalBatchState } from '../../monitor/jobState.js';
import type { FetchReport } from '../../monitor/results/fetchRequest.js';
import type { Batch } from '../../monitor/types.js';
import { settings } from '../settings.js';
import type { WatchedBatches } from '../status/watchedBatches.js';
import type { WantedBatch } from './batchFetcher.js';
import { resultsFolder } from './resultsFolder.js';

/** Milliseconds between two passes for one batch. */
const PAUSE = 3_000;
const TRIES = 5;

interface Followed {
	/** Results that were there at the last pass. */
	done: number;
	busy: boolean;
	failures: number;
	/** Nothing more is fetched by itself: all is here, or something is in the way. */
	over: boolean;
}

/** What is needed to know of a server. */
interface StreamedServer {
	readonly server: { readonly id: string };
	batches(): readonly Batch[];
}

/** Brings results of watched batches into the workspace as they are collected, if the person wants that. */
export class ResultStreamer<Server extends StreamedServer> implements Disposable {
	readonly #owned = new DisposableStore();
	readonly #followed = new Map<string, Followed>();
	readonly #end = new AbortController();

	constructor(
		readonly models: { all(): readonly Server[]; readonly onDidChange: Event<unknown> },
		readonly watched: Pick<WatchedBatches, 'of'>,
		readonly results: {
			fetch(
				model: Server,
				wanted: readonly WantedBatch[],
				options: { readonly folder: string; readonly removed: 'leave' },
				ctx: OperationContext,
			): Promise<readonly FetchReport[]>;
		},
		readonly log: Log,
		readonly clock: Clock,
	) {
		this.#owned.add(models.onDidChange(() => this.#check()));
	}

	dispose(): void {
		this.#end.abort();
		this.#owned.dispose();
	}

	#check(): void {
		if (!settings.streamResults() || !vscode.workspace.isTrusted) {
			return;
		}
		for (const model of this.models.all()) {
			const watched = this.watched.of(model.server.id);
			for (const batch of model.batches()) {
				const key = `${model.server.id}/${batch.id}`;
				if (watched.includes(batch.id) && !this.#followed.has(key)) {
					this.#followed.set(key, { done: 0, busy: false, failures: 0, over: false });
				}
				const followed = this.#followed.get(key);
				if (followed && !followed.busy && !followed.over && batch.counts.done > followed.done) {
					void this.#pass(model, batch, followed);
				}
			}
		}
	}

	/** Never rejects. */
	async #pass(model: Server, batch: Batch, followed: Followed): Promise<void> {
		followed.busy = true;
		const { done } = batch.counts;
		try {
			const folder = await resultsFolder(vscode.workspace.workspaceFolders?.[0]);
			if (folder === undefined) {
				followed.over = true;
				return;
			}
			const { log, clock } = this;
			const ctx = { log, clock, progress: silentProgress, signal: this.#end.signal };
			const reports = await this.results.fetch(model, [{ batch }], { folder, removed: 'leave' }, ctx);
			reports.flatMap(({ failed }) => failed).forEach(({ job, why }) => log.warn(`${job}: ${why}`));
			const have = reports.reduce((sum, { fetched, already }) => sum + fetched.length + already.length, 0);
			followed.done = done;
			followed.failures = 0;
			followed.over = isFinalBatchState(batch.state) && have >= done;
		} catch (error) {
			followed.failures++;
			followed.over = followed.failures >= TRIES || (BoincError.is(error, 'file-in-the-way') && error.detail.busy !== true);
			if (!isAbort(error)) {
				this.log.warn(
					`Results of batch ${batch.id} are not fetched${followed.over ? ' by themselves any more' : ' for the moment'}: ${messageOf(error)}`,
				);
			}
		}
		await this.clock.sleep(PAUSE, this.#end.signal).catch(() => undefined);
		followed.busy = false;
		if (!this.#end.signal.aborted) {
			this.#check();
		}
	}
}
