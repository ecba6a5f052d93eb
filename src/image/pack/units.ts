import { createHash } from 'node:crypto';

import { BLOCK, paddedSize } from '../tar/tarHeader.js';
import type { FileTree } from '../tree/fileTree.js';
import type { Inode } from '../tree/inode.js';
import { NumberList } from '../tree/lists.js';
import { unitDigest } from '../tree/unitDigest.js';
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

/** Works out the digests of all units, for `Inode.unitDigest`. Most are known from their layers. */
export function digestUnits(units: TreeUnits): void {
	for (const list of [units.files, units.directories]) {
		for (const unit of list) {
			const { inode } = unit;
			if (!inode.hasUnit) {
				inode.keepUnit(unitDigest(unit.path, inode, unit.links));
			}
		}
	}
}

/** Hash of a whole tree in hex: of all units, which have digests, and their times. It does not depend on packs. */
export function treeHash(units: TreeUnits): string {
	const whole = createHash('sha256');
	let text = '';
	for (const list of [units.files, units.directories]) {
		for (const { inode } of list) {
			text += `${inode.unitDigest} ${inode.mtime}\n`;
			if (text.length > PIECE) {
				whole.update(text);
				text = '';
			}
		}
	}
	return whole.update(text).digest('hex');
}
