import type * as vscode from 'vscode';

import type { TreeOptions } from './viewOptions.js';

/**
 * A row of the tree. Nodes live as long as their thing is shown: the tree keeps them by id, so that a refresh of one row
 * leaves selection and unfolded rows alone.
 */
export interface TreeNode {
	/** From server, kind and database id; never from text or time. */
	readonly id: string;
	readonly parent: TreeNode | undefined;
	/** Without a tooltip: `tooltip` is asked for when the pointer rests on the row. */
	item(): vscode.TreeItem;
	tooltip?(): vscode.MarkdownString;
	children?(): Promise<readonly TreeNode[]>;
}

/** Gives the node with this id, or makes it, and says how rows are put together. Passed to nodes that have children. */
export interface NodeCache {
	readonly options: TreeOptions;
	node<T extends TreeNode>(id: string, make: () => T): T;
}

/** `boinc2docker.job+running+cancellable`, which menus test in their `when` clauses. */
export function contextValue(type: string, ...traits: readonly (string | false)[]): string {
	return [`boinc2docker.${type}`, ...traits.filter((trait) => trait !== false)].join('+');
}
