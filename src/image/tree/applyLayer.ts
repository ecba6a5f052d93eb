import { BoincError, throwIfAborted } from '../../common/errors.js';
import type { RandomAccess } from '../archive/randomAccess.js';
import { SparseFiles } from '../archive/sparseFiles.js';
import { shortName } from '../tar/tarHeader.js';
import { type FileTree, pathParts, PathTrouble } from './fileTree.js';
import type { Inode, NewInode } from './inode.js';
import { entriesOf, type IndexedEntry } from './layerIndex.js';
import type { LayerReading } from './readLayer.js';

const WHITEOUT = '.wh.';
/** Book-keeping of AUFS; only the mark for opaque directories means something. */
const WHITEOUT_META = '.wh..wh.';
const OPAQUE = '.wh..wh..opq';

/**
 * Lays one layer over the tree. Whiteouts hide what is below the layer, wherever they stand in the archive, so they
 * are applied first. Throws `archive-corrupt` naming the entry.
 */
export function applyLayer(tree: FileTree, { index, contents, label }: LayerReading, layer: number, signal?: AbortSignal): void {
	const place = (entry: IndexedEntry, action: () => void): void => {
		try {
			action();
		} catch (error) {
			throw error instanceof PathTrouble ? misplaced(label, entry, error) : error;
		}
	};
	// Below the first layer is nothing to hide.
	for (const entry of layer > 0 ? entriesOf(index) : []) {
		if (entry.name.includes(WHITEOUT)) {
			place(entry, () => applyWhiteout(tree, entry, layer));
		}
	}
	const sparse = new SparseFiles(contents);
	let count = 0;
	for (const entry of entriesOf(index)) {
		if (count++ % 1000 === 0) {
			throwIfAborted(signal);
		}
		const content =
			entry.pieces === undefined
				? { source: contents, offset: entry.offset }
				: { source: sparse, offset: sparse.add({ size: entry.size, pieces: entry.pieces }, entry.offset) };
		place(entry, () => applyEntry(tree, entry, layer, content));
	}
}

function misplaced(label: string, entry: IndexedEntry, { message, remedy }: PathTrouble): BoincError {
	const name = shortName(entry.name);
	return new BoincError('archive-corrupt', `The entry “${name}” of ${label} cannot be placed: ${message}.`, {
		remedy,
		detail: { archive: label, entry: name },
	});
}

function applyWhiteout(tree: FileTree, entry: IndexedEntry, layer: number): void {
	const parts = pathParts(entry.name);
	const name = parts.pop() ?? '';
	if (name === OPAQUE) {
		tree.directory(parts, layer).children.clear();
	} else if (name.startsWith(WHITEOUT) && !name.startsWith(WHITEOUT_META)) {
		tree.directory(parts, layer).children.delete(name.slice(WHITEOUT.length));
	}
}

/** Where the content of a file is. */
interface Place {
	readonly source: RandomAccess;
	readonly offset: number;
}

function applyEntry(tree: FileTree, entry: IndexedEntry, layer: number, content: Place): void {
	const parts = pathParts(entry.name);
	// A character device 0:0 is how overlay file systems store a whiteout; in an image it would hide things on the host.
	const isOverlayMark = entry.kind === 'character' && entry.deviceMajor === 0 && entry.deviceMinor === 0;
	if (isOverlayMark || parts.some((part) => part.startsWith(WHITEOUT))) {
		// It was applied before; only now it shows whether a link comes before it in the archive.
		tree.find(parts, layer);
		return;
	}
	const name = parts.pop();
	if (name === undefined) {
		if (entry.kind === 'directory') {
			tree.root.describe(entry);
		}
		return;
	}
	const parent = tree.directory(parts, layer);
	const present = parent.children.get(name);
	if (entry.kind === 'directory' && present?.kind === 'directory') {
		present.describe(entry);
	} else if (entry.kind === 'hardlink') {
		parent.children.set(name, linked(tree, entry, layer));
	} else {
		parent.children.set(name, tree.add(inodeFrom(entry, layer, content)));
	}
}

/** The target of a hard link. Engines give it the owner, mode and time that stand in the link's own header. */
function linked(tree: FileTree, entry: IndexedEntry, layer: number): Inode {
	// Some builders write this one from the root on.
	const target = tree.find(pathParts(entry.linkName.replace(/^\/+/, '')), layer);
	if (target === undefined || target.kind === 'directory') {
		const what = target === undefined ? 'does not exist' : 'is a directory';
		throw new PathTrouble(`it is a hard link to “${shortName(entry.linkName)}”, which ${what}`);
	}
	const { mode, uid, gid, mtime, xattrs } = entry;
	target.describe({ mode, uid, gid, mtime, xattrs: xattrs.size > 0 ? xattrs : target.xattrs });
	target.share();
	return target;
}

function inodeFrom(entry: IndexedEntry, layer: number, content: Place): NewInode {
	const { mode, uid, gid, mtime, xattrs } = entry;
	const common = { mode, uid, gid, mtime, xattrs, layer };
	switch (entry.kind) {
		case 'file':
			return { kind: 'file', ...common, size: entry.size, ...content, digest: entry.digest };
		case 'directory':
			return { kind: 'directory', ...common, explicit: true };
		case 'symlink':
			return { kind: 'symlink', ...common, target: entry.linkName };
		case 'character':
		case 'block':
			return { kind: entry.kind, ...common, major: entry.deviceMajor, minor: entry.deviceMinor };
		case 'fifo':
			return { kind: 'fifo', ...common };
		case 'hardlink':
			throw new PathTrouble('it is a hard link where none can be');
	}
}
