import type { ByteString } from '../tar/tarHeader.js';
import type { FileTree } from './fileTree.js';
import type { Inode } from './inode.js';
import { ROOT_NAME } from './nameTable.js';

export interface TreeItem {
	/** Number of the name in the tree. */
	readonly name: number;
	/** Without a slash at either end; empty for the root. */
	readonly path: ByteString;
	readonly inode: Inode;
}

/** Everything in a tree, directories before what is in them, names in order of their bytes. */
export function* walkTree(tree: FileTree): Generator<TreeItem, void, undefined> {
	for (const name of walkNames(tree)) {
		yield { name, path: tree.pathOf(name), inode: tree.inodeOf(name) };
	}
}

/** The numbers of all names in a tree, in the order of `walkTree`. */
export function* walkNames(tree: FileTree): Generator<number, void, undefined> {
	yield ROOT_NAME;
	const open: { readonly names: Int32Array; at: number }[] = [{ names: tree.root.children.sorted(), at: 0 }];
	// A generator for each directory would hand every name through all those above it.
	for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
		const name = top.names[top.at++];
		if (name === undefined) {
			open.pop();
			continue;
		}
		yield name;
		const inode = tree.inodeOf(name);
		if (inode.kind === 'directory') {
			open.push({ names: inode.children.sorted(), at: 0 });
		}
	}
}
