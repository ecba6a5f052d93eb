import { BoincError, throwIfAborted } from '../../common/errors.js';
import type { RandomAccess } from '../archive/randomAccess.js';
import { SparseFiles } from '../archive/sparseFiles.js';
import { type ByteString, shortName } from '../tar/tarHeader.js';
import { type FileTree, MAX_NAME, pathParts, PathTrouble } from './fileTree.js';
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
	const place = (entries: Iterable<IndexedEntry>, action: (entry: IndexedEntry) => void): void => {
		let count = 0;
		for (const entry of entries) {
			if (count++ % 1000 === 0) {
				throwIfAborted(signal);
			}
			try {
				action(entry);
			} catch (error) {
				throw error instanceof PathTrouble ? misplaced(label, entry, error) : error;
			}
		}
	};
	// Below the first layer is nothing to hide.
	if (layer > 0) {
		place(entriesOf(index, WHITEOUT), (entry) => applyWhiteout(tree, entry, layer));
	}
	const sparse = new SparseFiles(contents);
	const application = new Application(tree, layer);
	place(entriesOf(index), (entry) => {
		const content =
			entry.pieces === undefined
				? { source: contents, offset: entry.offset }
				: { source: sparse, offset: sparse.add({ size: entry.size, pieces: entry.pieces }, entry.offset) };
		application.put(entry, content);
	});
}

function misplaced(label: string, entry: IndexedEntry, { message, remedy }: PathTrouble): BoincError {
	const name = shortName(entry.name);
	return new BoincError('archive-corrupt', `The entry “${name}” of ${label} cannot be placed: ${message}.`, {
		remedy,
		detail: { archive: label, entry: name },
	});
}

function applyWhiteout(tree: FileTree, entry: IndexedEntry, layer: number): void {
	if (!entry.name.includes(WHITEOUT)) {
		return;
	}
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

/** Puts the entries of one layer into the tree. */
class Application {
	readonly #tree: FileTree;
	readonly #layer: number;
	/**
	 * Entries come mostly in order, so many share a folder: its path as the archive has it, and the directory. It is always that of the
	 * latest entry, and no entry replaces its own folder.
	 */
	#folder: ByteString | undefined;
	#directory: Inode | undefined;

	constructor(tree: FileTree, layer: number) {
		this.#tree = tree;
		this.#layer = layer;
	}

	put(entry: IndexedEntry, content: Place): void {
		const end = entry.name.endsWith('/') ? entry.name.length - 1 : entry.name.length;
		const slash = entry.name.lastIndexOf('/', end - 1);
		const last = entry.name.slice(slash + 1, end);
		const isPlain = isPlainName(last) && !isOverlayMark(entry);
		const folder = entry.name.slice(0, Math.max(0, slash));
		if (isPlain && slash > 0 && this.#directory && folder === this.#folder) {
			this.#set(this.#directory, last, entry, content);
			return;
		}
		const parts = pathParts(entry.name);
		if (isOverlayMark(entry) || parts.some((part) => part.startsWith(WHITEOUT))) {
			// It was applied before; only now it shows whether a link comes before it in the archive.
			this.#tree.find(parts, this.#layer);
			return;
		}
		const name = parts.pop();
		if (name === undefined) {
			if (entry.kind === 'directory') {
				this.#tree.root.describe(entry);
			}
			return;
		}
		const parent = this.#tree.directory(parts, this.#layer);
		this.#folder = isPlain ? folder : undefined;
		this.#directory = parent;
		this.#set(parent, name, entry, content);
	}

	#set(parent: Inode, name: ByteString, entry: IndexedEntry, content: Place): void {
		const present = parent.children.get(name);
		if (present?.kind === 'directory' && entry.kind === 'directory') {
			present.describe(entry);
			return;
		}
		const inode =
			entry.kind === 'hardlink' ? linked(this.#tree, entry, this.#layer) : this.#tree.add(inodeFrom(entry, this.#layer, content));
		parent.children.set(name, inode);
	}
}

/** A character device 0:0 is how overlay file systems store a whiteout; in an image it would hide things on the host. */
const isOverlayMark = ({ kind, deviceMajor, deviceMinor }: IndexedEntry): boolean =>
	kind === 'character' && deviceMajor === 0 && deviceMinor === 0;

/** Whether a name needs no closer look. */
const isPlainName = (name: ByteString): boolean =>
	name !== '' && name !== '.' && name !== '..' && name.length <= MAX_NAME && !name.startsWith(WHITEOUT);

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
	const { mode, uid, gid, mtime, xattrs, unit } = entry;
	const common = { mode, uid, gid, mtime, xattrs, layer, unit };
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
