import * as vscode from 'vscode';

import { abortError } from '../../../common/errors.js';
import type { Services } from '../../services.js';

/** An installation that can be taken back: what the notification about it passes. */
export interface Installation {
	readonly serverId: string;
	readonly backupId: string;
	readonly app: string;
}

function isInstallation(value: unknown): value is Installation {
	const text = (key: string): boolean => typeof (value as Record<string, unknown>)[key] === 'string';
	return typeof value === 'object' && value !== null && text('serverId') && text('backupId') && text('app');
}

/** Takes an installation back after a question: files as before, app versions withdrawn, daemons ended. */
export async function undoInstallation(services: Services, item?: unknown): Promise<void> {
	const model = isInstallation(item) ? services.models.get(item.serverId) : undefined;
	if (!isInstallation(item) || !model) {
		return;
	}
	const { name } = model.server;
	const accept = vscode.l10n.t('Take Back');
	const question = vscode.l10n.t('Take the installation of “{0}” on {1} back?', item.app, name);
	const detail = vscode.l10n.t('Files are as before then. Jobs of these app versions that hosts do not have yet wait for ever.');
	if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, accept)) !== accept) {
		throw abortError();
	}
	const { undoInstall } = await services.core();
	const { remains } = await services.operation(vscode.l10n.t('Taking “{0}” back from {1}', item.app, name), async (ctx) =>
		undoInstall(await model.project(ctx.signal), item.backupId, ctx),
	);
	await model.refresh();
	void vscode.window.showInformationMessage(
		[vscode.l10n.t('The installation of “{0}” on {1} was taken back.', item.app, name), ...remains].join(' '),
	);
}
