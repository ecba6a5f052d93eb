import * as vscode from 'vscode';

import type { Services } from '../../services.js';
import { chooseSource, revealPanel, shownInPanel } from './chooseSource.js';

/** Shows in the panel what an image costs to send, to download and to run. */
export async function showImageCost(services: Services, given?: unknown): Promise<void> {
	const model = await services.images();
	const source = await chooseSource(services, vscode.l10n.t('Show What an Image Costs'), given);
	await revealPanel(services);
	await model.load();
	await shownInPanel(services, () => model.work.showCost(source, model.server));
}
