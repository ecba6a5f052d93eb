import * as vscode from 'vscode';

import { abortError } from '../../../common/errors.js';
import { pickOne } from '../../quickInput/wizard.js';
import type { Services } from '../../services.js';
import { shownWords } from '../../tree/optionWords.js';
import { SHOWN, type Shown } from '../../tree/viewOptions.js';

/** Asks which batches the tree shows: by their state, or by a text in their names. */
export async function filterBatches(services: Services): Promise<void> {
	const title = vscode.l10n.t('Filter Batches');
	const { shown, text } = services.treeOptions.now;
	const choice = await pickOne<Shown | 'text'>(title, {
		placeholder: vscode.l10n.t('Which batches?'),
		choices: [
			...SHOWN.map((value) => ({ label: shownWords(value), value })),
			{ label: vscode.l10n.t('By Name…'), description: text, value: 'text' as const },
		],
		selected: shown,
	});
	if (choice !== 'text') {
		await services.treeOptions.set(choice === 'all' ? { shown: choice, text: '' } : { shown: choice });
		return;
	}
	const wanted = await vscode.window.showInputBox({
		title,
		value: text,
		prompt: vscode.l10n.t('Text in the name of a batch; empty for all'),
		ignoreFocusOut: true,
	});
	if (wanted === undefined) {
		throw abortError();
	}
	await services.treeOptions.set({ text: wanted.trim() });
}
