import * as vscode from 'vscode';

import { STORAGE_KEYS } from '../../../common/ids.js';
import { askText } from '../../quickInput/wizard.js';
import type { Services } from '../../services.js';

/** Logs in to a registry by the engine’s own command in a terminal of its own: what is typed there is the engine’s business. */
export async function logInToRegistry(services: Services, given?: unknown): Promise<void> {
	const model = await services.images();
	const source = typeof given === 'string' ? model.source(given) : undefined;
	const refused = source && model.state(source).registryPush?.place.split('/')[0];
	const registry = refused ?? (await askRegistry(services));
	const { command } = await model.engine.find();
	const terminal = vscode.window.createTerminal({
		name: vscode.l10n.t('Log In'),
		shellPath: command,
		shellArgs: ['login', registry],
	});
	terminal.show();
}

async function askRegistry(services: Services): Promise<string> {
	const last = services.workspaceState.get(STORAGE_KEYS.lastRegistry);
	const typed = await askText(vscode.l10n.t('Log In to Registry'), {
		prompt: vscode.l10n.t('Address of the registry'),
		placeholder: 'registry.example.org',
		value: typeof last === 'string' ? last : '',
		validate: (text) =>
			/^[a-z0-9[][\w.:[\]-]*$/i.test(text.trim())
				? undefined
				: vscode.l10n.t('A name, with a port if need be: registry.example.org:5000'),
	});
	return typed.trim();
}
