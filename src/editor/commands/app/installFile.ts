import path from 'node:path';

import * as vscode from 'vscode';

import { pickOne } from '../../quickInput/wizard.js';
import type { Services } from '../../services.js';
import type { InstallWish } from './askWhatToInstall.js';

/** The `boinc2docker.yml` of the workspace, if it says what to install and the person wants that. Rejects with `config-invalid`. */
export async function wishOfFile(services: Services, title: string): Promise<InstallWish | undefined> {
	if (!vscode.workspace.isTrusted) {
		return undefined;
	}
	const { parseAppFile, choicesOf, saidSources, programSources, DEFAULT_APP } = await services.core();
	for (const workspace of vscode.workspace.workspaceFolders ?? []) {
		const uri = vscode.Uri.joinPath(workspace.uri, 'boinc2docker.yml');
		const bytes = await vscode.workspace.fs.readFile(uri).then(
			(found) => found,
			() => undefined,
		);
		const name = vscode.workspace.asRelativePath(uri);
		const file = bytes && (await parseAppFile(Buffer.from(bytes).toString('utf8'), name));
		const folder = path.dirname(uri.fsPath);
		const said = file && { ...choicesOf(file, folder), ...saidSources(file, folder) };
		if (!file || Object.values(said ?? {}).every((value) => value === undefined)) {
			continue;
		}
		const {
			app = DEFAULT_APP,
			friendlyName = vscode.l10n.t('Containers'),
			busybox,
			platforms,
			keepIn,
			...more
		} = choicesOf(file, folder);
		if (!(await wanted(title, name, app))) {
			return undefined;
		}
		for (const note of file.notes) {
			services.log.warn(note);
		}
		return {
			app,
			friendlyName,
			sources: programSources(saidSources(file, folder), services.builtIso),
			more,
			...(busybox && { busybox }),
			...(platforms && { platforms }),
			...(keepIn !== undefined && { keepIn }),
		};
	}
	return undefined;
}

function wanted(title: string, name: string, app: string): Promise<boolean> {
	return pickOne<boolean>(title, {
		placeholder: vscode.l10n.t('What shall be installed?'),
		choices: [
			{
				label: vscode.l10n.t('$(file-code) As {0} Says', name),
				detail: vscode.l10n.t('The app “{0}”; the plan is shown before anything changes', app),
				value: true,
			},
			{ label: vscode.l10n.t('$(list-selection) Choose Here…'), value: false },
		],
	});
}
