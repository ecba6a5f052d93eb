import * as vscode from 'vscode';

import { pickOne } from '../../quickInput/wizard.js';
import type { Services } from '../../services.js';
import { chooseSource, revealPanel } from './chooseSource.js';

/** Chooses the local image of a Dockerfile that cost, push and jobs are about. */
export async function chooseImage(services: Services, given?: unknown): Promise<void> {
	const title = vscode.l10n.t('Choose Local Image');
	const model = await services.images();
	const source = await chooseSource(services, title, given);
	await model.load();
	const { images = [] } = model.state(source);
	if (images.length === 0) {
		void vscode.window.showInformationMessage(vscode.l10n.t('There is no image of {0} yet.', `${source.place}/${source.name}`));
		return;
	}
	const id = await pickOne<string>(title, {
		placeholder: vscode.l10n.t('Which image?'),
		choices: images.map(({ id: value, names, platform }) => ({
			label: names[0] ?? value.slice(0, 12),
			description: platform,
			value,
		})),
	});
	await model.select(source, id);
	await revealPanel(services);
}
