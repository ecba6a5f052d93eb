import * as vscode from 'vscode';

import { pickOne } from '../../quickInput/wizard.js';
import type { Services } from '../../services.js';
import { orderWords } from '../../tree/optionWords.js';
import { type Order, ORDERS } from '../../tree/viewOptions.js';

/** Asks for the order of the batches. */
export async function sortBatches(services: Services): Promise<void> {
	const order = await pickOne<Order>(vscode.l10n.t('Sort Batches'), {
		placeholder: vscode.l10n.t('In which order?'),
		choices: ORDERS.map((value) => ({ label: orderWords(value), value })),
		selected: services.treeOptions.now.order,
	});
	await services.treeOptions.set({ order });
}
