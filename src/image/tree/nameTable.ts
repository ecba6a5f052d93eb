import type { ByteString } from '../tar/tarHeader.js';
import { StringStore } from './lists.js';
import { Records } from './records.js';

const NONE = -1;
const LEAST_SLOTS = 64;

/** A record: where each of its numbers is, and what kind of number that is. */
const TEXT = 0; // Uint32
const DIRECTORY = 4; // Int32
const INODE = 8; // Int32
const HASH = 12; // Int32
/** The next name in the same directory. */
const NEXT = 16; // Int32
const RECORD = 20;

/** No name: what `find` returns. */
export const NO_NAME = NONE;
/** The root directory's own name, which is empty. */
export const ROOT_NAME = 0;

/** All names of a table, as bytes. */
export interface SavedNames {
	readonly texts: Buffer;
	readonly records: Buffer;
}

/**
 * The names of a tree: each stands in a directory and leads to an inode. Both are numbers. Names are found by a hash of
 * directory and text; a name that was removed keeps its number.
 */
export class NameTable {
	readonly #texts: StringStore;
	readonly #records: Records;
	#slots = new Int32Array(LEAST_SLOTS).fill(NONE);
	#count = 0;

	constructor(saved?: SavedNames) {
		this.#texts = saved ? StringStore.of(saved.texts) : new StringStore();
		this.#records = saved ? Records.of(saved.records, RECORD) : new Records(RECORD);
		if (saved) {
			this.#count = saved.records.length / RECORD;
			this.#grow();
		} else {
			this.#append(NONE, '', 0, NONE);
		}
	}

	saved(): SavedNames {
		return { texts: this.#texts.saved(), records: this.#records.saved(this.#count) };
	}

	/** The number of a name in `directory`, or `NO_NAME`. */
	find(directory: number, text: ByteString): number {
		const hash = hashOf(directory, text);
		const mask = this.#slots.length - 1;
		for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
			const name = this.#slots[slot] ?? NONE;
			if (name === NONE) {
				return NONE;
			}
			const view = this.#records.view(name);
			const at = this.#records.at(name);
			if (
				view.getInt32(at + HASH) === hash &&
				view.getInt32(at + DIRECTORY) === directory &&
				this.#texts.is(view.getUint32(at + TEXT), text)
			) {
				return name;
			}
		}
	}

	/** Adds a name that is not there in front of `first`, the first one of the directory; returns its number. */
	add(directory: number, text: ByteString, inode: number, first: number): number {
		if ((this.#count + 1) * 2 > this.#slots.length) {
			this.#grow();
		}
		const name = this.#append(directory, text, inode, first);
		this.#place(name);
		return name;
	}

	/** The inode that a name leads to; below zero if it was removed. */
	inode(name: number): number {
		return this.#number(name, INODE);
	}

	lead(name: number, inode: number): void {
		this.#records.view(name).setInt32(this.#records.at(name) + INODE, inode);
	}

	remove(name: number): void {
		this.lead(name, NONE);
	}

	text(name: number): ByteString {
		return this.#texts.get(this.#textAt(name));
	}

	directory(name: number): number {
		return this.#number(name, DIRECTORY);
	}

	/** The names of a directory that lead somewhere, from its `first` on. */
	*from(first: number): Generator<number, void, undefined> {
		for (let name = first; name !== NONE; name = this.#number(name, NEXT)) {
			if (this.inode(name) !== NONE) {
				yield name;
			}
		}
	}

	/** In order of their bytes. */
	sorted(first: number, count: number): Int32Array {
		const names = new Int32Array(count);
		let filled = 0;
		for (const name of this.from(first)) {
			names[filled++] = name;
		}
		return names.sort((a, b) => this.#texts.compare(this.#textAt(a), this.#textAt(b)));
	}

	#append(directory: number, text: ByteString, inode: number, next: number): number {
		const name = this.#count++;
		const view = this.#records.view(name);
		const at = this.#records.at(name);
		view.setUint32(at + TEXT, this.#texts.add(text));
		view.setInt32(at + DIRECTORY, directory);
		view.setInt32(at + INODE, inode);
		view.setInt32(at + HASH, hashOf(directory, text));
		view.setInt32(at + NEXT, next);
		return name;
	}

	#number(name: number, field: number): number {
		return this.#records.view(name).getInt32(this.#records.at(name) + field);
	}

	#textAt(name: number): number {
		return this.#records.view(name).getUint32(this.#records.at(name) + TEXT);
	}

	#place(name: number): void {
		const mask = this.#slots.length - 1;
		let slot = this.#number(name, HASH) & mask;
		while (this.#slots[slot] !== NONE) {
			slot = (slot + 1) & mask;
		}
		this.#slots[slot] = name;
	}

	#grow(): void {
		let slots = this.#slots.length;
		while (slots < 2 * (this.#count + 1)) {
			slots *= 2;
		}
		this.#slots = new Int32Array(slots).fill(NONE);
		for (let name = 1; name < this.#count; name++) {
			this.#place(name);
		}
	}
}

/** FNV-1a, and the finalizer of MurmurHash3 for its low bits. */
function hashOf(directory: number, text: ByteString): number {
	let hash = Math.imul(directory ^ 0x811c9dc5, 0x01000193);
	for (let at = 0; at < text.length; at++) {
		hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
	}
	hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
	return hash ^ (hash >>> 13);
}
