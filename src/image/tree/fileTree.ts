import type { RandomAccess } from '../archive/randomAccess.js';
import { type ByteString, shortName } from '../tar/tarHeader.js';
import { impliedDirectory, Inode, type NewInode } from './inode.js';
import { InodeTable, type SavedInodes } from './inodeTable.js';
import { ROOT_NAME } from './nameTable.js';

/** Why a path cannot be reached; the caller knows which entry it belongs to. */
export class PathTrouble extends Error {
	/** What to do about it. */
	readonly remedy: string;

	constructor(message: string, remedy = 'Build the image again; engines do not write such entries.') {
		super(message);
		this.remedy = remedy;
	}
}

/** Engines load such layers as they are, but make none: their builders write real paths. */
const REAL_PATHS =
	'Make the archive again with relative paths and without entries below links, or copy the image by a Dockerfile with ' +
	'FROM scratch, COPY --from=IMAGE / /, and its ENV, USER and CMD again.';

/** The first one that is made. */
const ROOT_INODE = 0;
const MAX_LINKS = 40;
/** What Linux allows, in bytes; a whiteout's name is longer by its prefix than the name that it hides. */
export const MAX_NAME = 255;
const MAX_WHITEOUT = 259;

/**
 * The parts of a path in an archive, which must be relative and without `..`; the root may be called `/`. Throws `PathTrouble`
 * for other paths, and for names no host can store.
 */
export function pathParts(path: ByteString): ByteString[] {
	const parts = path.split('/').filter((part) => part !== '' && part !== '.');
	if (parts.includes('..')) {
		throw new PathTrouble('its path has “..” in it', REAL_PATHS);
	}
	if (path.startsWith('/') && parts.length > 0) {
		throw new PathTrouble('its path is absolute', REAL_PATHS);
	}
	if (parts.some((part) => part.length > (part.startsWith('.wh.') ? MAX_WHITEOUT : MAX_NAME))) {
		throw new PathTrouble(`a name in its path has more than ${MAX_NAME} bytes`);
	}
	return parts;
}

/**
 * The flattened file tree of an image, in memory: directories, and where the contents of the files are.
 *
 * Paths in a layer are resolved as the overlay drivers of Docker and Podman do it (verified with Docker 20.10 and
 * Podman 4.3): a layer is unpacked by itself, so where a lower layer has a link or a file and the layer has something
 * below that name, a new directory takes its place. What lies below a link of its own layer is refused; engines follow it.
 *
 * More is read than these drivers load, as other tools write it: they refuse hard links into lower layers, several
 * entries with one name in a layer (the last one counts here), and sparse files in GNU's old format.
 */
export class FileTree {
	readonly #table: InodeTable;
	readonly root: Inode;
	/** Names are mostly asked for in order, so many share a directory: its number and path. */
	#folder = 0;
	#folderPath: ByteString = '';

	/** A tree that has just a root, or one of a table of inodes. */
	constructor(table?: InodeTable) {
		this.#table = table ?? new InodeTable();
		this.root = table ? this.inode(ROOT_INODE) : this.add(impliedDirectory(0));
	}

	/** `InodeTable.saved`. */
	saved(contents: readonly RandomAccess[]): SavedInodes | undefined {
		return this.#table.saved(contents);
	}

	/** How many inodes were made; their numbers are below it. */
	get count(): number {
		return this.#table.count;
	}

	/** Makes an inode, to be put into a directory. */
	add(made: NewInode): Inode {
		return new Inode(this.#table, this.#table.add(made));
	}

	/** The inode of this number, which a name may lead to or not. */
	inode(number: number): Inode {
		return new Inode(this.#table, number);
	}

	/** The inode that a name of this number leads to. */
	inodeOf(name: number): Inode {
		return new Inode(this.#table, this.#table.names.inode(name));
	}

	/** The path of a name of this number. */
	pathOf(name: number): ByteString {
		if (name === ROOT_NAME) {
			return '';
		}
		const directory = this.#table.names.directory(name);
		if (directory !== this.#folder) {
			const path = this.pathOf(this.#table.home(directory));
			this.#folder = directory;
			this.#folderPath = path;
		}
		const text = this.textOf(name);
		return this.#folderPath === '' ? text : `${this.#folderPath}/${text}`;
	}

	/** The last part of the path of a name of this number. */
	textOf(name: number): ByteString {
		return this.#table.names.text(name);
	}

	/** The directory at `parts`, made where it is missing. Throws `PathTrouble` below links and other entries of `layer`. */
	directory(parts: readonly ByteString[], layer: number): Inode {
		let directory = this.root;
		for (const [index, part] of parts.entries()) {
			const next = directory.children.get(part);
			if (next?.kind === 'directory') {
				directory = next;
			} else if (next?.layer === layer) {
				throw next.kind === 'symlink'
					? belowLink(parts, index)
					: new PathTrouble('it lies below something that is not a directory');
			} else {
				const made = this.add(impliedDirectory(layer));
				directory.children.set(part, made);
				directory = made;
			}
		}
		return directory;
	}

	/** The inode at `parts`, if it is there. Throws `PathTrouble` below links of `layer`. */
	find(parts: readonly ByteString[], layer: number): Inode | undefined {
		let inode: Inode | undefined = this.root;
		for (const [index, part] of parts.entries()) {
			if (inode?.kind === 'symlink' && inode.layer === layer) {
				throw belowLink(parts, index - 1);
			}
			inode = inode?.kind === 'directory' ? inode.children.get(part) : undefined;
		}
		return inode;
	}
}

function belowLink(parts: readonly ByteString[], index: number): PathTrouble {
	const link = shortName(parts.slice(0, index + 1).join('/'));
	return new PathTrouble(`“${link}” is a symbolic link of the same layer, and nothing may lie below it`, REAL_PATHS);
}

/** Where a link in the directory `from` leads, confined to the root as in a container. */
export function resolveTarget(from: readonly ByteString[], target: ByteString): ByteString[] {
	const result = target.startsWith('/') ? [] : [...from];
	for (const part of target.split('/')) {
		if (part === '..') {
			result.pop();
		} else if (part !== '' && part !== '.') {
			result.push(part);
		}
	}
	return result;
}

/** The inode at a path of the finished tree, with all symbolic links followed, and its real path. */
export function followLinks(
	root: Inode,
	path: readonly ByteString[],
): { readonly parts: readonly ByteString[]; readonly inode: Inode | undefined } {
	let parts = [...path];
	for (let links = 0; links < MAX_LINKS; links++) {
		let inode: Inode | undefined = root;
		let index = 0;
		while (index < parts.length && inode?.kind === 'directory') {
			inode = inode.children.get(parts[index] ?? '');
			index++;
		}
		if (inode?.kind !== 'symlink') {
			return { parts, inode: index === parts.length ? inode : undefined };
		}
		parts = [...resolveTarget(parts.slice(0, index - 1), inode.target), ...parts.slice(index)];
	}
	return { parts, inode: undefined };
}
