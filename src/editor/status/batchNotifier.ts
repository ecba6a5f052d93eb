import * as vscode from 'vscode';

import { type Disposable, DisposableStore } from '../../common/disposable.js';
import { messageOf } from '../../common/errors.js';
import type { CommandId } from '../../common/ids.js';
import type { Log } from '../../common/ports.js';
import { isFinalBatchState } from '../../monitor/jobState.js';
import type { Batch } from '../../monitor/types.js';
import type { ServerModel } from '../servers/serverModel.js';
import type { ServerModels } from '../servers/serverModels.js';
import { settings } from '../settings.js';
import { batchLook } from '../tree/stateLook.js';
import type { WatchedBatches } from './watchedBatches.js';

/** Says once that a watched batch has ended, with the way to its results. */
export class BatchNotifier implements Disposable {
	readonly #models: ServerModels;
	readonly #watched: WatchedBatches;
	readonly #log: Log;
	readonly #owned = new DisposableStore();

	constructor(models: ServerModels, watched: WatchedBatches, log: Log) {
		this.#models = models;
		this.#watched = watched;
		this.#log = log;
		this.#owned.add(models.onDidChange(() => this.#check()));
	}

	dispose(): void {
		this.#owned.dispose();
	}

	#check(): void {
		for (const model of this.#models.all()) {
			const watched = this.#watched.of(model.server.id);
			for (const batch of model.batches().filter(({ id, state }) => watched.includes(id) && isFinalBatchState(state))) {
				this.#tell(model, batch).catch((error: unknown) => this.#log.warn(`Batch ${batch.id}: ${messageOf(error)}`));
			}
		}
	}

	async #tell(model: ServerModel, batch: Batch): Promise<void> {
		await this.#watched.remove(model.server.id, batch.id);
		this.#log.info(`Batch ${batch.id} of ${model.server.name} has ended: ${batch.state}`);
		if (!settings.notifyWhenBatchFinished()) {
			return;
		}
		const open = vscode.l10n.t('Open Results');
		const never = vscode.l10n.t("Don't Show Again");
		const { done } = batch.counts;
		const text = vscode.l10n.t(
			'Batch “{0}” on {1} is over ({2}): {3} of {4} jobs have results.',
			batch.name,
			model.server.name,
			batchLook(batch.state).words,
			done,
			batch.total,
		);
		const show = batch.state === 'done' ? vscode.window.showInformationMessage : vscode.window.showWarningMessage;
		const choice = await show(text, ...(done > 0 ? [open, never] : [never]));
		if (choice === open) {
			await vscode.commands.executeCommand('boinc2docker.batch.fetchResults' satisfies CommandId, {
				serverId: model.server.id,
				batchId: batch.id,
			});
		} else if (choice === never) {
			await settings.stopNotifications();
		}
	}
}
