import * as vscode from 'vscode';

import { STORAGE_KEYS } from '../../../common/ids.js';
import { parseImageReference } from '../../../image/engine/imageReference.js';
import { askText } from '../../quickInput/wizard.js';
import type { Services } from '../../services.js';
import { chooseSource, revealPanel, shownInPanel } from './chooseSource.js';

/** Pushes the image to a registry by the engine’s own command, with the credentials that it has. */
export async function pushImageToRegistry(services: Services, given?: unknown): Promise<void> {
	const title = vscode.l10n.t('Push Image to Registry');
	const model = await services.images();
	const source = await chooseSource(services, title, given);
	const { tag } = model.memory.options(source);
	const last = services.workspaceState.get(STORAGE_KEYS.lastRegistry);
	const own = parseImageReference(tag);
	const name = own?.registry === 'docker.io' && typeof last === 'string' ? `${last}/${tag}` : tag;
	const reference = await askText(title, {
		prompt: vscode.l10n.t('Name of the image with the registry in front. Your engine’s own login is used.'),
		placeholder: 'registry.example.org/team/program:1.0',
		value: name,
		validate: (text) =>
			parseImageReference(text.trim())
				? undefined
				: vscode.l10n.t('Small letters, digits, dots and dashes: registry.example.org/team/name:1.0'),
	});
	const parsed = parseImageReference(reference.trim());
	if (parsed) {
		await services.workspaceState.update(STORAGE_KEYS.lastRegistry, parsed.registry);
	}
	await revealPanel(services);
	await model.load();
	await shownInPanel(services, () => model.work.pushToRegistry(source, reference.trim()));
}
