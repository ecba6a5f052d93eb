import type { ByteString } from '../tar/tarHeader.js';
import { integers, StringStore, words } from './column.js';

const NONE = -1;
const LEAST_SLOTS = 64;

/** No name: what `find` returns. */
export const NO_NAME = NONE;
/** The root directory's own name, which is empty. */
export const ROOT_NAME = 0;

/**
 * The names of a tree: each stands in a directory and leads to an inode. Both are numbers. Names are found by a hash of
 * directory and text; a name that was removed keeps its number.
 */
export class NameTable {
	readonly #texts = new StringStore();
	readonly #text = words();
	readonly #directory = integers();
	readonly #inode = integers();
	readonly #hash = integers();
	/** The next name in the same directory. */
	readonly #next = integers();
	#slots = new Int32Array(LEAST_SLOTS).fill(NONE);
	#count = 0;

	constructor() {
		this.#append(NONE, '', 0, NONE);
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
			if (
				this.#hash.get(name) === hash &&
				this.#directory.get(name) === directory &&
				this.#texts.is(this.#text.get(name), text)
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
		return this.#inode.get(name);
	}

	lead(name: number, inode: number): void {
		this.#inode.set(name, inode);
	}

	remove(name: number): void {
		this.#inode.set(name, NONE);
	}

	text(name: number): ByteString {
		return this.#texts.get(this.#text.get(name));
	}

	directory(name: number): number {
		return this.#directory.get(name);
	}

	/** The names of a directory that lead somewhere, from its `first` on. */
	*from(first: number): Generator<number, void, undefined> {
		for (let name = first; name !== NONE; name = this.#next.get(name)) {
			if (this.#inode.get(name) !== NONE) {
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
		return names.sort((a, b) => this.#texts.compare(this.#text.get(a), this.#text.get(b)));
	}

	#append(directory: number, text: ByteString, inode: number, next: number): number {
		const name = this.#count++;
		this.#text.set(name, this.#texts.add(text));
		this.#directory.set(name, directory);
		this.#inode.set(name, inode);
		this.#hash.set(name, hashOf(directory, text));
		this.#next.set(name, next);
		return name;
	}

	#place(name: number): void {
		const mask = this.#slots.length - 1;
		let slot = this.#hash.get(name) & mask;
		while (this.#slots[slot] !== NONE) {
			slot = (slot + 1) & mask;
		}
		this.#slots[slot] = name;
	}

	#grow(): void {
		this.#slots = new Int32Array(this.#slots.length * 2).fill(NONE);
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
