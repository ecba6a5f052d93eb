import * as vscode from 'vscode';

import { pickOne } from '../../quickInput/wizard.js';
import type { Services } from '../../services.js';
import { groupingWords } from '../../tree/optionWords.js';
import { type Grouping, GROUPINGS } from '../../tree/viewOptions.js';

/** Asks what the jobs of a batch are put together by. */
export async function groupJobsBy(services: Services): Promise<void> {
	const title = vscode.l10n.t('Group Jobs By');
	const group = await pickOne<Grouping>(title, {
		placeholder: vscode.l10n.t('What shall the jobs of a batch be put together by?'),
		choices: GROUPINGS.map((value) => ({ label: groupingWords(value), value })),
		selected: services.treeOptions.now.group,
	});
	await services.treeOptions.set({ group });
}
