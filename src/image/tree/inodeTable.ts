import type { RandomAccess } from '../archive/randomAccess.js';
import type { ByteString } from '../tar/tarHeader.js';
import { bytes, large, shorts, StringStore, words } from './column.js';
import type { InodeKind, Metadata, NewInode } from './inode.js';
import { NameTable, NO_NAME } from './nameTable.js';

const KINDS: readonly InodeKind[] = ['file', 'directory', 'symlink', 'character', 'block', 'fifo'];
const SHARED = 1;
const EXPLICIT = 2;
/** Bytes of a content's digest that are kept. */
export const DIGEST_BYTES = 16;
const DIGEST_WORDS = DIGEST_BYTES / 4;
/** Used again and again: one for each file would be garbage at once. */
const DIGEST = Buffer.alloc(DIGEST_BYTES);

/**
 * Inodes by number, in columns outside of the heap: an object each would be several times as big, and images have millions
 * of files. `Inode` is how they are looked at.
 */
export class InodeTable {
	readonly names = new NameTable();
	#count = 0;
	readonly #kind = bytes();
	readonly #flags = bytes();
	readonly #mode = shorts();
	/** Index in `owners`. */
	readonly #owner = words();
	readonly #mtime = large();
	readonly #layer = shorts();
	/** Of a file its size and where its content begins; of a directory the number of its names and the first; of a device its numbers. */
	readonly #first = large();
	readonly #second = large();
	/** Index in `sources`. */
	readonly #source = shorts();
	/** Of a file the words of its digest; of a directory its name; of a link its target. */
	readonly #digest = words();
	readonly #targets = new StringStore();
	readonly #owners: (readonly [uid: number, gid: number])[] = [];
	/** Most entries of an archive have the owner of the one before. */
	#lastOwner = 0;
	readonly #ownerIndex = new Map<string, number>();
	readonly #sources: RandomAccess[] = [];
	readonly #xattrs = new Map<number, ReadonlyMap<ByteString, Buffer>>();

	/** How many inodes were made; their numbers are below it. */
	get count(): number {
		return this.#count;
	}

	add(made: NewInode): number {
		const number = this.#count++;
		this.#kind.set(number, KINDS.indexOf(made.kind));
		this.#layer.set(number, made.layer);
		this.describe(number, made);
		switch (made.kind) {
			case 'file':
				this.#first.set(number, made.size);
				this.#second.set(number, made.offset);
				this.#source.set(number, this.#sourceIndex(made.source));
				this.#setDigest(number, made.digest);
				break;
			case 'directory':
				this.#second.set(number, NO_NAME);
				if (made.explicit) {
					this.#flags.set(number, EXPLICIT);
				}
				break;
			case 'symlink':
				this.#digest.set(number * DIGEST_WORDS, this.#targets.add(made.target));
				break;
			case 'character':
			case 'block':
				this.#first.set(number, made.major);
				this.#second.set(number, made.minor);
				break;
			case 'fifo':
				break;
		}
		return number;
	}

	describe(number: number, { mode, uid, gid, mtime, xattrs }: Metadata): void {
		this.#mode.set(number, mode);
		this.#owner.set(number, this.#ownerOf(uid, gid));
		this.#mtime.set(number, mtime);
		if (xattrs.size > 0) {
			this.#xattrs.set(number, xattrs);
		} else {
			this.#xattrs.delete(number);
		}
	}

	kind(number: number): InodeKind {
		return KINDS[this.#kind.get(number)] ?? 'file';
	}

	layer(number: number): number {
		return this.#layer.get(number);
	}

	mode(number: number): number {
		return this.#mode.get(number);
	}

	owner(number: number): readonly [uid: number, gid: number] {
		return this.#owners[this.#owner.get(number)] ?? [0, 0];
	}

	mtime(number: number): number {
		return this.#mtime.get(number);
	}

	xattrs(number: number): ReadonlyMap<ByteString, Buffer> {
		return this.#xattrs.get(number) ?? NO_XATTRS;
	}

	/** See `#first`. */
	first(number: number): number {
		return this.#first.get(number);
	}

	second(number: number): number {
		return this.#second.get(number);
	}

	setNames(directory: number, count: number, first: number): void {
		this.#first.set(directory, count);
		this.#second.set(directory, first);
	}

	/** The name of a directory. */
	home(directory: number): number {
		return this.#digest.get(directory * DIGEST_WORDS);
	}

	setHome(directory: number, name: number): void {
		this.#digest.set(directory * DIGEST_WORDS, name);
	}

	source(number: number): RandomAccess | undefined {
		return this.#sources[this.#source.get(number)];
	}

	target(number: number): ByteString {
		return this.#targets.get(this.#digest.get(number * DIGEST_WORDS));
	}

	digest(number: number): ByteString {
		for (let word = 0; word < DIGEST_WORDS; word++) {
			DIGEST.writeUInt32LE(this.#digest.get(number * DIGEST_WORDS + word), word * 4);
		}
		return DIGEST.toString('latin1');
	}

	isShared(number: number): boolean {
		return (this.#flags.get(number) & SHARED) !== 0;
	}

	share(number: number): void {
		this.#flags.set(number, this.#flags.get(number) | SHARED);
	}

	isExplicit(number: number): boolean {
		return (this.#flags.get(number) & EXPLICIT) !== 0;
	}

	setExplicit(number: number): void {
		this.#flags.set(number, this.#flags.get(number) | EXPLICIT);
	}

	#setDigest(number: number, digest: ByteString): void {
		DIGEST.fill(0, DIGEST.write(digest, 'latin1'));
		for (let word = 0; word < DIGEST_WORDS; word++) {
			this.#digest.set(number * DIGEST_WORDS + word, DIGEST.readUInt32LE(word * 4));
		}
	}

	#ownerOf(uid: number, gid: number): number {
		const [lastUid, lastGid] = this.#owners[this.#lastOwner] ?? [];
		if (uid !== lastUid || gid !== lastGid) {
			this.#lastOwner = this.#findOwner(uid, gid);
		}
		return this.#lastOwner;
	}

	#findOwner(uid: number, gid: number): number {
		const key = `${uid}:${gid}`;
		const known = this.#ownerIndex.get(key);
		if (known !== undefined) {
			return known;
		}
		this.#ownerIndex.set(key, this.#owners.length);
		return this.#owners.push([uid, gid]) - 1;
	}

	#sourceIndex(source: RandomAccess): number {
		// The latest ones are at the end, and there are not many more than layers.
		const known = this.#sources.lastIndexOf(source);
		return known < 0 ? this.#sources.push(source) - 1 : known;
	}
}

export const NO_XATTRS: ReadonlyMap<ByteString, Buffer> = new Map();
