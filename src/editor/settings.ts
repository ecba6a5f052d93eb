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

	async stopNotifications(): Promise<void> {
		await vscode.workspace
			.getConfiguration()
			.update('boinc2docker.notifications.batchFinished' satisfies SettingId, false, vscode.ConfigurationTarget.Global);
	},
};
