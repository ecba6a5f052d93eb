import * as vscode from 'vscode';

import { BatchNode } from './batchNode.js';
import { LoadMoreNode, type PagedNode } from './loadMoreNode.js';
import { MessageNode } from './messageNode.js';
import { contextValue, type NodeCache, type TreeNode } from './node.js';
import { PAGE } from './page.js';
import type { ServerNode } from './serverNode.js';
import { arrange } from './viewOptions.js';

/** An app of a project, with its batches newest first. */
export class AppNode implements PagedNode {
	readonly id: string;
	readonly parent: ServerNode;
	readonly appId: number;
	readonly #cache: NodeCache;
	#limit = PAGE;
	#drawn: number | undefined;

	constructor(parent: ServerNode, appId: number, cache: NodeCache) {
		this.id = `${parent.id}/app/${appId}`;
		this.parent = parent;
		this.appId = appId;
		this.#cache = cache;
	}

	/** Whether its row would say something else than when it was drawn last. */
	looksDifferent(): boolean {
		return this.#running() !== this.#drawn;
	}

	item(): vscode.TreeItem {
		const app = this.parent.model.apps().find(({ id }) => id === this.appId);
		const label = app?.friendlyName === '' ? app.name : (app?.friendlyName ?? String(this.appId));
		const running = this.#running();
		this.#drawn = running;
		const item = new vscode.TreeItem(label, vscode.TreeItemCollapsibleState.Expanded);
		item.id = this.id;
		item.iconPath = new vscode.ThemeIcon('package');
		item.contextValue = contextValue('app', app?.deprecated === true && 'deprecated');
		// The status bar has the number of jobs.
		const batches = running === 1 ? vscode.l10n.t('1 batch running') : vscode.l10n.t('{0} batches running', running);
		item.description = running > 0 ? batches : '';
		item.accessibilityInformation = { label: vscode.l10n.t('App {0}, {1}', label, batches) };
		return item;
	}

	tooltip(): vscode.MarkdownString {
		const app = this.parent.model.apps().find(({ id }) => id === this.appId);
		const versions = (app?.versions ?? []).map(
			({ versionNum, platform, planClass }) => `\n${versionNum}${planClass === '' ? '' : ` (${planClass})`} · ${platform}`,
		);
		return new vscode.MarkdownString().appendText(`${app?.name ?? ''}${versions.join('')}`);
	}

	#running(): number {
		return this.parent.model.batches(this.appId).filter(({ state, uncounted }) => state === 'running' && uncounted !== true)
			.length;
	}

	loadMore(): void {
		this.#limit += PAGE;
	}

	children(): Promise<readonly TreeNode[]> {
		const known = this.parent.model.batches(this.appId);
		const all = arrange(known, this.#cache.options);
		if (all.length === 0) {
			const id = known.length === 0 ? `${this.id}/no-batch` : `${this.id}/no-match`;
			const text = known.length === 0 ? vscode.l10n.t('No jobs yet') : vscode.l10n.t('The filter hides all batches');
			const icon = known.length === 0 ? 'info' : 'filter';
			return Promise.resolve([this.#cache.node(id, () => new MessageNode(id, this, text, icon))]);
		}
		const rows: TreeNode[] = all
			.slice(0, this.#limit)
			.map((batch) => this.#cache.node(`${this.parent.id}/batch/${batch.id}`, () => new BatchNode(this, batch.id, this.#cache)));
		if (all.length > this.#limit) {
			rows.push(this.#cache.node(`${this.id}/more`, () => new LoadMoreNode(this)));
		}
		return Promise.resolve(rows);
	}
}
