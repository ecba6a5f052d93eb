import { displayName } from '../tar/tarHeader.js';
import type { FileTree } from '../tree/fileTree.js';
import type { Inode } from '../tree/inode.js';

/** Bytes in a folder of an image, all that is below it counted. */
export interface FolderSize {
	/** Its own name; several small ones together have the name `…`. */
	readonly name: string;
	readonly bytes: number;
	readonly children: readonly FolderSize[];
}

const DEPTH = 3;
/** Of what is in one folder; the rest is one part. */
const MOST_CHILDREN = 12;
/** Share of the image below which a part is not shown by itself. */
const LEAST_SHARE = 0.004;
export const REST = '…';

/** The folders of an image and what is in them, the largest first. Each file counts once, whatever its names. */
export function folderSizes(tree: FileTree): FolderSize {
	const seen = new Set<number>();
	const whole = measure(tree, tree.root, '/', seen);
	return pruned(whole, whole.bytes, 0);
}

interface Measured extends FolderSize {
	readonly children: readonly Measured[];
}

function measure(tree: FileTree, inode: Inode, name: string, seen: Set<number>): Measured {
	const children: Measured[] = [];
	let bytes = inode.kind === 'file' ? sizeOnce(inode, seen) : 0;
	for (const child of inode.children.sorted()) {
		const part = measure(tree, tree.inodeOf(child), displayName(tree.textOf(child)), seen);
		bytes += part.bytes;
		if (part.bytes > 0) {
			children.push(part);
		}
	}
	// Only what is shown is kept: a tree may have millions of names.
	children.sort((a, b) => b.bytes - a.bytes);
	return { name, bytes, children: children.slice(0, MOST_CHILDREN) };
}

function sizeOnce(inode: Inode, seen: Set<number>): number {
	if (inode.shared) {
		if (seen.has(inode.number)) {
			return 0;
		}
		seen.add(inode.number);
	}
	return inode.size;
}

function pruned(part: Measured, total: number, depth: number): FolderSize {
	if (depth >= DEPTH) {
		return { name: part.name, bytes: part.bytes, children: [] };
	}
	const shown = part.children.filter(({ bytes }) => bytes >= LEAST_SHARE * total);
	const children = shown.map((child) => pruned(child, total, depth + 1));
	const rest = part.bytes - children.reduce((sum, { bytes }) => sum + bytes, 0);
	return {
		name: part.name,
		bytes: part.bytes,
		children: rest > 0 && children.length > 0 ? [...children, { name: REST, bytes: rest, children: [] }] : children,
	};
}

/** What a layer has in the finished image. */
export interface LayerSize {
	/** Counted from 1, the lowest first. */
	readonly number: number;
	/** Bytes of files that no later layer replaces or removes. */
	readonly bytes: number;
	/** The instruction that made it; empty where nobody says. */
	readonly madeBy: string;
}

/** Bytes by layer; layers of which nothing is left are there too. */
export function layerSizes(tree: FileTree, layers: number, history: readonly string[]): LayerSize[] {
	const bytes = Array.from({ length: layers }, () => 0);
	const seen = new Set<number>();
	const add = (inode: Inode): void => {
		if (inode.kind === 'file') {
			bytes[inode.layer] = (bytes[inode.layer] ?? 0) + sizeOnce(inode, seen);
		}
		for (const child of inode.children.sorted()) {
			add(tree.inodeOf(child));
		}
	};
	add(tree.root);
	return bytes.map((sum, index) => ({ number: index + 1, bytes: sum, madeBy: instructionOf(history[index] ?? '') }));
}

/** `/bin/sh -c #(nop) COPY file:1f0a… in /app ` → `COPY /app`, `RUN /bin/sh -c make # buildkit` → `RUN make`. */
export function instructionOf(createdBy: string): string {
	const text = createdBy.replace(/\s+/g, ' ').trim();
	const nop = /^\/bin\/sh -c #\(nop\) (.*)$/.exec(text)?.[1];
	if (nop !== undefined) {
		return nop.trim().replace(/(file|dir|multi):[0-9a-f]+ in /, '');
	}
	const shell = /^(?:RUN )?(?:\|\d+ .*?)?\/bin\/sh -c (.*)$/.exec(text)?.[1];
	return (shell === undefined ? text : `RUN ${shell}`).replace(/ # buildkit$/, '');
}
