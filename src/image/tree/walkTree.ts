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
	yield { name: ROOT_NAME, path: '', inode: tree.root };
	yield* below(tree, tree.root, '');
}

function* below(tree: FileTree, directory: Inode, prefix: ByteString): Generator<TreeItem, void, undefined> {
	for (const name of directory.children.sorted()) {
		const inode = tree.inodeOf(name);
		const path = `${prefix}${tree.textOf(name)}`;
		yield { name, path, inode };
		if (inode.kind === 'directory') {
			yield* below(tree, inode, `${path}/`);
		}
	}
}
