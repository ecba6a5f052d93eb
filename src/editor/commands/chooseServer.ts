import * as vscode from 'vscode';

import { BoincError } from '../../common/errors.js';
import { STORAGE_KEYS } from '../../common/ids.js';
import { pickOne } from '../quickInput/wizard.js';
import type { ServerModel } from '../servers/serverModel.js';
import type { Services } from '../services.js';
import { AppNode } from '../tree/appNode.js';
import { BatchNode } from '../tree/batchNode.js';
import { ServerNode } from '../tree/serverNode.js';

/** Rows of a quick pick with all servers. */
export function serverChoices(services: Services): { label: string; description: string; value: ServerModel }[] {
	return services.models.all().map((model) => ({ label: model.server.name, description: model.server.target, value: model }));
}

/** The server that a tree row belongs to, or `undefined`. */
export function serverOf(services: Services, item: unknown): ServerModel | undefined {
	const node = item instanceof AppNode ? item.parent : item instanceof BatchNode ? item.server : item;
	return node instanceof ServerNode ? services.models.get(node.model.server.id) : undefined;
}

/** The server of a tree row; else the only one; else the person chooses. Rejects with `usage` when there is none. */
export async function chooseServer(services: Services, title: string, item?: unknown): Promise<ServerModel> {
	const given = serverOf(services, item);
	const choices = serverChoices(services);
	const [first] = choices;
	if (given) {
		return given;
	}
	if (!first) {
		throw new BoincError('target-invalid', vscode.l10n.t('There is no server yet.'), {
			remedy: vscode.l10n.t('Add the server of your BOINC project first.'),
		});
	}
	if (choices.length === 1) {
		return first.value;
	}
	const last = services.workspaceState.get(STORAGE_KEYS.lastServer);
	const selected = choices.find(({ value }) => value.server.id === last)?.value;
	const chosen = await pickOne<ServerModel>(title, {
		placeholder: vscode.l10n.t('On which server?'),
		choices,
		...(selected && { selected }),
	});
	await services.workspaceState.update(STORAGE_KEYS.lastServer, chosen.server.id);
	return chosen;
}
