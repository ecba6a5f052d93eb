import * as vscode from 'vscode';

import { BuildRun } from '../../images/buildRun.js';
import { CountRun } from '../../images/countRun.js';
import { PushRun } from '../../images/pushRun.js';
import type { Run } from '../../images/run.js';
import { pickOne } from '../../quickInput/wizard.js';
import type { Services } from '../../services.js';

/** Stops a build or a push; the person chooses when there are several. */
export async function cancelImageWork(services: Services): Promise<void> {
	const running = (await services.images()).running();
	const [first, ...others] = running;
	if (!first) {
		void vscode.window.showInformationMessage(vscode.l10n.t('No image is being built or pushed.'));
		return;
	}
	const what =
		others.length === 0
			? first.what
			: await pickOne<Run<unknown>>(vscode.l10n.t('Cancel Build or Push'), {
					placeholder: vscode.l10n.t('Which one?'),
					choices: running.map(({ source, what: value }) => ({
						label: nameOf(value),
						description: `${source.place}/${source.name}`,
						value,
					})),
				});
	what.cancel();
}

function nameOf(run: Run<unknown>): string {
	if (run instanceof BuildRun) {
		return vscode.l10n.t('Build');
	}
	if (run instanceof CountRun) {
		return vscode.l10n.t('Count of the build context');
	}
	return run instanceof PushRun ? vscode.l10n.t('Push to {0}', run.place) : vscode.l10n.t('Cost');
}
