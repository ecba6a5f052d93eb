import * as vscode from 'vscode';

import type { CommandId } from '../../common/ids.js';
import { contextValue, type TreeNode } from './node.js';

/** A node whose children come in pages. */
export interface PagedNode extends TreeNode {
	/** Shows one page more from the next refresh on. */
	loadMore(): void;
}

/** The last row of a list that goes on. */
export class LoadMoreNode implements TreeNode {
	readonly id: string;
	readonly parent: PagedNode;

	constructor(parent: PagedNode) {
		this.id = `${parent.id}/more`;
		this.parent = parent;
	}

	item(): vscode.TreeItem {
		const label = vscode.l10n.t('Load More');
		const item = new vscode.TreeItem(label);
		item.id = this.id;
		item.iconPath = new vscode.ThemeIcon('ellipsis');
		item.contextValue = contextValue('more');
		item.accessibilityInformation = { label };
		item.command = { command: 'boinc2docker.view.loadMore' satisfies CommandId, title: label, arguments: [this] };
		return item;
	}
}
