import * as vscode from 'vscode';

import type { SettingId } from '../common/ids.js';

const DEFAULT_FOLDER = 'boinc-results';

function read(id: SettingId, scope?: vscode.Uri): unknown {
	return vscode.workspace.getConfiguration(undefined, scope).get(id);
}

/** The settings, checked: a value of the wrong type counts as absent. */
export const settings = {
	/** The engine's program, or `undefined` for the one that answers. */
	engineCommand(): string | undefined {
		const value = read('boinc2docker.engine.command');
		return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
	},

	/** Relative path inside the workspace folder. */
	resultsFolder(workspace: vscode.Uri): string {
		const value = read('boinc2docker.results.folder', workspace);
		const usable =
			typeof value === 'string' &&
			value.trim() !== '' &&
			!/^([/\\]|[A-Za-z]:)/.test(value) &&
			!value.split(/[/\\]/).includes('..');
		return usable ? value : DEFAULT_FOLDER;
	},

	/** Whether results of watched batches are fetched by themselves. */
	streamResults(): boolean {
		return read('boinc2docker.results.stream') !== false;
	},

	notifyWhenBatchFinished(): boolean {
		return read('boinc2docker.notifications.batchFinished') !== false;
	},

	notifyAtFirstFailure(): boolean {
		return read('boinc2docker.notifications.firstFailure') !== false;
	},

	/** Share of the jobs, from 0 to 1, with whose results the person wants to be told; 0 for never. */
	notifyThreshold(): number {
		const value = read('boinc2docker.notifications.threshold');
		return typeof value === 'number' && value > 0 && value < 100 ? value / 100 : 0;
	},

	/** Turns one kind of notification off for good. */
	async stopNotifications(id: SettingId): Promise<void> {
		const off = id === 'boinc2docker.notifications.threshold' ? 0 : false;
		await vscode.workspace.getConfiguration().update(id, off, vscode.ConfigurationTarget.Global);
	},
};
