import * as vscode from 'vscode';

import type { Services } from '../../services.js';
import { chooseServer } from '../chooseServer.js';

/** Forgets a server here. Nothing changes on the server, and adding it again brings everything back: so no question. */
export async function removeServer(services: Services, item?: unknown): Promise<void> {
	const { server } = await chooseServer(services, vscode.l10n.t('Remove Server'), item);
	await services.servers.remove(server.id);
	for (const batchId of services.watched.of(server.id)) {
		await services.watched.remove(server.id, batchId);
	}
	const undo = vscode.l10n.t('Undo');
	const text = vscode.l10n.t('Removed {0} from the list. Its jobs go on.', server.name);
	if ((await vscode.window.showInformationMessage(text, undo)) === undo) {
		await services.servers.put(server);
	}
}
