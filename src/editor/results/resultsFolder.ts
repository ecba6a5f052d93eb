import { realpath } from 'node:fs/promises';
import path from 'node:path';

import * as vscode from 'vscode';

import { BoincError } from '../../common/errors.js';
import { settings } from '../settings.js';

/**
 * The folder for results in a folder of the workspace; `undefined` without one. Rejects with `file-in-the-way` when it leads out
 * of the workspace.
 */
export async function resultsFolder(workspace: vscode.WorkspaceFolder | undefined): Promise<string | undefined> {
	if (workspace?.uri.scheme !== 'file') {
		return undefined;
	}
	const target = path.join(workspace.uri.fsPath, settings.resultsFolder(workspace.uri));
	await refuseLinkOutside(workspace.uri.fsPath, target);
	return target;
}

/** A workspace may bring a link that points elsewhere under the name of the results' folder. */
async function refuseLinkOutside(workspace: string, target: string): Promise<void> {
	const real = await realpath(target).catch(() => target);
	const root = await realpath(workspace).catch(() => workspace);
	if (real !== target && path.relative(root, real).startsWith('..')) {
		throw new BoincError('file-in-the-way', vscode.l10n.t('{0} is a link to a folder outside of the workspace.', target), {
			remedy: vscode.l10n.t('Remove the link, or choose another folder in the setting boinc2docker.results.folder.'),
		});
	}
}
