import { crc32 } from 'node:zlib';

import { BLOCK, type ByteString, paddedSize } from '../tar/tarHeader.js';
import type { DirectoryInode, Inode } from '../tree/inode.js';
import { walkTree } from '../tree/walkTree.js';

/** One file with all its names. */
export interface PackUnit {
	readonly path: ByteString;
	readonly inode: Inode;
	/** Further names: hard links. */
	readonly links: readonly ByteString[];
}

/** What goes into one pack, in this order. */
export interface PackPlan {
	readonly units: readonly PackUnit[];
	/** Bytes of the tar, about. */
	readonly size: number;
}

/** Sizes of packs in bytes of tar. */
export interface PackSizes {
	/** A pack is not cut before it has this. */
	readonly least: number;
	/** … then on average after as much again … */
	readonly further: number;
	/** … and at the latest at this. */
	readonly most: number;
	/** A file from this size on is a pack of its own. */
	readonly alone: number;
	/** Most packs of an image. */
	readonly count: number;
}

const MIB = 1 << 20;

/** A BOINC job names each of its files in a few hundred bytes of at most 64 KiB: about 100 files. */
const SIZES: PackSizes = { least: 8 * MIB, further: 8 * MIB, most: 32 * MIB, alone: 16 * MIB, count: 90 };

/**
 * Cuts a tree into packs. Every entry is in exactly one; a file and its hard links are together.
 *
 * Packs with files come first, packs with directories last, and they must be unpacked in this order: a file that is
 * put into a directory changes the directory's time, so directories are described when everything is in them. Until
 * then the builders make them implicitly. (An empty directory is like a file in this.)
 *
 * The cuts depend on names and sizes near them only, so that a local change of the tree changes few packs: a pack ends
 * behind a file whose name hashes below a limit that grows with the file's size.
 */
export function partition(root: DirectoryInode, sizes: PackSizes = SIZES): PackPlan[] {
	const { files, directories } = unitsOf(root);
	for (let scale = 1; ; scale *= 2) {
		const packs = [...cut(files, scaled(sizes, scale)), ...cut(directories, scaled(sizes, scale))];
		if (packs.length <= sizes.count) {
			return packs;
		}
	}
}

const scaled = (sizes: PackSizes, scale: number): PackSizes => ({
	least: sizes.least * scale,
	further: sizes.further * scale,
	most: sizes.most * scale,
	alone: sizes.alone * scale,
	count: sizes.count,
});

function unitsOf(root: DirectoryInode): { files: PackUnit[]; directories: PackUnit[] } {
	const files: PackUnit[] = [];
	const directories: PackUnit[] = [];
	const linksOf = new Map<Inode, ByteString[]>();
	for (const { path, inode } of walkTree(root)) {
		const known = linksOf.get(inode);
		if (known) {
			known.push(path);
			continue;
		}
		const links: ByteString[] = [];
		if (inode.shared) {
			linksOf.set(inode, links);
		}
		if (inode.kind !== 'directory' || (inode.children.size === 0 && path !== '')) {
			files.push({ path, inode, links });
		} else if (path !== '' || inode.explicit) {
			directories.push({ path, inode, links });
		}
	}
	return { files, directories };
}

const tarSize = ({ inode, links }: PackUnit): number =>
	BLOCK * (1 + links.length) + (inode.kind === 'file' ? paddedSize(inode.size) : 0);

function cut(units: readonly PackUnit[], sizes: PackSizes): PackPlan[] {
	const packs: PackPlan[] = [];
	let current: PackUnit[] = [];
	let size = 0;
	const finish = (): void => {
		if (current.length > 0) {
			packs.push({ units: current, size });
		}
		current = [];
		size = 0;
	};
	for (const unit of units) {
		const more = tarSize(unit);
		if (more >= sizes.alone) {
			packs.push({ units: [unit], size: more });
			continue;
		}
		if (size + more > sizes.most) {
			finish();
		}
		current.push(unit);
		size += more;
		if (size >= sizes.least && chance(unit.path) < more / sizes.further) {
			finish();
		}
	}
	finish();
	return packs;
}

/** A number from 0 to 1 that depends on nothing but the name. */
function chance(path: ByteString): number {
	// The checksum of similar names is similar; multiplying spreads it (the finalizer of MurmurHash3).
	let hash = crc32(Buffer.from(path, 'latin1'));
	hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
	hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
	return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
