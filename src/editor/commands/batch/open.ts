import * as vscode from 'vscode';

import type { Services } from '../../services.js';
import { chooseBatch } from '../chooseBatch.js';

/** Opens the page of a batch in an editor tab. */
export async function openBatch(services: Services, item?: unknown): Promise<void> {
	const { model, batch } = await chooseBatch(services, vscode.l10n.t('Open Batch'), item, () => true);
	services.batchPanels().show({ serverId: model.server.id, batchId: batch.id }, batch.name);
}
