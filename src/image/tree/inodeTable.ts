import type { RandomAccess } from '../archive/randomAccess.js';
import type { ByteString } from '../tar/tarHeader.js';
import type { InodeKind, Metadata, NewInode } from './inode.js';
import { StringStore } from './lists.js';
import { NameTable, NO_NAME, type SavedNames } from './nameTable.js';
import { type Owner, OwnerList } from './ownerList.js';
import { Records } from './records.js';
import { UNIT_BYTES } from './unitDigest.js';

const KINDS: readonly InodeKind[] = ['file', 'directory', 'symlink', 'character', 'block', 'fifo'];
const SHARED = 1;
const EXPLICIT = 2;
const HAS_UNIT = 4;
/** Bytes of a content's digest that are kept. */
export const DIGEST_BYTES = 16;

/** A record: where each of its numbers is, and what kind of number that is. */
const KIND = 0; // Uint8
const FLAGS = 1; // Uint8
const MODE = 2; // Uint16
/** Index in `owners`. */
const OWNER = 4; // Uint32
const MTIME = 8; // Float64
/** Of a file its size; of a directory the number of its names; of a device its major number. */
const FIRST = 16; // Float64
/** Of a file where its content begins; of a directory its first name; of a device its minor number. */
const SECOND = 24; // Float64
/** Of a file the bytes of its digest. */
const DIGEST = 32;
/** Of a directory its name, of a link its target. */
const TEXT = DIGEST; // Uint32
const LAYER = DIGEST + DIGEST_BYTES; // Uint16
/** Index in `sources`. */
const SOURCE = LAYER + 2; // Uint16
/** The bytes of the unit's digest. */
const UNIT = SOURCE + 2;
const RECORD = UNIT + UNIT_BYTES;

/** All inodes of a table, as bytes and as what JSON can say. */
export interface SavedInodes {
	readonly names: SavedNames;
	readonly records: Buffer;
	readonly targets: Buffer;
	readonly lists: SavedLists;
}

export interface SavedLists {
	readonly owners: readonly Owner[];
	/** The layer whose contents each of the sources is. */
	readonly sources: readonly number[];
	/** The attributes of an inode by its number; values as in base64. */
	readonly xattrs: readonly (readonly [inode: number, attributes: readonly (readonly [name: string, value: string])[]])[];
}

/**
 * Inodes by number, in records outside of the heap: an object each would be several times as big, and images have millions
 * of files. `Inode` is how they are looked at.
 */
export class InodeTable {
	readonly names: NameTable;
	#count = 0;
	readonly #records: Records;
	readonly #targets: StringStore;
	readonly #owners: OwnerList;
	readonly #sources: RandomAccess[] = [];
	readonly #xattrs = new Map<number, ReadonlyMap<ByteString, Buffer>>();

	/** The table that was saved, or a new one. `contents` are those of the layers by their numbers. */
	constructor(saved?: SavedInodes, contents: readonly RandomAccess[] = []) {
		this.names = new NameTable(saved?.names);
		this.#records = saved ? Records.of(saved.records, RECORD) : new Records(RECORD);
		this.#targets = saved ? StringStore.of(saved.targets) : new StringStore();
		this.#owners = new OwnerList(saved?.lists.owners);
		if (saved) {
			this.#count = saved.records.length / RECORD;
			this.#restore(saved.lists, contents);
		}
	}

	/** `undefined` when a file has its content from something else than the `contents` of a layer. */
	saved(contents: readonly RandomAccess[]): SavedInodes | undefined {
		const sources = this.#sources.map((source) => contents.indexOf(source));
		const xattrs = [...this.#xattrs].map(([inode, attributes]) => {
			const list = [...attributes].map(([name, value]) => [name, value.toString('base64')] as const);
			return [inode, list] as const;
		});
		return sources.includes(-1)
			? undefined
			: {
					names: this.names.saved(),
					records: this.#records.saved(this.#count),
					targets: this.#targets.saved(),
					lists: { owners: this.#owners.all, sources, xattrs },
				};
	}

	/** How many inodes were made; their numbers are below it. */
	get count(): number {
		return this.#count;
	}

	add(made: NewInode): number {
		const number = this.#count++;
		const view = this.#records.view(number);
		const at = this.#records.at(number);
		view.setUint8(at + KIND, KINDS.indexOf(made.kind));
		view.setUint16(at + LAYER, made.layer);
		this.describe(number, made);
		switch (made.kind) {
			case 'file':
				view.setFloat64(at + FIRST, made.size);
				view.setFloat64(at + SECOND, made.offset);
				view.setUint16(at + SOURCE, this.#sourceIndex(made.source));
				setBytes(view, at + DIGEST, DIGEST_BYTES, made.digest);
				break;
			case 'directory':
				view.setFloat64(at + SECOND, NO_NAME);
				if (made.explicit) {
					this.setExplicit(number);
				}
				break;
			case 'symlink':
				view.setUint32(at + TEXT, this.#targets.add(made.target));
				break;
			case 'character':
			case 'block':
				view.setFloat64(at + FIRST, made.major);
				view.setFloat64(at + SECOND, made.minor);
				break;
			case 'fifo':
				break;
		}
		return number;
	}

	describe(number: number, { mode, uid, gid, mtime, xattrs, unit }: Metadata): void {
		const view = this.#records.view(number);
		const at = this.#records.at(number);
		view.setUint16(at + MODE, mode);
		view.setUint32(at + OWNER, this.#owners.indexOf(uid, gid));
		view.setFloat64(at + MTIME, mtime);
		if (xattrs.size > 0) {
			this.#xattrs.set(number, xattrs);
		} else {
			this.#xattrs.delete(number);
		}
		this.setUnit(number, unit);
	}

	kind(number: number): InodeKind {
		return KINDS[this.#records.view(number).getUint8(this.#records.at(number) + KIND)] ?? 'file';
	}

	layer(number: number): number {
		return this.#records.view(number).getUint16(this.#records.at(number) + LAYER);
	}

	mode(number: number): number {
		return this.#records.view(number).getUint16(this.#records.at(number) + MODE);
	}

	owner(number: number): Owner {
		return this.#owners.at(this.#records.view(number).getUint32(this.#records.at(number) + OWNER));
	}

	mtime(number: number): number {
		return this.#records.view(number).getFloat64(this.#records.at(number) + MTIME);
	}

	xattrs(number: number): ReadonlyMap<ByteString, Buffer> {
		return this.#xattrs.get(number) ?? NO_XATTRS;
	}

	/** See `FIRST`. */
	first(number: number): number {
		return this.#records.view(number).getFloat64(this.#records.at(number) + FIRST);
	}

	/** See `SECOND`. */
	second(number: number): number {
		return this.#records.view(number).getFloat64(this.#records.at(number) + SECOND);
	}

	setNames(directory: number, count: number, first: number): void {
		const view = this.#records.view(directory);
		const at = this.#records.at(directory);
		view.setFloat64(at + FIRST, count);
		view.setFloat64(at + SECOND, first);
	}

	/** The name of a directory. */
	home(directory: number): number {
		return this.#records.view(directory).getUint32(this.#records.at(directory) + TEXT);
	}

	setHome(directory: number, name: number): void {
		this.#records.view(directory).setUint32(this.#records.at(directory) + TEXT, name);
	}

	source(number: number): RandomAccess | undefined {
		return this.#sources[this.#records.view(number).getUint16(this.#records.at(number) + SOURCE)];
	}

	target(number: number): ByteString {
		return this.#targets.get(this.#records.view(number).getUint32(this.#records.at(number) + TEXT));
	}

	digest(number: number): ByteString {
		return this.#text(number, 'latin1', DIGEST, DIGEST_BYTES);
	}

	hasUnit(number: number): boolean {
		return (this.#flags(number) & HAS_UNIT) !== 0;
	}

	/** In the alphabet of base64url. */
	unit(number: number): string {
		return this.#text(number, 'base64url', UNIT, UNIT_BYTES);
	}

	setUnit(number: number, digest: ByteString | undefined): void {
		this.#setFlag(number, HAS_UNIT, digest !== undefined);
		if (digest !== undefined) {
			setBytes(this.#records.view(number), this.#records.at(number) + UNIT, UNIT_BYTES, digest);
		}
	}

	isShared(number: number): boolean {
		return (this.#flags(number) & SHARED) !== 0;
	}

	share(number: number): void {
		this.#setFlag(number, SHARED, true);
		this.setUnit(number, undefined);
	}

	isExplicit(number: number): boolean {
		return (this.#flags(number) & EXPLICIT) !== 0;
	}

	setExplicit(number: number): void {
		this.#setFlag(number, EXPLICIT, true);
	}

	#restore({ sources, xattrs }: SavedLists, contents: readonly RandomAccess[]): void {
		this.#sources.push(...sources.map((layer) => contents[layer] ?? NO_CONTENTS));
		for (const [inode, attributes] of xattrs) {
			this.#xattrs.set(inode, new Map(attributes.map(([name, value]) => [name, Buffer.from(value, 'base64')])));
		}
	}

	#flags(number: number): number {
		return this.#records.view(number).getUint8(this.#records.at(number) + FLAGS);
	}

	#setFlag(number: number, flag: number, value: boolean): void {
		const flags = this.#flags(number);
		this.#records.view(number).setUint8(this.#records.at(number) + FLAGS, value ? flags | flag : flags & ~flag);
	}

	#text(number: number, encoding: 'latin1' | 'base64url', field: number, length: number): string {
		const start = this.#records.at(number) + field;
		return this.#records.bytes(number).toString(encoding, start, start + length);
	}

	#sourceIndex(source: RandomAccess): number {
		// The latest ones are at the end, and there are not many more than layers.
		const known = this.#sources.lastIndexOf(source);
		return known < 0 ? this.#sources.push(source) - 1 : known;
	}
}

/** What a text is too short for is 0. */
function setBytes(view: DataView, start: number, length: number, text: ByteString): void {
	for (let index = 0; index < length; index++) {
		view.setUint8(start + index, text.charCodeAt(index));
	}
}

/** Contents of a layer that is not there. */
const NO_CONTENTS: RandomAccess = { size: 0, readInto: () => Promise.resolve(0) };

export const NO_XATTRS: ReadonlyMap<ByteString, Buffer> = new Map();
