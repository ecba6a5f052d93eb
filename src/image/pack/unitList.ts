import type { ByteString } from '../tar/tarHeader.js';
import type { FileTree } from '../tree/fileTree.js';
import type { Inode } from '../tree/inode.js';
import { NumberList } from '../tree/lists.js';

/** One file with all its names. */
export interface PackUnit {
	readonly path: ByteString;
	readonly inode: Inode;
	/** Further names: hard links. */
	readonly links: readonly ByteString[];
}

/** Further names of the inodes that have some, by the inode's number. */
export type FurtherNames = ReadonlyMap<number, readonly number[]>;

const NO_LINKS: readonly ByteString[] = [];

/** A unit of a tree; its paths are put together when they are asked for. */
class TreeUnit implements PackUnit {
	readonly #tree: FileTree;
	readonly #further: FurtherNames;
	readonly name: number;
	readonly inode: Inode;

	constructor(tree: FileTree, further: FurtherNames, name: number) {
		this.#tree = tree;
		this.#further = further;
		this.name = name;
		this.inode = tree.inodeOf(name);
	}

	get path(): ByteString {
		return this.#tree.pathOf(this.name);
	}

	get links(): readonly ByteString[] {
		return this.#further.get(this.inode.number)?.map((name) => this.#tree.pathOf(name)) ?? NO_LINKS;
	}
}

/** Some of a tree's units in an order. A number each: trees have millions, and nobody needs them all at a time. */
export class UnitList implements Iterable<PackUnit> {
	readonly #tree: FileTree;
	readonly #further: FurtherNames;
	readonly #names: Int32Array;

	constructor(tree: FileTree, further: FurtherNames, names: Int32Array) {
		this.#tree = tree;
		this.#further = further;
		this.#names = names;
	}

	get length(): number {
		return this.#names.length;
	}

	*[Symbol.iterator](): Generator<PackUnit, void, undefined> {
		for (const name of this.#names) {
			yield new TreeUnit(this.#tree, this.#further, name);
		}
	}

	filter(wanted: (unit: PackUnit) => boolean): UnitList {
		// `Int32Array.filter` would collect them in the heap.
		const kept = new NumberList();
		for (const name of this.#names) {
			if (wanted(new TreeUnit(this.#tree, this.#further, name))) {
				kept.add(name);
			}
		}
		return this.#of(kept.numbers());
	}

	/** The units at these places. */
	pick(places: readonly number[]): UnitList {
		return this.#of(Int32Array.from(places, (place) => this.#names[place] ?? 0));
	}

	/** These units, and those of another list of the same tree behind them. */
	concat(other: UnitList): UnitList {
		const names = new Int32Array(this.length + other.length);
		names.set(this.#names);
		names.set(other.#names, this.length);
		return this.#of(names);
	}

	#of(names: Int32Array): UnitList {
		return new UnitList(this.#tree, this.#further, names);
	}
}
