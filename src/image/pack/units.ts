import { createHash } from 'node:crypto';

import { BLOCK, type ByteString, paddedSize } from '../tar/tarHeader.js';
import type { FileTree } from '../tree/fileTree.js';
import type { DirectoryInode, Inode } from '../tree/inode.js';
import { travels } from '../tree/travels.js';
import { walkTree } from '../tree/walkTree.js';

/** One file with all its names. */
export interface PackUnit {
	readonly path: ByteString;
	readonly inode: Inode;
	/** Further names: hard links. */
	readonly links: readonly ByteString[];
}

/**
 * What a pack holds. Files are put into directories, and that changes the directories' times, so packs with directories
 * are unpacked after all packs with files. (An empty directory is like a file in this.)
 */
export type PackKind = 'files' | 'directories';

export interface TreeUnits {
	readonly files: readonly PackUnit[];
	readonly directories: readonly PackUnit[];
}

const NO_LINKS: readonly ByteString[] = [];

/** Everything of a tree that is packed, in order of the paths; each inode once. */
export function unitsOf(root: DirectoryInode): TreeUnits {
	const files: PackUnit[] = [];
	const directories: PackUnit[] = [];
	const linksOf = new Map<Inode, ByteString[]>();
	for (const { path, inode } of walkTree(root)) {
		const known = linksOf.get(inode);
		if (known) {
			known.push(path);
			continue;
		}
		const links: ByteString[] | undefined = inode.shared ? [] : undefined;
		if (links) {
			linksOf.set(inode, links);
		}
		const unit = { path, inode, links: links ?? NO_LINKS };
		if (path === '') {
			if (root.explicit) {
				directories.push(unit);
			}
		} else {
			(isFilled(inode) ? directories : files).push(unit);
		}
	}
	return { files, directories };
}

/** Whether a directory has something in it, so that its time must be set at the end. */
export const isFilled = (inode: Inode): boolean => inode.kind === 'directory' && inode.children.size > 0;

/** Bytes of a unit in a tar archive, but for long names and attributes. */
export const tarSize = ({ inode, links }: PackUnit): number =>
	BLOCK * (1 + links.length) + (inode.kind === 'file' ? paddedSize(inode.size) : 0);

/** 96 bits: only what lies under one path is ever compared. */
const DIGEST_BYTES = 12;

/**
 * What tells whether a unit is the same as one in another tree: a digest of its names, kind, owner, mode, attributes and
 * content. The time is left out: it is compared by itself, for a rebuilt image has many files whose time alone is new.
 */
export class UnitDigests {
	readonly #table: Buffer;

	constructor(tree: FileTree, units: TreeUnits) {
		this.#table = Buffer.alloc(tree.count * DIGEST_BYTES);
		for (const list of [units.files, units.directories]) {
			for (const unit of list) {
				const digest = digestOf(unit);
				digest.copy(this.#table, unit.inode.number * DIGEST_BYTES, 0, DIGEST_BYTES);
			}
		}
	}

	/** The digest of an inode's unit as 16 characters. */
	of(inode: Inode): string {
		const start = inode.number * DIGEST_BYTES;
		return this.#table.toString('base64url', start, start + DIGEST_BYTES);
	}
}

function digestOf({ path, inode, links }: PackUnit): Buffer {
	const isDevice = inode.kind === 'character' || inode.kind === 'block';
	const parts = [
		inode.kind,
		// Archivers write different permissions for links, and nobody looks at them.
		inode.kind === 'symlink' ? '' : inode.mode,
		inode.uid,
		inode.gid,
		inode.kind === 'file' ? `${inode.size} ${inode.digest}` : '',
		inode.kind === 'symlink' ? inode.target : '',
		isDevice ? `${inode.major} ${inode.minor}` : '',
		...[...inode.xattrs]
			.filter(([name]) => travels(name))
			.sort(([a], [b]) => (a < b ? -1 : 1))
			.flatMap(([name, value]) => [name, value.length, value.toString('latin1')]),
		'',
		path,
		...links,
	];
	return createHash('sha256').update(parts.join('\0'), 'latin1').digest();
}

/** Hash of a whole tree in hex: of all units and their times. It does not depend on packs. */
export function treeHash(units: TreeUnits, digests: UnitDigests): string {
	const hash = createHash('sha256');
	for (const list of [units.files, units.directories]) {
		for (const { inode } of list) {
			hash.update(`${digests.of(inode)} ${inode.mtime}\n`);
		}
	}
	return hash.digest('hex');
}
