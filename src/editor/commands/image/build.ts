import * as vscode from 'vscode';

import type { Services } from '../../services.js';
import { saveIfChanged } from '../saveIfChanged.js';
import { chooseSource, requireTrust, revealPanel, shownInPanel } from './chooseSource.js';

/** Builds an image with the options of the panel; the panel shows how it goes. */
export async function buildImage(services: Services, given?: unknown): Promise<void> {
	requireTrust();
	const source = await chooseSource(services, vscode.l10n.t('Build Image'), given);
	await saveIfChanged(source.dockerfile);
	await revealPanel(services);
	const { work } = await services.images();
	await shownInPanel(services, () => work.build(source));
}
