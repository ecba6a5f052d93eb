import { BoincError, throwIfAborted } from '../../common/errors.js';
import { readTar, type TarEntry, type TarRange } from '../tar/readTar.js';
import { type ByteString, shortName } from '../tar/tarHeader.js';
import { type FileTree, pathParts, PathTrouble } from './fileTree.js';
import type { DirectoryInode, Inode, Metadata } from './inode.js';
import { type LayerReading, WHITEOUT } from './readLayer.js';

/** Book-keeping of AUFS; only the mark for opaque directories means something. */
const WHITEOUT_META = '.wh..wh.';
const OPAQUE = '.wh..wh..opq';

/**
 * Lays one layer over the tree. Whiteouts hide what is below the layer, wherever they stand in the archive, so they
 * are applied first. Throws `archive-corrupt` naming the entry.
 */
export async function applyLayer(
	tree: FileTree,
	{ range, digests, whiteouts }: LayerReading,
	layer: number,
	signal?: AbortSignal,
): Promise<void> {
	// Below the first layer is nothing to hide.
	for (const entry of layer > 0 ? whiteouts : []) {
		named(range, entry, () => applyWhiteout(tree, entry, layer));
	}
	let count = 0;
	let files = 0;
	for await (const entry of readTar(range)) {
		if (count++ % 1000 === 0) {
			throwIfAborted(signal);
		}
		const digest = entry.kind === 'file' ? (digests[files++] ?? '') : '';
		named(range, entry, () => applyEntry(tree, entry, layer, digest));
	}
}

function named(range: TarRange, entry: TarEntry, action: () => void): void {
	try {
		action();
	} catch (error) {
		if (!(error instanceof PathTrouble)) {
			throw error;
		}
		const name = shortName(entry.name);
		throw new BoincError('archive-corrupt', `The entry “${name}” of ${range.label} cannot be placed: ${error.message}.`, {
			remedy: 'Build the image again; engines do not write such entries.',
			detail: { archive: range.label, entry: name },
		});
	}
}

function applyWhiteout(tree: FileTree, entry: TarEntry, layer: number): void {
	const parts = pathParts(entry.name);
	const name = parts.pop() ?? '';
	if (name === OPAQUE) {
		tree.directory(parts, layer).children.clear();
	} else if (name.startsWith(WHITEOUT) && !name.startsWith(WHITEOUT_META)) {
		tree.directory(parts, layer).children.delete(name.slice(WHITEOUT.length));
	}
}

function applyEntry(tree: FileTree, entry: TarEntry, layer: number, digest: ByteString): void {
	const parts = pathParts(entry.name);
	// A character device 0:0 is how overlay file systems store a whiteout; in an image it would hide things on the host.
	const isOverlayMark = entry.kind === 'character' && entry.deviceMajor === 0 && entry.deviceMinor === 0;
	if (isOverlayMark || parts.some((part) => part.startsWith(WHITEOUT))) {
		return;
	}
	const part = parts.pop();
	if (part === undefined) {
		if (entry.kind === 'directory') {
			describe(tree.root, entry);
		}
		return;
	}
	const name = standalone(part);
	const parent = tree.directory(parts, layer);
	const present = parent.children.get(name);
	if (entry.kind === 'directory' && present?.kind === 'directory') {
		describe(present, entry);
	} else if (entry.kind === 'hardlink') {
		parent.children.set(name, linked(tree, entry, layer));
	} else {
		parent.children.set(name, inodeOf(tree.nextNumber(), entry, layer, digest));
	}
}

/** A part of a longer text keeps all of it in memory, and a tree has millions of names. */
const standalone = (name: ByteString): ByteString => Buffer.from(name, 'latin1').toString('latin1');

const metadataOf = (entry: TarEntry): Metadata => ({
	mode: entry.mode,
	uid: entry.uid,
	gid: entry.gid,
	// Engines keep whole seconds in their layers and none before 1970, so no host could restore more.
	mtime: Math.max(0, Math.floor(entry.mtime)),
	xattrs: entry.xattrs,
});

function describe(directory: DirectoryInode, entry: TarEntry): void {
	Object.assign(directory, metadataOf(entry));
	directory.explicit = true;
}

/** The target of a hard link. Engines give it the owner, mode and time that stand in the link's own header. */
function linked(tree: FileTree, entry: TarEntry, layer: number): Inode {
	const target = tree.find(pathParts(entry.linkName), layer);
	if (target === undefined || target.kind === 'directory') {
		const what = target === undefined ? 'does not exist' : 'is a directory';
		throw new PathTrouble(`it is a hard link to “${shortName(entry.linkName)}”, which ${what}`);
	}
	const { xattrs, ...rest } = metadataOf(entry);
	Object.assign(target, rest);
	if (xattrs.size > 0) {
		target.xattrs = xattrs;
	}
	target.shared = true;
	return target;
}

function inodeOf(number: number, entry: TarEntry, layer: number, digest: ByteString): Inode {
	const common = { number, ...metadataOf(entry), layer, shared: false };
	switch (entry.kind) {
		case 'file':
			return { kind: 'file', ...common, size: entry.size, source: entry.source, offset: entry.offset, digest };
		case 'directory':
			return { kind: 'directory', ...common, children: new Map<ByteString, Inode>(), explicit: true };
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
