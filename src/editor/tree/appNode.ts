import * as vscode from 'vscode';

import { BatchNode } from './batchNode.js';
import { LoadMoreNode, type PagedNode } from './loadMoreNode.js';
import { MessageNode } from './messageNode.js';
import { contextValue, type NodeCache, type TreeNode } from './node.js';
import { PAGE } from './page.js';
import type { ServerNode } from './serverNode.js';

/** An app of a project, with its batches newest first. */
export class AppNode implements PagedNode {
	readonly id: string;
	readonly parent: ServerNode;
	readonly appId: number;
	readonly #cache: NodeCache;
	#limit = PAGE;

	constructor(parent: ServerNode, appId: number, cache: NodeCache) {
		this.id = `${parent.id}/app/${appId}`;
		this.parent = parent;
		this.appId = appId;
		this.#cache = cache;
	}

	item(): vscode.TreeItem {
		const app = this.parent.model.apps().find(({ id }) => id === this.appId);
		const label = app?.friendlyName === '' ? app.name : (app?.friendlyName ?? String(this.appId));
		const running = this.parent.model.batches(this.appId).filter(({ state }) => state === 'running').length;
		const item = new vscode.TreeItem(label, vscode.TreeItemCollapsibleState.Expanded);
		item.id = this.id;
		item.iconPath = new vscode.ThemeIcon('package');
		item.contextValue = contextValue('app', app?.deprecated === true && 'deprecated');
		item.description = running > 0 ? vscode.l10n.t('{0} running', running) : '';
		item.accessibilityInformation = { label: vscode.l10n.t('App {0}, {1} batches running', label, running) };
		return item;
	}

	tooltip(): vscode.MarkdownString {
		const app = this.parent.model.apps().find(({ id }) => id === this.appId);
		const versions = (app?.versions ?? []).map(
			({ versionNum, platform, planClass }) => `\n${versionNum}${planClass === '' ? '' : ` (${planClass})`} · ${platform}`,
		);
		return new vscode.MarkdownString().appendText(`${app?.name ?? ''}${versions.join('')}`);
	}

	loadMore(): void {
		this.#limit += PAGE;
	}

	children(): Promise<readonly TreeNode[]> {
		const all = this.parent.model.batches(this.appId);
		if (all.length === 0) {
			const id = `${this.id}/no-batch`;
			return Promise.resolve([this.#cache.node(id, () => new MessageNode(id, this, vscode.l10n.t('No jobs yet'), 'info'))]);
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
