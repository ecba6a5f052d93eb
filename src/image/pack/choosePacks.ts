import type { PackFacts } from '../types.js';
import { Coverage, type UsablePack } from './coverage.js';
import { MOST_PACKS } from './partition.js';

export interface PackChoice {
	/** In the order of unpacking. */
	readonly packs: readonly UsablePack[];
	/** What they leave to do. */
	readonly coverage: Coverage;
}

export interface ChoiceLimits {
	/** Inodes of the tree. */
	readonly inodes: number;
	/** Bytes of tar of the whole tree. */
	readonly treeBytes: number;
	/** A pack with fewer bytes of tar is a small one. */
	readonly small: number;
}

/** Share of what a pack has that must be new to the packs chosen before it: volunteers download the rest in vain. */
const LEAST_GAIN = 0.25;
/** Share of a tree that volunteers may download in vain. Above it the worst packs are made anew. */
const MOST_WASTE = 0.25;
/** So many small packs are joined to one, as a log-structured store does: each costs volunteers a download. */
const MOST_SMALL = 16;
/** Places for packs that are made now. */
const RESERVE = 10;

/**
 * Chooses among the packs of a server those that an image is put together from. What is stale in them is replaced by later
 * packs, and what is missing is made anew, so any choice is right; this one keeps down what must be sent, what volunteers
 * download in vain, and the number of packs.
 */
export function choosePacks(usable: readonly UsablePack[], limits: ChoiceLimits): PackChoice {
	let packs = withoutRepetition(usable, limits);
	const small = packs.filter((pack) => bytesOf(pack) < limits.small);
	if (small.length > MOST_SMALL) {
		packs = packs.filter((pack) => !small.includes(pack));
	}
	for (;;) {
		const coverage = new Coverage(limits.inodes);
		const unsupported = packs.find((pack) => {
			const good = coverage.supports(pack);
			coverage.add(pack);
			return !good;
		});
		const drop = unsupported ?? superfluous(packs, limits);
		if (drop === undefined) {
			return { packs, coverage };
		}
		packs = packs.filter((pack) => pack !== drop);
	}
}

/** Packs with more use than waste, each with enough that the others lack; in the order of unpacking. */
function withoutRepetition(usable: readonly UsablePack[], { inodes }: ChoiceLimits): UsablePack[] {
	const coverage = new Coverage(inodes);
	return usable
		.filter(({ useful, stale }) => useful > 0 && useful >= stale)
		.toSorted((a, b) => b.useful - a.useful || byOrder(a.facts, b.facts))
		.filter((pack) => {
			const wanted = coverage.gain(pack) >= LEAST_GAIN * bytesOf(pack);
			if (wanted) {
				coverage.add(pack);
			}
			return wanted;
		})
		.toSorted((a, b) => byOrder(a.facts, b.facts));
}

/** The pack to leave out first when there are too many, or too much in them is stale. */
function superfluous(packs: readonly UsablePack[], limits: ChoiceLimits): UsablePack | undefined {
	if (packs.length > MOST_PACKS - RESERVE) {
		return packs.reduce((least, pack) => (pack.useful < least.useful ? pack : least));
	}
	const waste = packs.reduce((sum, { stale }) => sum + stale, 0);
	return waste > MOST_WASTE * limits.treeBytes
		? packs.reduce((worst, pack) => (pack.stale * worst.useful > worst.stale * pack.useful ? pack : worst))
		: undefined;
}

const bytesOf = ({ useful, stale }: UsablePack): number => useful + stale;

/** The order in which packs are unpacked. */
export function byOrder(a: PackFacts, b: PackFacts): number {
	if (a.kind !== b.kind) {
		return a.kind === 'files' ? -1 : 1;
	}
	return a.generation - b.generation || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}
