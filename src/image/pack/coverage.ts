import type { ByteString } from '../tar/tarHeader.js';
import type { FileTree } from '../tree/fileTree.js';
import type { Inode } from '../tree/inode.js';
import { Records } from '../tree/records.js';
import type { PackFacts } from '../types.js';
import type { ManifestLine, PackManifest } from './manifest.js';
import { isFilled } from './units.js';

/** What one line of a pack means for a tree. */
interface Effect {
	readonly inode: number;
	/**
	 * The same as in the tree but perhaps for the time; other content or metadata; a time for a file of earlier packs that the
	 * tree has; the time of one that it has otherwise.
	 */
	readonly kind: 'same' | 'stale' | 'time' | 'old time';
	/** Whether the tree wants it. A file that has another time is wanted, for its time can be given later. */
	readonly useful: boolean;
	readonly mtime: number;
	/** Bytes of tar. */
	readonly size: number;
}

const KINDS: readonly Effect['kind'][] = ['same', 'stale', 'time', 'old time'];

/** A record: where each of its numbers is, and what kind of number that is. */
const INODE = 0; // Int32
const KIND = 4; // Uint8
const USEFUL = 5; // Uint8
const MTIME = 6; // Float64
const SIZE = 14; // Float64
const RECORD = 22;
/** There are many lists, and most are short. */
const SHORT = 6;

/** Effects in the order of their pack, outside of the heap: a tree has millions, and a dozen images are looked at. */
class EffectList implements Iterable<Effect> {
	readonly #records = new Records(RECORD, SHORT);
	#count = 0;

	add({ inode, kind, useful, mtime, size }: Effect): void {
		const number = this.#count++;
		const view = this.#records.view(number);
		const at = this.#records.at(number);
		view.setInt32(at + INODE, inode);
		view.setUint8(at + KIND, KINDS.indexOf(kind));
		view.setUint8(at + USEFUL, useful ? 1 : 0);
		view.setFloat64(at + MTIME, mtime);
		view.setFloat64(at + SIZE, size);
	}

	*[Symbol.iterator](): Generator<Effect, void, undefined> {
		for (let number = 0; number < this.#count; number++) {
			const view = this.#records.view(number);
			const at = this.#records.at(number);
			yield {
				inode: view.getInt32(at + INODE),
				kind: KINDS[view.getUint8(at + KIND)] ?? 'stale',
				useful: view.getUint8(at + USEFUL) === 1,
				mtime: view.getFloat64(at + MTIME),
				size: view.getFloat64(at + SIZE),
			};
		}
	}
}

/** A pack of a server that a tree can use: all its paths are in the tree. */
export interface UsablePack {
	readonly facts: PackFacts;
	readonly effects: Iterable<Effect>;
	/** Bytes of tar of what the tree wants as it is. */
	readonly useful: number;
	/** Bytes of tar of what later packs must replace. */
	readonly stale: number;
}

/**
 * What a pack of a server means for a tree. `undefined` when it has a path that the tree has not, or has as something that
 * cannot replace it: nothing can be removed when an image is put together again.
 */
export async function usablePack(manifest: PackManifest, tree: FileTree): Promise<UsablePack | undefined> {
	const look = new PathLookup(tree.root);
	const effects = new EffectList();
	let useful = 0;
	let stale = 0;
	for (const line of await manifest.lines()) {
		const found = effectsOf(line, look);
		if (found === undefined) {
			return undefined;
		}
		for (const effect of found) {
			if (effect.useful) {
				useful += effect.size;
			} else {
				stale += effect.size;
			}
			effects.add(effect);
		}
	}
	return { facts: manifest.facts, effects, useful, stale };
}

function effectsOf(line: ManifestLine, look: PathLookup): readonly Effect[] | undefined {
	const inodes = [line.path, ...line.links].map((path) => look.at(path));
	const isDirectory = line.what === 'directory' || line.what === 'empty directory';
	const [first] = inodes;
	if (first === undefined || inodes.some((inode) => inode === undefined || (inode.kind === 'directory') !== isDirectory)) {
		return undefined;
	}
	const { size } = line;
	const same = first.unitDigest === line.digest;
	if (isDirectory && isFilled(first) !== (line.what === 'directory')) {
		// One that is filled now is described again by a pack with directories. One that is empty now is to be made by a pack with
		// files, before its parent is described; what comes later must not change it.
		return isFilled(first) || (same && line.mtime === first.mtime) ? [] : undefined;
	}
	if (same) {
		const { number, mtime } = first;
		return line.what === 'time'
			? [{ inode: number, kind: 'time', useful: line.mtime === mtime, mtime: line.mtime, size }]
			: [{ inode: number, kind: 'same', useful: true, mtime: line.mtime, size }];
	}
	if (line.what === 'time') {
		// It would give other metadata than the time, too. With hard links it is not known whether just this name is there.
		return first.shared ? undefined : [{ inode: first.number, kind: 'old time', useful: false, mtime: 0, size }];
	}
	return inodes.map((inode, index) => ({
		inode: inode?.number ?? 0,
		kind: 'stale',
		useful: false,
		mtime: 0,
		size: index === 0 ? size : 0,
	}));
}

/** Finds inodes by path; paths that come in order share their folder. */
class PathLookup {
	readonly #root: Inode;
	#folder: ByteString | undefined;
	#directory: Inode | undefined;

	constructor(root: Inode) {
		this.#root = root;
	}

	at(path: ByteString): Inode | undefined {
		if (path === '') {
			return this.#root;
		}
		const slash = path.lastIndexOf('/');
		const folder = slash < 0 ? '' : path.slice(0, slash);
		if (folder !== this.#folder) {
			this.#folder = folder;
			this.#directory = this.#find(folder);
		}
		return this.#directory?.children.get(path.slice(slash + 1));
	}

	#find(folder: ByteString): Inode | undefined {
		let directory = this.#root;
		for (const part of folder === '' ? [] : folder.split('/')) {
			const next = directory.children.get(part);
			if (next?.kind !== 'directory') {
				return undefined;
			}
			directory = next;
		}
		return directory;
	}
}

const ABSENT = -2;
const STALE = -1;

/** What packs, unpacked one after another, leave of a tree. */
export class Coverage {
	/** For each inode: the time that it has with the content that is wanted, or why it has not. */
	readonly #mtimes: Float64Array;

	constructor(inodes: number) {
		this.#mtimes = new Float64Array(inodes).fill(ABSENT);
	}

	/** Bytes of tar that the pack would add to what is there already. */
	gain({ effects }: UsablePack): number {
		let sum = 0;
		for (const { inode, kind, useful, mtime, size } of effects) {
			const there = this.#mtimes[inode] ?? ABSENT;
			const adds = useful && (kind === 'same' ? there < 0 : there !== mtime);
			sum += adds ? size : 0;
		}
		return sum;
	}

	/** Whether every file to which the pack gives a time is there. Otherwise the image could not be put together. */
	supports({ effects }: UsablePack): boolean {
		for (const { inode, kind } of effects) {
			const there = this.#mtimes[inode] ?? ABSENT;
			if (kind === 'time' ? there < 0 : kind === 'old time' && there === ABSENT) {
				return false;
			}
		}
		return true;
	}

	add({ effects }: UsablePack): void {
		for (const { inode, kind, mtime } of effects) {
			this.#mtimes[inode] = kind === 'stale' || kind === 'old time' ? STALE : mtime;
		}
	}

	/** What is still to be done for an inode. */
	missing({ number, mtime }: Inode): 'nothing' | 'time' | 'all' {
		const there = this.#mtimes[number] ?? ABSENT;
		return there < 0 ? 'all' : there === mtime ? 'nothing' : 'time';
	}
}
