import * as vscode from 'vscode';

import { abortError } from '../../../common/errors.js';
import { STORAGE_KEYS } from '../../../common/ids.js';
import type { WrapperSource } from '../../../project/wrapperSource.js';
import { type Asker, runWizard } from '../../quickInput/wizard.js';
import type { Services } from '../../services.js';

export interface InstallWish {
	/** BOINC's short name. */
	readonly app: string;
	/** For volunteers. */
	readonly friendlyName: string;
	readonly source: WrapperSource;
}

/** Asks for the names of the app and where the wrapper programs come from. */
export async function askWhatToInstall(services: Services): Promise<InstallWish> {
	let app = 'boinc2docker';
	let friendlyName = vscode.l10n.t('Containers');
	let source: WrapperSource | undefined;
	await runWizard(vscode.l10n.t('Install App'), [
		async (ask) => {
			app = await ask.text({
				prompt: vscode.l10n.t('Short name of the app on the project. An app of this name is completed, not replaced.'),
				value: app,
				validate: (text) =>
					/^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$/.test(text)
						? undefined
						: vscode.l10n.t('At most 64 letters, digits, dashes and underscores'),
			});
		},
		async (ask) => {
			friendlyName = await ask.text({
				prompt: vscode.l10n.t('Name of the app that volunteers read'),
				value: friendlyName,
				validate: (text) =>
					text.trim() !== '' && text.length < 255 && !/['"\\`\p{Cc}]/u.test(text)
						? undefined
						: vscode.l10n.t('At most 254 characters without quotes and backslashes'),
			});
		},
		async (ask) => {
			source = await askSource(ask, services);
		},
	]);
	if (!source) {
		throw abortError();
	}
	return { app, friendlyName, source };
}

async function askSource(ask: Asker, services: Services): Promise<WrapperSource> {
	const last = services.globalState.get(STORAGE_KEYS.lastWrappers);
	const kind = await ask.pick<'release' | 'folder' | 'url'>({
		placeholder: vscode.l10n.t('Where do the wrapper programs (docker_wrapper) for the hosts come from?'),
		choices: [
			{
				label: vscode.l10n.t('$(verified) Official Release'),
				detail: vscode.l10n.t("BOINC's own downloads; their SHA-256 is in the plan"),
				value: 'release',
			},
			{
				label: vscode.l10n.t('$(folder) Folder…'),
				detail: vscode.l10n.t('Programs that you have on this computer'),
				value: 'folder',
			},
			{
				label: vscode.l10n.t('$(link) Web Address…'),
				detail: vscode.l10n.t('A folder of programs on a web server'),
				value: 'url',
			},
		],
		...((last === 'release' || last === 'folder' || last === 'url') && { selected: last }),
	});
	const source = kind === 'release' ? { release: 'latest' } : kind === 'folder' ? await askFolder() : await askUrl(ask);
	await services.globalState.update(STORAGE_KEYS.lastWrappers, kind);
	return source;
}

async function askFolder(): Promise<WrapperSource> {
	const [folder] =
		(await vscode.window.showOpenDialog({
			title: vscode.l10n.t('Folder With Wrapper Programs'),
			openLabel: vscode.l10n.t('Use This Folder'),
			canSelectFolders: true,
			canSelectFiles: false,
		})) ?? [];
	if (!folder) {
		throw abortError();
	}
	return { folder: folder.fsPath };
}

async function askUrl(ask: Asker): Promise<WrapperSource> {
	const url = await ask.text({
		prompt: vscode.l10n.t('Address of the folder'),
		placeholder: 'https://example.org/wrappers/',
		validate: (text) =>
			/^https?:\/\/\S+$/.test(text.trim()) ? undefined : vscode.l10n.t('An address that begins with https://'),
	});
	return { url: url.trim() };
}
