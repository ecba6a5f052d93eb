import { createHash, hash } from 'node:crypto';

import { BLOCK, paddedSize } from '../tar/tarHeader.js';
import { NumberList } from '../tree/column.js';
import type { FileTree } from '../tree/fileTree.js';
import type { Inode } from '../tree/inode.js';
import { travels } from '../tree/travels.js';
import { walkNames } from '../tree/walkTree.js';
import { type PackUnit, UnitList } from './unitList.js';

/**
 * What a pack holds. Files are put into directories, and that changes the directories' times, so packs with directories
 * are unpacked after all packs with files. (An empty directory is like a file in this.)
 */
export type PackKind = 'files' | 'directories';

export interface TreeUnits {
	readonly files: UnitList;
	readonly directories: UnitList;
}

/** Everything of a tree that is packed, in order of the paths; each inode once. */
export function unitsOf(tree: FileTree): TreeUnits {
	const files = new NumberList();
	const directories = new NumberList();
	const first = new Set<number>();
	const further = new Map<number, number[]>();
	for (const name of walkNames(tree)) {
		const inode = tree.inodeOf(name);
		if (inode.shared) {
			if (first.has(inode.number)) {
				const names = further.get(inode.number) ?? [];
				names.push(name);
				further.set(inode.number, names);
				continue;
			}
			first.add(inode.number);
		}
		if (inode.number !== tree.root.number) {
			(isFilled(inode) ? directories : files).add(name);
		} else if (inode.explicit) {
			directories.add(name);
		}
	}
	return {
		files: new UnitList(tree, further, files.numbers()),
		directories: new UnitList(tree, further, directories.numbers()),
	};
}

/** Whether a directory has something in it, so that its time must be set at the end. */
export const isFilled = (inode: Inode): boolean => inode.children.size > 0;

/** Bytes of a unit in a tar archive, but for long names and attributes. */
export const tarSize = ({ inode, links }: PackUnit): number => BLOCK * (1 + links.length) + paddedSize(inode.size);

/** Characters that are hashed at a time. */
const PIECE = 1 << 14;

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
	const { kind, xattrs } = inode;
	const isDevice = kind === 'character' || kind === 'block';
	// Archivers write different permissions for links, and nobody looks at them.
	const mode = kind === 'symlink' ? '' : inode.mode;
	const content = kind === 'file' ? `${inode.size} ${inode.digest}` : '';
	const device = isDevice ? `${inode.major} ${inode.minor}` : '';
	const attributes = xattrs.size === 0 ? '' : attributesOf(xattrs);
	const names = links.length === 0 ? path : `${path}\0${links.join('\0')}`;
	const text = `${kind}\0${mode}\0${inode.uid}\0${inode.gid}\0${content}\0${inode.target}\0${device}\0${attributes}\0${names}`;
	// For so few bytes an object would cost more than the hash itself.
	return hash('sha256', Buffer.from(text, 'latin1'), 'buffer');
}

const attributesOf = (xattrs: Inode['xattrs']): string =>
	[...xattrs]
		.filter(([name]) => travels(name))
		.sort(([a], [b]) => (a < b ? -1 : 1))
		.map(([name, value]) => `${name}\0${value.length}\0${value.toString('latin1')}\0`)
		.join('');

/** Hash of a whole tree in hex: of all units and their times. It does not depend on packs. */
export function treeHash(units: TreeUnits, digests: UnitDigests): string {
	const whole = createHash('sha256');
	let text = '';
	for (const list of [units.files, units.directories]) {
		for (const { inode } of list) {
			text += `${digests.of(inode)} ${inode.mtime}\n`;
			if (text.length > PIECE) {
				whole.update(text);
				text = '';
			}
		}
	}
	return whole.update(text).digest('hex');
}
