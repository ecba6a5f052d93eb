import type { RandomAccess } from '../archive/randomAccess.js';
import type { ByteString } from '../tar/tarHeader.js';
import { type InodeTable, NO_XATTRS } from './inodeTable.js';
import { NO_NAME } from './nameTable.js';

/** Owner, permissions and times: what all kinds of files have. Numbers as in `TarHeader`; whole seconds. */
export interface Metadata {
	readonly mode: number;
	readonly uid: number;
	readonly gid: number;
	readonly mtime: number;
	readonly xattrs: ReadonlyMap<ByteString, Buffer>;
	/** `unitDigest` of the file under the name that it gets, where it is known. */
	readonly unit?: ByteString | undefined;
}

interface Common extends Metadata {
	/** Number of the layer that it comes from: a layer follows its own symbolic links only. */
	readonly layer: number;
}

interface NewFile extends Common {
	readonly kind: 'file';
	readonly size: number;
	/** Where the content is. */
	readonly source: RandomAccess;
	readonly offset: number;
	/** The first bytes of the content's SHA-256. */
	readonly digest: ByteString;
}

interface NewDirectory extends Common {
	readonly kind: 'directory';
	/** Whether an archive has an entry for it; otherwise it is there only because something is in it. */
	readonly explicit: boolean;
}

interface NewSymlink extends Common {
	readonly kind: 'symlink';
	readonly target: ByteString;
}

interface NewDevice extends Common {
	readonly kind: 'character' | 'block';
	readonly major: number;
	readonly minor: number;
}

interface NewFifo extends Common {
	readonly kind: 'fifo';
}

/** What an inode is made of. */
export type NewInode = NewFile | NewDirectory | NewSymlink | NewDevice | NewFifo;
export type InodeKind = NewInode['kind'];

/** A directory that no entry describes: the builders of both engines give it these values (and the time of the build). */
export const impliedDirectory = (layer: number): NewDirectory => ({
	kind: 'directory',
	mode: 0o755,
	uid: 0,
	gid: 0,
	mtime: 0,
	xattrs: NO_XATTRS,
	layer,
	explicit: false,
});

/**
 * A file of the flattened image. Several names of one inode are hard links. This is a look at a table, made when it is
 * needed, so two of them with one number are the same inode.
 */
export class Inode implements Metadata {
	readonly #table: InodeTable;
	/** Counts the inodes of a tree from 0; tables beside the tree are indexed by it. */
	readonly number: number;

	constructor(table: InodeTable, number: number) {
		this.#table = table;
		this.number = number;
	}

	get kind(): InodeKind {
		return this.#table.kind(this.number);
	}

	get layer(): number {
		return this.#table.layer(this.number);
	}

	get mode(): number {
		return this.#table.mode(this.number);
	}

	get uid(): number {
		return this.#table.owner(this.number)[0];
	}

	get gid(): number {
		return this.#table.owner(this.number)[1];
	}

	get mtime(): number {
		return this.#table.mtime(this.number);
	}

	get xattrs(): ReadonlyMap<ByteString, Buffer> {
		return this.#table.xattrs(this.number);
	}

	/** Bytes of a file; 0 for all else. */
	get size(): number {
		return this.kind === 'file' ? this.#table.first(this.number) : 0;
	}

	/** Where a file's content begins in `source`. */
	get offset(): number {
		return this.#table.second(this.number);
	}

	/** What holds a file's content. */
	get source(): RandomAccess {
		const source = this.kind === 'file' ? this.#table.source(this.number) : undefined;
		if (source === undefined) {
			throw new TypeError(`inode ${this.number} is a ${this.kind} and has no content`);
		}
		return source;
	}

	/** Of a file's content; empty for all else. */
	get digest(): ByteString {
		return this.kind === 'file' ? this.#table.digest(this.number) : '';
	}

	/** Of a symbolic link; empty for all else. */
	get target(): ByteString {
		return this.kind === 'symlink' ? this.#table.target(this.number) : '';
	}

	/** Of a device. */
	get major(): number {
		return this.#table.first(this.number);
	}

	/** Of a device. */
	get minor(): number {
		return this.#table.second(this.number);
	}

	/** Whether the digest of the unit is known, and has not become wrong by `describe` or `share`. */
	get hasUnit(): boolean {
		return this.#table.hasUnit(this.number);
	}

	/** The digest of the unit with all names that lead here, as 16 characters. */
	get unitDigest(): string {
		return this.#table.unit(this.number);
	}

	/** Keeps what `unitDigest` gave. */
	keepUnit(digest: ByteString): void {
		this.#table.setUnit(this.number, digest);
	}

	/** Whether several names may lead here. */
	get shared(): boolean {
		return this.#table.isShared(this.number);
	}

	/** Whether an archive has an entry for this directory. */
	get explicit(): boolean {
		return this.#table.isExplicit(this.number);
	}

	/** What is in a directory; nothing for all else. */
	get children(): Children {
		return new Children(this.#table, this.number);
	}

	/** Gives it other metadata; a directory is described by an entry from now on. */
	describe(metadata: Metadata): void {
		this.#table.describe(this.number, metadata);
		if (this.kind === 'directory') {
			this.#table.setExplicit(this.number);
		}
	}

	share(): void {
		this.#table.share(this.number);
	}
}

/** The names in a directory. */
export class Children {
	readonly #table: InodeTable;
	readonly #directory: number;

	constructor(table: InodeTable, directory: number) {
		this.#table = table;
		this.#directory = directory;
	}

	get size(): number {
		return this.#isDirectory() ? this.#table.first(this.#directory) : 0;
	}

	get(name: ByteString): Inode | undefined {
		const inode = this.#isDirectory() ? this.#lookUp(name) : NO_NAME;
		return inode < 0 ? undefined : new Inode(this.#table, inode);
	}

	set(name: ByteString, inode: Inode): void {
		const { names } = this.#table;
		const present = names.find(this.#directory, name);
		const count = this.#table.first(this.#directory);
		const first = this.#table.second(this.#directory);
		if (present === NO_NAME) {
			const added = names.add(this.#directory, name, inode.number, first);
			this.#table.setNames(this.#directory, count + 1, added);
			this.#settle(added, inode);
			return;
		}
		if (names.inode(present) < 0) {
			this.#table.setNames(this.#directory, count + 1, first);
		}
		names.lead(present, inode.number);
		this.#settle(present, inode);
	}

	delete(name: ByteString): void {
		const present = this.#table.names.find(this.#directory, name);
		if (present !== NO_NAME && this.#table.names.inode(present) >= 0) {
			this.#table.names.remove(present);
			this.#table.setNames(this.#directory, this.#table.first(this.#directory) - 1, this.#table.second(this.#directory));
		}
	}

	clear(): void {
		const first = this.#table.second(this.#directory);
		for (const name of this.#table.names.from(first)) {
			this.#table.names.remove(name);
		}
		this.#table.setNames(this.#directory, 0, first);
	}

	/** Numbers of the names, in order of their bytes. */
	sorted(): Int32Array {
		return this.#isDirectory()
			? this.#table.names.sorted(this.#table.second(this.#directory), this.#table.first(this.#directory))
			: new Int32Array(0);
	}

	#settle(name: number, inode: Inode): void {
		if (inode.kind === 'directory') {
			this.#table.setHome(inode.number, name);
		}
	}

	#isDirectory(): boolean {
		return this.#table.kind(this.#directory) === 'directory';
	}

	#lookUp(name: ByteString): number {
		const found = this.#table.names.find(this.#directory, name);
		return found === NO_NAME ? NO_NAME : this.#table.names.inode(found);
	}
}
