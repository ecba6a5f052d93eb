import * as vscode from 'vscode';

import { type Disposable, DisposableStore } from '../../common/disposable.js';
import { messageOf } from '../../common/errors.js';
import type { CommandId } from '../../common/ids.js';
import type { ServersView } from '../tree/jobsTree.js';

const FOCUS_VIEW = 'boinc2docker.views.jobs.focus';
const LINKS = [
	'boinc2docker.job.submit',
	'boinc2docker.view.refresh',
	'boinc2docker.log.show',
] as const satisfies readonly CommandId[];

/** One item on the left: the server and how many jobs run. Hidden while there is no server. */
export class StatusItem implements Disposable {
	readonly #item: vscode.StatusBarItem;
	readonly #servers: ServersView;
	readonly #owned = new DisposableStore();

	constructor(servers: ServersView) {
		this.#servers = servers;
		this.#item = this.#owned.add(vscode.window.createStatusBarItem('boinc2docker.status', vscode.StatusBarAlignment.Left, 0));
		this.#item.name = 'BOINC';
		this.#item.command = FOCUS_VIEW;
		this.#owned.add(servers.onDidChange(() => this.#update()));
		this.#update();
	}

	dispose(): void {
		this.#owned.dispose();
	}

	#update(): void {
		const all = this.#servers.all();
		const [first] = all;
		if (!first) {
			this.#item.hide();
			return;
		}
		const troubled = all.filter(({ status }) => status.kind === 'trouble');
		const jobs = all.flatMap((model) => model.batches()).reduce((sum, { counts }) => sum + counts.running, 0);
		const name = all.length === 1 ? first.server.name : vscode.l10n.t('{0} servers', all.length);
		const busy = all.some(({ status }) => status.kind === 'connecting');
		const icon = busy ? '$(sync~spin)' : troubled.length > 0 ? '$(warning)' : '$(server)';
		const state = troubled.length === all.length ? vscode.l10n.t('not reachable') : vscode.l10n.t('{0} running', jobs);
		this.#item.text = busy ? `${icon} ${name}` : `${icon} ${name}: ${state}`;
		this.#item.accessibilityInformation = { label: vscode.l10n.t('BOINC, {0}, {1}', name, state) };
		this.#item.backgroundColor =
			troubled.length === all.length ? new vscode.ThemeColor('statusBarItem.errorBackground') : undefined;
		this.#item.tooltip = this.#tooltip();
		this.#item.show();
	}

	#tooltip(): vscode.MarkdownString {
		const text = new vscode.MarkdownString(undefined, true);
		text.isTrusted = { enabledCommands: LINKS };
		for (const { server, status } of this.#servers.all()) {
			text.appendText(`${server.name}${status.kind === 'trouble' ? ` — ${messageOf(status.error)}` : ''}\n`);
		}
		const titles = [vscode.l10n.t('Submit as BOINC Job'), vscode.l10n.t('Refresh'), vscode.l10n.t('Show Log')];
		text.appendMarkdown(`\n\n---\n\n${LINKS.map((id, i) => `[${titles[i] ?? id}](command:${id})`).join(' · ')}`);
		return text;
	}
}
