import * as vscode from 'vscode';

import { contextValue, type TreeNode } from './node.js';

/** A row that only says something: why there is nothing below its parent. */
export class MessageNode implements TreeNode {
	readonly id: string;
	readonly parent: TreeNode;
	readonly #text: string;
	readonly #icon: string;

	constructor(id: string, parent: TreeNode, text: string, icon: string) {
		this.id = id;
		this.parent = parent;
		this.#text = text;
		this.#icon = icon;
	}

	item(): vscode.TreeItem {
		const item = new vscode.TreeItem(this.#text);
		item.id = this.id;
		item.iconPath = new vscode.ThemeIcon(this.#icon);
		item.contextValue = contextValue('message');
		item.accessibilityInformation = { label: this.#text };
		return item;
	}
}
