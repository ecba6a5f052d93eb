import * as vscode from 'vscode';

import { messageOf } from '../../common/errors.js';
import { parseTarget } from '../../connection/target.js';
import type { ServerView } from '../servers/serverModel.js';
import { AppNode } from './appNode.js';
import { MessageNode } from './messageNode.js';
import { contextValue, type NodeCache, type TreeNode } from './node.js';

/** A server and its project. Unfolding it connects. */
export class ServerNode implements TreeNode {
	readonly parent = undefined;
	readonly id: string;
	readonly model: ServerView;
	readonly #cache: NodeCache;

	constructor(model: ServerView, cache: NodeCache) {
		this.id = model.server.id;
		this.model = model;
		this.#cache = cache;
	}

	item(): vscode.TreeItem {
		const { server, status } = this.model;
		const item = new vscode.TreeItem(server.name, vscode.TreeItemCollapsibleState.Expanded);
		item.id = this.id;
		item.description = this.#description();
		item.contextValue = contextValue('server', status.kind);
		item.iconPath =
			status.kind === 'trouble'
				? new vscode.ThemeIcon('warning', new vscode.ThemeColor('list.warningForeground'))
				: new vscode.ThemeIcon(status.kind === 'connecting' ? 'loading~spin' : 'server');
		item.accessibilityInformation = { label: vscode.l10n.t('Server {0}, {1}', server.name, this.#description()) };
		return item;
	}

	tooltip(): vscode.MarkdownString {
		const { server, status } = this.model;
		const text = new vscode.MarkdownString().appendText(`${server.name}\n${server.target}`);
		return status.kind === 'trouble' ? text.appendText(`\n${messageOf(status.error)}`) : text;
	}

	async children(): Promise<readonly TreeNode[]> {
		await this.model.load();
		const apps = this.model.apps();
		const withBatches = new Set(this.model.batches().map(({ appId }) => appId));
		const shown = apps.filter((app) => withBatches.has(app.id) || app.versions.some(({ runtime }) => runtime !== undefined));
		if (shown.length > 0) {
			return shown.map((app) => this.#cache.node(`${this.id}/app/${app.id}`, () => new AppNode(this, app.id, this.#cache)));
		}
		if (this.model.status.kind !== 'ready') {
			return []; // the description and the message above the tree say why
		}
		return [
			this.#cache.node(
				`${this.id}/no-app`,
				() => new MessageNode(`${this.id}/no-app`, this, vscode.l10n.t('No app for containers is installed'), 'info'),
			),
		];
	}

	#description(): string {
		const { status, server } = this.model;
		switch (status.kind) {
			case 'connecting':
				return vscode.l10n.t('connecting…');
			case 'trouble':
				return vscode.l10n.t('not reachable');
			case 'idle':
			case 'ready': {
				const target = parseTarget(server.target);
				return target.kind === 'local' ? vscode.l10n.t('this computer') : target.host;
			}
		}
	}
}
