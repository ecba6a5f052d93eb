import * as vscode from 'vscode';

import { jobFilePath } from '../../documents/jobFilePath.js';
import type { Services } from '../../services.js';
import { chooseBatch } from '../chooseBatch.js';

/** Opens the job file that a batch was submitted with. */
export async function openBatchJobFile(services: Services, item?: unknown): Promise<void> {
	const { model, batch } = await chooseBatch(services, vscode.l10n.t('Open Job File'), item, () => true);
	await services.documents.open(jobFilePath(model.server.id, batch.id));
}
