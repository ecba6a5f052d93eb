import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

import * as vscode from 'vscode';

import { abortError } from '../../../common/errors.js';

/** Lets the person choose a private key; its path on this computer. Rejects with an `AbortError` when nothing is chosen. */
export async function chooseKeyFile(): Promise<string> {
	const usual = path.join(homedir(), '.ssh');
	const [file] =
		(await vscode.window.showOpenDialog({
			title: vscode.l10n.t('Private Key'),
			openLabel: vscode.l10n.t('Use This Key'),
			defaultUri: vscode.Uri.file(existsSync(usual) ? usual : homedir()),
			canSelectMany: false,
		})) ?? [];
	if (!file) {
		throw abortError();
	}
	return file.fsPath;
}
