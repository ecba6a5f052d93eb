import * as vscode from 'vscode';

import { readable } from '../../common/readableText.js';
import type { InstanceLog } from '../../monitor/instanceLog.js';

/** The log of an instance as a document: the container first, for that is what people look for. */
export function formatLog(log: InstanceLog): string {
	const sections: readonly (readonly [title: string, text: string])[] = [
		[vscode.l10n.t('Why it failed, as the client says'), log.message],
		[vscode.l10n.t('Container'), log.container],
		[vscode.l10n.t('Wrapper'), log.wrapper],
	];
	const shown = sections.filter(([, text]) => text !== '');
	return shown.length === 0
		? vscode.l10n.t('The host has reported no log.')
		: shown.map(([title, text]) => `===== ${title} =====\n${readable(text).trimEnd()}\n`).join('\n');
}
