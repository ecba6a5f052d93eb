import * as vscode from 'vscode';

import type { Services } from '../../services.js';
import { BatchNode } from '../../tree/batchNode.js';
import { chooseBatch } from '../chooseBatch.js';

/** Opens the page of a batch in an editor tab. From a row of the tree the focus stays there, as in the Explorer. */
export async function openBatch(services: Services, item?: unknown): Promise<void> {
	const { model, batch } = await chooseBatch(services, vscode.l10n.t('Open Batch'), item, () => true);
	const focus = item instanceof BatchNode ? 'stays' : 'moves';
	await services.batchPanels().show({ serverId: model.server.id, batchId: batch.id }, batch.name, focus);
}
