import { BLOCK, type ByteString } from '../tar/tarHeader.js';
import type { FileTree } from '../tree/fileTree.js';
import type { PackFacts } from '../types.js';
import { choosePacks } from './choosePacks.js';
import { type Coverage, type UsablePack, usablePack } from './coverage.js';
import type { PackManifest } from './manifest.js';
import { MOST_PACKS, type PackPlan, packSizes, partition, sumOf, unitBytes } from './partition.js';
import type { PackUnit, UnitList } from './unitList.js';
import { tarSize, type TreeUnits } from './units.js';

/** A tree with what was worked out about it; its units have digests. */
export interface DigestedTree {
	readonly tree: FileTree;
	readonly units: TreeUnits;
	/** Path of the image's link to the shared folder. */
	readonly sharedLink: ByteString;
}

/** How an image is put together. */
export interface PackPlanning {
	/** Packs that the server has, in the order of unpacking. */
	readonly kept: readonly PackFacts[];
	/** Packs to make. */
	readonly fresh: readonly PackPlan[];
	/** The generation of the packs to make. */
	readonly generation: number;
	/** Bytes of tar in kept packs that later ones replace: volunteers download them in vain. */
	readonly staleBytes: number;
}

/** Chooses what the image takes of `known` packs, and cuts the rest of it into new ones. */
export async function planPacks(image: DigestedTree, known: Iterable<PackManifest>): Promise<PackPlanning> {
	const { tree, units } = image;
	const treeBytes = unitBytes(units);
	const sizes = packSizes(treeBytes);
	const usable: UsablePack[] = [];
	for (const manifest of known) {
		const pack = await usablePack(manifest, tree);
		if (pack) {
			usable.push(pack);
		}
	}
	const { packs, coverage } = choosePacks(usable, { inodes: tree.count, treeBytes, small: sizes.least / 2 });
	const rest = restOf(units, coverage);
	const kept = packs.map(({ facts }) => facts);
	return {
		kept,
		fresh: withTimes(partition(rest, sizes, MOST_PACKS - kept.length), rest.times, image),
		generation: kept.reduce((most, { generation }) => Math.max(most, generation + 1), 0),
		staleBytes: packs.reduce((sum, { stale }) => sum + stale, 0),
	};
}

/** What packs leave to do. */
function restOf({ files, directories }: TreeUnits, coverage: Coverage): TreeUnits & { readonly times: UnitList } {
	const onlyTime = ({ inode }: PackUnit): boolean =>
		// The other kinds are not worth it: they have no content.
		inode.kind === 'file' && inode.size > 0 && coverage.missing(inode) === 'time';
	const open = ({ inode }: PackUnit): boolean => coverage.missing(inode) !== 'nothing';
	return {
		files: files.filter((unit) => open(unit) && !onlyTime(unit)),
		directories: directories.filter(open),
		times: files.filter(onlyTime),
	};
}

/** Puts the times into the last pack with files, or one of their own, and the link behind them. */
function withTimes(plans: readonly PackPlan[], times: UnitList, image: DigestedTree): PackPlan[] {
	if (times.length === 0) {
		return [...plans];
	}
	const none = times.pick([]);
	const files = plans.filter(({ kind }) => kind === 'files');
	const last = files.pop() ?? { kind: 'files', times: none, units: none, size: 0 };
	const link = image.units.files.filter(({ path }) => path === image.sharedLink);
	const others = last.units.filter(({ path }) => path !== image.sharedLink);
	const size = last.size + BLOCK * times.length + sumOf(link, tarSize);
	return [
		...files,
		{ kind: 'files', times, units: others.concat(link), size },
		...plans.filter(({ kind }) => kind === 'directories'),
	];
}
