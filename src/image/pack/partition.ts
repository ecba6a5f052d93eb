import { crc32 } from 'node:zlib';

import type { ByteString } from '../tar/tarHeader.js';
import type { PackUnit, UnitList } from './unitList.js';
import { type PackKind, tarSize, type TreeUnits } from './units.js';

/** What goes into one pack, in this order. */
export interface PackPlan {
	readonly kind: PackKind;
	/**
	 * Files that are in earlier packs with another time. They come first, and `units` holds the image's link to the shared
	 * folder then: see `timeHeader`.
	 */
	readonly times: UnitList;
	readonly units: UnitList;
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
}

const MIB = 1 << 20;
/** Below this the overhead of a file in BOINC (a download, an entry in each job) outweighs what small packs save. */
const LEAST = 2 * MIB;
/** Packs that an image of any size is cut into, about half of what a job can name: the rest is for patches. */
const ABOUT = 64;

/** A BOINC job names each of its files in a few hundred bytes of at most 64 KiB: about 100 files. */
export const MOST_PACKS = 90;

/** Sizes for a tree of so many bytes of tar: in steps of two, so that trees which differ little are cut alike. */
export function packSizes(treeBytes: number): PackSizes {
	let least = LEAST;
	while (treeBytes / (2 * least) > ABOUT) {
		least *= 2;
	}
	return scaled({ least: 1, further: 1, most: 4, alone: 2 }, least);
}

const scaled = ({ least, further, most, alone }: PackSizes, scale: number): PackSizes => ({
	least: least * scale,
	further: further * scale,
	most: most * scale,
	alone: alone * scale,
});

export function sumOf(units: UnitList, value: (unit: PackUnit) => number): number {
	let sum = 0;
	for (const unit of units) {
		sum += value(unit);
	}
	return sum;
}

/** Bytes of tar of all units. */
export const unitBytes = ({ files, directories }: TreeUnits): number => sumOf(files, tarSize) + sumOf(directories, tarSize);

/**
 * Cuts units into at most `count` packs; every unit is in exactly one, files before directories.
 *
 * The cuts depend on names and sizes near them only, so that a local change of the tree changes few packs: a pack ends
 * behind a file whose name hashes below a limit that grows with the file's size.
 */
export function partition({ files, directories }: TreeUnits, sizes: PackSizes, count: number): PackPlan[] {
	for (let scale = 1; ; scale *= 2) {
		const packs = [...cut('files', files, scaled(sizes, scale)), ...cut('directories', directories, scaled(sizes, scale))];
		if (packs.length <= Math.max(count, 2)) {
			return packs;
		}
	}
}

function cut(kind: PackKind, units: UnitList, sizes: PackSizes): PackPlan[] {
	const packs: PackPlan[] = [];
	const none = units.pick([]);
	let current: number[] = [];
	let size = 0;
	const finish = (): void => {
		if (current.length > 0) {
			packs.push({ kind, times: none, units: units.pick(current), size });
		}
		current = [];
		size = 0;
	};
	let place = 0;
	for (const unit of units) {
		const here = place++;
		const more = tarSize(unit);
		if (more >= sizes.alone) {
			packs.push({ kind, times: none, units: units.pick([here]), size: more });
			continue;
		}
		if (size + more > sizes.most) {
			finish();
		}
		current.push(here);
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
