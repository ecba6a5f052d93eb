import * as vscode from 'vscode';

import { abortError, BoincError } from '../../../common/errors.js';
import { pickOne } from '../../quickInput/wizard.js';
import type { Services } from '../../services.js';
import { chooseServer } from '../chooseServer.js';

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

/** One that the person chooses, of those that were not taken back. Rejects with `install-failed` when there is none. */
async function chooseInstallation(services: Services, item: unknown): Promise<Installation> {
	const title = vscode.l10n.t('Undo Installation');
	const model = await chooseServer(services, title, item);
	const { server } = model;
	const { listInstallations } = await services.core();
	const found = await services.operation(vscode.l10n.t('Reading the installations on {0}', server.name), async (ctx) =>
		listInstallations(await model.project(ctx.signal), ctx.signal),
	);
	const open = found.filter(({ state }) => state !== 'undone');
	if (open.length === 0) {
		throw new BoincError('install-failed', vscode.l10n.t('Nothing is installed on {0} that could be taken back.', server.name));
	}
	return pickOne<Installation>(title, {
		placeholder: vscode.l10n.t('Which installation on {0}?', server.name),
		choices: open.map(({ id, app, files }) => ({
			label: app,
			description: id.slice(0, -app.length - 1),
			detail: files.join(', '),
			value: { serverId: server.id, backupId: id, app },
		})),
	});
}

/** Takes an installation back after a question that tells what becomes of jobs: files as before, app versions withdrawn, daemons ended. */
export async function undoInstallation(services: Services, item?: unknown): Promise<void> {
	const { serverId, backupId, app } = isInstallation(item) ? item : await chooseInstallation(services, item);
	const model = services.models.get(serverId);
	if (!model) {
		return;
	}
	const { name } = model.server;
	const { undoEffects, undoInstall } = await services.core();
	const effects = await services.operation(vscode.l10n.t('Looking at the jobs of “{0}” on {1}', app, name), async (ctx) =>
		undoEffects(await model.project(ctx.signal), backupId, ctx.signal),
	);
	const accept = vscode.l10n.t('Take Back');
	const question = vscode.l10n.t('Take the installation of “{0}” on {1} back?', app, name);
	const detail = [vscode.l10n.t('Files are as before then.'), ...effects].join(' ');
	if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, accept)) !== accept) {
		throw abortError();
	}
	const { remains } = await services.operation(vscode.l10n.t('Taking “{0}” back from {1}', app, name), async (ctx) =>
		undoInstall(await model.project(ctx.signal), backupId, ctx),
	);
	await model.refresh();
	void vscode.window.showInformationMessage(
		[vscode.l10n.t('The installation of “{0}” on {1} was taken back.', app, name), ...remains].join(' '),
	);
}
