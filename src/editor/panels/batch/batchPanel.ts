import path from 'node:path';

import * as vscode from 'vscode';

import { type Disposable, DisposableStore } from '../../../common/disposable.js';
import { isAbort, messageOf } from '../../../common/errors.js';
import type { CommandId } from '../../../common/ids.js';
import type { ColumnSource } from '../../../monitor/batchPage/columns.js';
import type { BatchReader, BatchSummary } from '../../../monitor/batchPage/summary.js';
import { isFinalBatchState } from '../../../monitor/jobState.js';
import type { Batch } from '../../../monitor/types.js';
import { type PageAction, type ToExtension, toExtension, type ToPage } from '../../../protocol/batchPage.js';
import { openLog } from '../../commands/instance/showLog.js';
import { resultsFolder } from '../../results/resultsFolder.js';
import type { ServerModel } from '../../servers/serverModel.js';
import type { Services } from '../../services.js';
import { WebviewChannel } from '../webviewChannel.js';
import type { BatchReference } from './batchReference.js';
import { exportBatch } from './exportBatch.js';
import { batchSnapshot } from './snapshot.js';
import { TableModel } from './tableModel.js';
import { batchWords } from './words.js';

/** Milliseconds between two readings while the page is visible, at least; and how many times as long as a reading took. */
const FASTEST = 2_000;
const TIMES = 8;
/** Without any change: times go on. */
const SLOWEST = 60_000;
/** Changes that come together are one. */
const DEBOUNCE = 500;

const COMMANDS: Readonly<Partial<Record<PageAction, CommandId>>> = {
	fetchResults: 'boinc2docker.batch.fetchResults',
	cancel: 'boinc2docker.batch.cancel',
	explainWaiting: 'boinc2docker.job.explainWaiting',
	explainFailure: 'boinc2docker.job.explainFailure',
};

const EXPLAIN = {
	waiting: 'boinc2docker.job.explainWaiting',
	failure: 'boinc2docker.job.explainFailure',
} as const satisfies Record<string, CommandId>;

/** The tab of one batch: reads its summary while it is visible and answers what its page asks for. */
export class BatchPanel implements Disposable {
	readonly #panel: vscode.WebviewPanel;
	readonly #services: Services;
	readonly #reference: BatchReference;
	readonly #owned = new DisposableStore();
	readonly #channel: WebviewChannel<ToPage, typeof toExtension>;
	readonly #table: TableModel;
	readonly #source: () => Promise<ColumnSource>;
	#reader: BatchReader | undefined;
	#summary: BatchSummary | undefined;
	#shown = '';
	/** No reading before this time, in milliseconds. */
	#notBefore = 0;
	#reading: Promise<void> | undefined;
	#timer: ReturnType<typeof setTimeout> | undefined;
	#disposed = false;

	constructor(panel: vscode.WebviewPanel, services: Services, reference: BatchReference) {
		this.#panel = panel;
		this.#services = services;
		this.#reference = reference;
		let source: Promise<ColumnSource> | undefined;
		this.#source = () =>
			(source ??= this.#columns().catch((error: unknown) => {
				source = undefined;
				throw error;
			}));
		this.#table = new TableModel(reference.batchId, {
			core: () => services.core(),
			database: async () => (await this.#model().project()).database(),
			source: this.#source,
		});
		this.#channel = this.#owned.add(
			new WebviewChannel<ToPage, typeof toExtension>(panel.webview, toExtension, services.log, (message) =>
				this.#receive(message),
			),
		);
		this.#owned.add(panel.onDidChangeViewState(() => this.#follow()));
		this.#owned.add(vscode.window.onDidChangeWindowState(() => this.#schedule(0)));
		this.#owned.add(
			services.results.onDidFetch(({ serverId, batchId }) => {
				if (serverId === reference.serverId && batchId === reference.batchId && this.#summary) {
					void this.#loadTable();
				}
			}),
		);
		this.#owned.add(
			services.models.onDidChange(({ model, change }) => {
				const isOurs =
					model?.server.id === reference.serverId && (change?.kind !== 'batches' || change.batchIds.includes(reference.batchId));
				if (isOurs && model.status.kind === 'ready') {
					this.#schedule(DEBOUNCE);
				}
			}),
		);
		services.seenBatches.set(reference, panel.visible);
	}

	reveal(preserveFocus: boolean): void {
		this.#panel.reveal(undefined, preserveFocus);
	}

	dispose(): void {
		this.#disposed = true;
		clearTimeout(this.#timer);
		this.#owned.dispose();
		this.#services.seenBatches.set(this.#reference, false);
	}

	/** While somebody looks at the page its batch is kept up to date. */
	#follow(): void {
		this.#services.seenBatches.set(this.#reference, this.#panel.visible);
		this.#schedule(0);
	}

	#model(): ServerModel {
		const model = this.#services.models.get(this.#reference.serverId);
		if (!model) {
			throw new Error(vscode.l10n.t('The server of this batch is no longer in the list.'));
		}
		return model;
	}

	/** Parameters, and metrics of those results that are in the workspace. */
	async #columns(): Promise<ColumnSource> {
		const { folderName, joinColumns, metricColumns, parameterColumns } = await this.#services.core();
		const { batchId } = this.#reference;
		const local = async (): Promise<string | undefined> => {
			const folder = await resultsFolder(vscode.workspace.workspaceFolders?.[0]);
			return folder && this.#summary && path.join(folder, folderName(this.#summary.batch));
		};
		const parameters = parameterColumns(await this.#model().project(), batchId, vscode.l10n.t('Command'));
		return joinColumns([parameters, metricColumns(local, batchId)]);
	}

	async #receive(message: ToExtension): Promise<void> {
		try {
			switch (message.type) {
				case 'ready':
					this.#channel.send({ type: 'words', words: batchWords(), keep: this.#reference });
					if (this.#summary) {
						this.#draw(this.#summary);
					}
					// A reading that began before may have sent its figures to nobody.
					await this.#reading;
					this.#shown = '';
					await this.#refresh();
					break;
				case 'view':
					this.#table.setView(message.view);
					this.#channel.send(await this.#table.load());
					break;
				case 'rows': {
					const rows = await this.#table.rows(message.version, message.from, message.to);
					if (rows) {
						this.#channel.send(rows);
					}
					break;
				}
				case 'openLog':
					await openLog(this.#services, this.#reference.serverId, {
						id: message.instanceId,
						name: String(message.instanceId),
					});
					break;
				case 'explainJob':
					await vscode.commands.executeCommand(EXPLAIN[message.question], {
						serverId: this.#reference.serverId,
						jobId: message.jobId,
					});
					break;
				case 'action':
					await this.#act(message.action);
					break;
			}
		} catch (error) {
			this.#trouble(error);
		}
	}

	async #act(action: PageAction): Promise<void> {
		const command = COMMANDS[action];
		if (command !== undefined) {
			await vscode.commands.executeCommand(command, this.#reference);
		} else if (action === 'refresh') {
			this.#shown = '';
			this.#reader?.forget();
			await this.#model().recount([this.#reference.batchId]);
			await this.#refresh();
		} else if (this.#summary) {
			const format = action === 'exportJson' ? 'json' : 'csv';
			await exportBatch(this.#services, { model: this.#model(), batch: this.#summary.batch }, format, await this.#source());
		}
	}

	#trouble(error: unknown): void {
		if (!isAbort(error)) {
			this.#services.log.warn(`Batch page: ${messageOf(error)}`);
			this.#channel.send({ type: 'trouble', text: messageOf(error) });
		}
	}

	/** One reading at a time. */
	#refresh(): Promise<void> {
		clearTimeout(this.#timer);
		this.#reading ??= this.#read().finally(() => {
			this.#reading = undefined;
		});
		return this.#reading;
	}

	async #read(): Promise<void> {
		const { clock } = this.#services;
		const began = clock.now();
		let model: ServerModel;
		try {
			model = this.#model();
			await model.load();
			const db = await (await model.project()).database();
			const reader = (this.#reader ??= new (await this.#services.core()).BatchReader(this.#reference.batchId));
			let counted = this.#counted(model);
			if (!this.#summary) {
				const outline = await reader.outline(db, counted);
				counted = outline.batch;
				await this.#show(outline);
			}
			await this.#show(await reader.read(db, counted));
		} catch (error) {
			this.#trouble(error);
			// Not at once: each try may ask for a password.
			this.#schedule(SLOWEST);
			return;
		}
		const took = clock.now() - began;
		const pause = Math.min(SLOWEST, Math.max(FASTEST, took * TIMES));
		this.#notBefore = clock.now() + pause;
		// The monitor tells of changes; nobody does for a batch that is too old for it.
		this.#schedule(this.#counted(model) ? SLOWEST : pause);
	}

	/** Shows what is known now, and the rows of jobs if they may have changed. */
	async #show(summary: BatchSummary): Promise<void> {
		this.#summary = summary;
		this.#channel.send({ type: 'trouble', text: '' });
		this.#draw(summary);
		const state = JSON.stringify([summary.batch.counts, summary.failures.map(({ instances }) => instances)]);
		if (state !== this.#shown) {
			await this.#loadTable();
			this.#shown = state;
		}
	}

	#draw(summary: BatchSummary): void {
		const snapshot = batchSnapshot(summary, this.#model().server.name);
		this.#panel.title = snapshot.title;
		this.#channel.send({ type: 'snapshot', snapshot });
	}

	/** The batch as the monitor knows it; `undefined` while it has not been counted. */
	#counted(model: ServerModel): Batch | undefined {
		const batch = model.batches().find(({ id }) => id === this.#reference.batchId);
		return batch?.uncounted === true ? undefined : batch;
	}

	async #loadTable(): Promise<void> {
		try {
			this.#channel.send(await this.#table.load(this.#summary?.batch.total));
		} catch (error) {
			this.#trouble(error);
		}
	}

	/** Reads again later, if somebody looks at the page then and the batch is not over. */
	#schedule(ms: number): void {
		clearTimeout(this.#timer);
		const isOver = this.#summary?.extent === 'all' && isFinalBatchState(this.#summary.batch.state);
		const isFirst = this.#summary?.extent !== 'all';
		const isSeen = this.#panel.visible && (vscode.window.state.focused || isFirst);
		if (!this.#disposed && isSeen && !(isOver && this.#shown !== '')) {
			const pace = Math.max(ms, this.#notBefore - this.#services.clock.now());
			this.#timer = setTimeout(() => void this.#refresh(), pace);
		}
	}
}
