import path from 'node:path';

import * as vscode from 'vscode';

import { abortError } from '../../../common/errors.js';
import type { Services } from '../../services.js';
import { JobNode } from '../../tree/jobNode.js';

/** Puts all that a job needs into a folder, with a script that runs it: to look into, to keep, or to run on another computer. */
export async function saveCapsule(services: Services, item?: unknown): Promise<void> {
	const model = item instanceof JobNode ? services.models.get(item.server.id) : undefined;
	if (!(item instanceof JobNode) || !model) {
		return;
	}
	const { name } = item.job;
	const [parent] =
		(await vscode.window.showOpenDialog({
			title: vscode.l10n.t('Folder for the Capsule of {0}', name),
			openLabel: vscode.l10n.t('Put Capsule Here'),
			canSelectFolders: true,
			canSelectFiles: false,
		})) ?? [];
	if (!parent) {
		throw abortError();
	}
	const folder = path.join(parent.fsPath, name);
	await services.operation(vscode.l10n.t('Saving the capsule of {0}', name), async (ctx) => {
		const { makeCapsule } = await services.core();
		await makeCapsule(await model.project(ctx.signal), name, folder, ctx);
	});
	const open = vscode.l10n.t('Open Script');
	const text = vscode.l10n.t('The capsule of {0} is in {1}; run.sh runs it.', name, folder);
	if ((await vscode.window.showInformationMessage(text, open)) === open) {
		await vscode.window.showTextDocument(vscode.Uri.file(path.join(folder, 'run.sh')));
	}
}
