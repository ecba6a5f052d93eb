import * as vscode from 'vscode';

import { type Disposable, DisposableStore } from '../../common/disposable.js';
import { messageOf } from '../../common/errors.js';
import type { CommandId, SettingId } from '../../common/ids.js';
import type { Clock, Log } from '../../common/ports.js';
import type { Batch } from '../../monitor/types.js';
import type { ServerModel } from '../servers/serverModel.js';
import type { ServerModels } from '../servers/serverModels.js';
import { settings } from '../settings.js';
import { batchLook } from '../tree/stateLook.js';
import { type News, newsOf } from './batchNews.js';
import type { ToldOnce } from './toldOnce.js';
import type { WatchedBatches } from './watchedBatches.js';

export interface NotifierPorts {
	readonly log: Log;
	readonly clock: Clock;
	readonly told: ToldOnce;
	/** Shows a batch in the tree. */
	reveal(serverId: string, batchId: number): Promise<void>;
}

/** Which setting turns a kind of news off. */
const SETTING: Readonly<Record<News, SettingId>> = {
	ended: 'boinc2docker.notifications.batchFinished',
	firstFailure: 'boinc2docker.notifications.firstFailure',
	threshold: 'boinc2docker.notifications.threshold',
};

/** Says once that a watched batch has ended, has its first failure or so many results, with the way to it. */
export class BatchNotifier implements Disposable {
	readonly #models: ServerModels;
	readonly #watched: WatchedBatches;
	readonly #ports: NotifierPorts;
	readonly #owned = new DisposableStore();
	/** What this window has looked at already: the files need not be asked at every poll. */
	readonly #known = new Set<string>();

	constructor(models: ServerModels, watched: WatchedBatches, ports: NotifierPorts) {
		this.#models = models;
		this.#watched = watched;
		this.#ports = ports;
		this.#owned.add(models.onDidChange(() => this.#check()));
		ports.told.tidy(ports.clock.now()).catch((error: unknown) => ports.log.warn(messageOf(error)));
	}

	dispose(): void {
		this.#owned.dispose();
	}

	#check(): void {
		for (const model of this.#models.all()) {
			const watched = this.#watched.of(model.server.id);
			for (const batch of model.batches().filter(({ id }) => watched.includes(id))) {
				for (const news of newsOf(batch, settings.notifyThreshold())) {
					this.#tell(model, batch, news).catch((error: unknown) =>
						this.#ports.log.warn(`Batch ${batch.id}: ${messageOf(error)}`),
					);
				}
			}
		}
	}

	async #tell(model: ServerModel, batch: Batch, news: News): Promise<void> {
		const { log, told } = this.#ports;
		const key = `${model.server.id}.${batch.id}.${news}`;
		if (news === 'ended') {
			await this.#watched.remove(model.server.id, batch.id);
		} else if (this.#known.has(key)) {
			return;
		}
		this.#known.add(key);
		if (!(await told.claim(key))) {
			return;
		}
		log.info(`Batch ${batch.id} of ${model.server.name}: ${news}, ${batch.state}`);
		if (this.#wanted(news)) {
			await this.#show(model, batch, news);
		}
	}

	#wanted(news: News): boolean {
		switch (news) {
			case 'ended':
				return settings.notifyWhenBatchFinished();
			case 'firstFailure':
				return settings.notifyAtFirstFailure();
			case 'threshold':
				return true; // without a threshold there is no such news
		}
	}

	async #show(model: ServerModel, batch: Batch, news: News): Promise<void> {
		const { done, failed } = batch.counts;
		const results = news !== 'firstFailure' && done > 0;
		const open = results ? vscode.l10n.t('Open Results') : vscode.l10n.t('Open');
		const never = vscode.l10n.t("Don't Show Again");
		const good = news === 'threshold' || batch.state === 'done';
		const show = good ? vscode.window.showInformationMessage : vscode.window.showWarningMessage;
		const choice = await show(this.#text(model, batch, news, failed), open, never);
		if (choice === never) {
			await settings.stopNotifications(SETTING[news]);
		} else if (choice === open && results) {
			await vscode.commands.executeCommand('boinc2docker.batch.fetchResults' satisfies CommandId, {
				serverId: model.server.id,
				batchId: batch.id,
			});
		} else if (choice === open) {
			await this.#ports.reveal(model.server.id, batch.id);
		}
	}

	#text({ server }: ServerModel, batch: Batch, news: News, failed: number): string {
		const { t } = vscode.l10n;
		const { done } = batch.counts;
		switch (news) {
			case 'ended':
				return t(
					'Batch “{0}” on {1} is over ({2}): {3} of {4} jobs have results.',
					batch.name,
					server.name,
					batchLook(batch.state).words,
					done,
					batch.total,
				);
			case 'firstFailure':
				return failed === 1
					? t('The first job of batch “{0}” on {1} has failed.', batch.name, server.name)
					: t('{0} jobs of batch “{1}” on {2} have failed.', failed, batch.name, server.name);
			case 'threshold':
				return t('{0} of {1} jobs of batch “{2}” on {3} have results.', done, batch.total, batch.name, server.name);
		}
	}
}
