import * as vscode from 'vscode';

import type { Services } from '../../services.js';
import { chooseSource } from './chooseSource.js';

/** Opens what the last build printed as a document; of long steps the end. */
export async function showBuildLog(services: Services, given?: unknown): Promise<void> {
	const source = await chooseSource(services, vscode.l10n.t('Show Build Log'), given);
	const { build } = (await services.images()).state(source);
	if (!build) {
		void vscode.window.showInformationMessage(
			vscode.l10n.t('{0} was not built yet in this window.', `${source.place}/${source.name}`),
		);
		return;
	}
	const text = build.steps.flatMap(({ title, state, dropped, lines }) => [
		`===== ${title} (${state}) =====`,
		...(dropped > 0 ? [vscode.l10n.t('[{0} earlier lines are not kept]', dropped)] : []),
		...lines,
		'',
	]);
	await services.documents.openText(vscode.l10n.t('Build of {0}', source.name), `${text.join('\n')}\n`);
}
