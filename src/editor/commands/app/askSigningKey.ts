import { readFile } from 'node:fs/promises';

import * as vscode from 'vscode';

import { abortError, type BoincError } from '../../../common/errors.js';
import { pickOne } from '../../quickInput/wizard.js';

/** Asks for the project's signing key when the server has none; its text. It does not leave this computer. */
export async function askSigningKey(title: string, error: BoincError): Promise<string> {
	await pickOne<true>(title, {
		placeholder: error.message,
		choices: [
			{
				label: vscode.l10n.t('$(key) Sign on This Computer…'),
				detail: vscode.l10n.t('Choose the file code_sign_private of the project. Only signatures are sent to the server.'),
				value: true,
			},
		],
	});
	const [file] =
		(await vscode.window.showOpenDialog({
			title: vscode.l10n.t('Key That Signs App Files'),
			openLabel: vscode.l10n.t('Sign With This Key'),
			canSelectMany: false,
		})) ?? [];
	if (!file) {
		throw abortError();
	}
	return readFile(file.fsPath, 'utf8');
}
