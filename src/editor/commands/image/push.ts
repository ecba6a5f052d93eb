import * as vscode from 'vscode';

import type { Services } from '../../services.js';
import { chooseServer } from '../chooseServer.js';
import { addServer } from '../server/add.js';
import { chooseSource, revealPanel, shownInPanel } from './chooseSource.js';

/** Sends the image to the BOINC server: packs that it has stay where they are, and after a failure the rest follows. */
export async function pushImage(services: Services, given?: unknown): Promise<void> {
	const title = vscode.l10n.t('Push Image to Server');
	const model = await services.images();
	const source = await chooseSource(services, title, given);
	if (model.servers().length === 0) {
		await addServer(services);
	}
	// The panel has its own choice of the server.
	const server =
		typeof given === 'string' ? (model.server ?? (await chooseServer(services, title))) : await chooseServer(services, title);
	await model.setServer(server.server.id);
	await revealPanel(services);
	await model.load();
	await shownInPanel(services, () => model.work.push(source, server));
}
