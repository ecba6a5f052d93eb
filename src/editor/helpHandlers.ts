import * as vscode from 'vscode';

import type { CommandId } from '../common/ids.js';
import type { HelpAction } from '../common/troubleshooting.js';
import type { HelpHandler } from './errorPresenter.js';
import type { Services } from './services.js';

const run = async (id: CommandId): Promise<void> => {
	await vscode.commands.executeCommand(id);
};

/** What the buttons of error messages do. */
export function helpHandlers(services: Services): Readonly<Record<HelpAction, HelpHandler>> {
	return {
		'choose-key': {
			title: vscode.l10n.t('Choose Key'),
			run: async (retry) => {
				const { chooseKeyFile, chooseServer } = await import('./onDemand.js');
				const { server } = await chooseServer(services, vscode.l10n.t('Choose Key'));
				await services.servers.put({ ...server, identityFile: await chooseKeyFile() });
				retry?.();
			},
		},
		'try-again': { title: vscode.l10n.t('Try Again'), run: (retry) => retry?.() },
		'install-app': { title: vscode.l10n.t('Install App'), run: () => run('boinc2docker.app.install') },
		'choose-engine': {
			title: vscode.l10n.t('Choose Engine'),
			run: async () => {
				await vscode.commands.executeCommand('workbench.action.openSettings', 'boinc2docker.engine.command');
			},
		},
		'add-server': { title: vscode.l10n.t('Add Server'), run: () => run('boinc2docker.server.add') },
		'copy-diagnostics': { title: vscode.l10n.t('Copy Diagnostics'), run: () => run('boinc2docker.diagnostics.copy') },
	};
}
