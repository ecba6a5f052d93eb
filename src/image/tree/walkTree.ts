import type { ByteString } from '../tar/tarHeader.js';
import type { DirectoryInode, Inode } from './inode.js';

export interface TreeItem {
	/** Without a slash at either end; empty for the root. */
	readonly path: ByteString;
	readonly inode: Inode;
}

/** Everything below and including `directory`, directories before what is in them, names in order of their bytes. */
export function* walkTree(directory: DirectoryInode, path: ByteString = ''): Generator<TreeItem, void, undefined> {
	yield { path, inode: directory };
	for (const name of [...directory.children.keys()].sort()) {
		const inode = directory.children.get(name);
		const below = path === '' ? name : `${path}/${name}`;
		if (inode?.kind === 'directory') {
			yield* walkTree(inode, below);
		} else if (inode) {
			yield { path: below, inode };
		}
	}
}
