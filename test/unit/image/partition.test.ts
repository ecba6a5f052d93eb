import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { MemoryFile } from '../../../src/image/archive/randomAccess.js';
import { type PackPlan, type PackSizes, packSizes, partition, unitBytes } from '../../../src/image/pack/partition.js';
import { unitsOf } from '../../../src/image/pack/units.js';
import { FileTree } from '../../../src/image/tree/fileTree.js';
import { walkTree } from '../../../src/image/tree/walkTree.js';

const source = new MemoryFile(Buffer.alloc(0));
const ATTRIBUTES = { mode: 0o644, uid: 0, gid: 0, mtime: 0, xattrs: new Map(), layer: 0 };

/** A tree with files of the given sizes by path, and further names for the file at `linked`. */
function treeOf(
	files: Iterable<readonly [path: string, size: number]>,
	linked?: { readonly path: string; readonly names: readonly string[] },
): FileTree {
	const tree = new FileTree();
	const place = (path: string): { readonly name: string; readonly folder: FileTree['root'] } => {
		const parts = path.split('/');
		const name = parts.pop()!;
		return { name, folder: tree.directory(parts, 0) };
	};
	for (const [path, size] of files) {
		const { name, folder } = place(path);
		folder.children.set(name, tree.add({ kind: 'file', ...ATTRIBUTES, size, source, offset: 0, digest: '' }));
	}
	for (const path of linked?.names ?? []) {
		const { name, folder } = place(path);
		const inode = tree.find(linked!.path.split('/'), 0)!;
		inode.share();
		folder.children.set(name, inode);
	}
	return tree;
}

const MIB = 1 << 20;
const COUNT = 90;

/** The packs of a tree for a server that has none. */
function fresh(tree: FileTree, sizes?: PackSizes): PackPlan[] {
	const units = unitsOf(tree);
	return partition(units, sizes ?? packSizes(unitBytes(units)), sizes ? 1_000 : COUNT);
}
const names = (plan: PackPlan): string[] => [...plan.units].flatMap(({ path, links }) => [path, ...links]);

/** A tree of 1.5 GB, the same each time. */
function largeTree(change: (path: string, size: number) => number = (_, size) => size): FileTree {
	const files: [string, number][] = [];
	for (let index = 0; index < 30_000; index++) {
		const path = `usr/lib/part${index % 300}/file${index}`;
		files.push([path, change(path, (index * 7919) % 100_000)]);
	}
	return treeOf(files);
}

describe('the partition', () => {
	it('has every entry once, links with their file, directories last, and sizes within bounds', () => {
		const sizes: PackSizes = { least: 4_000, further: 4_000, most: 20_000, alone: 10_000 };
		const path = fc
			.array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 1, maxLength: 4 })
			.map((parts) => parts.map((part, depth) => `${part}${depth}`).join('/'));
		fc.assert(
			fc.property(fc.dictionary(path, fc.nat(12_000), { maxKeys: 60 }), fc.nat(59), (files, linked) => {
				const sized = Object.entries(files).map(([name, size]) => [`${name}.f`, size] as const);
				const shared = sized[linked]?.[0];
				const tree = treeOf(sized, shared === undefined ? undefined : { path: shared, names: ['a0/zz', 'zz'] });
				const inode = shared === undefined ? undefined : tree.find(shared.split('/'), 0);
				const plans = fresh(tree, sizes);
				const all = plans.flatMap(names);
				const expected = [...walkTree(tree)].map((item) => item.path).filter((each) => each !== '');
				expect(all.toSorted()).toEqual(expected.toSorted());
				for (const unit of plans.flatMap((plan) => [...plan.units])) {
					expect(unit.links).toHaveLength(unit.inode.number === inode?.number ? 2 : 0);
				}
				const kinds = plans.flatMap((plan) => [...plan.units].map(({ inode }) => inode.kind === 'directory'));
				expect(kinds.toSorted()).toEqual(kinds);
				for (const plan of plans) {
					expect(plan.size <= sizes.most || plan.units.length === 1).toBe(true);
				}
			}),
			{ numRuns: 100 },
		);
	});

	it('does not depend on the order in which the tree was made', () => {
		const files = Array.from({ length: 500 }, (_, index) => [`d${index % 9}/f${index}`, index * 4_000] as const);
		const plansOf = (list: typeof files): string[][] => fresh(treeOf(list)).map(names);
		expect(plansOf(files.toReversed())).toEqual(plansOf(files));
	});

	it('makes a pack of its own of each large file', () => {
		const plans = fresh(
			treeOf([
				['a', 10],
				['big', 40 * MIB],
				['c', 10],
			]),
		);
		expect(plans.map(names)).toEqual([['big'], ['a', 'c']]);
	});

	it('keeps the number of packs below 90 for any size', () => {
		const plans = fresh(treeOf(Array.from({ length: 400 }, (_, index) => [`f${index}`, 60 * MIB] as const)));
		expect(plans.length).toBeGreaterThan(20);
		expect(plans.length).toBeLessThanOrEqual(90);
	});

	it('changes only the packs near a changed, a new or a removed file', () => {
		const contents = (root: FileTree): Set<string> =>
			new Set(
				fresh(root).map((plan) =>
					[...plan.units].map(({ path, inode }) => `${path} ${inode.kind === 'file' ? inode.size : ''}`).join('\n'),
				),
			);
		const before = contents(largeTree());
		expect(before.size).toBeGreaterThan(40);
		const changed = contents(largeTree((path, size) => (path === 'usr/lib/part7/file7' ? size + 3_000 : size)));
		expect([...changed].filter((pack) => !before.has(pack)).length).toBeLessThanOrEqual(2);
		const tree = largeTree();
		for (const name of ['file8', 'file308', 'file608']) {
			tree.find(['usr', 'lib', 'part8'], 0)!.children.delete(name);
		}
		expect([...contents(tree)].filter((pack) => !before.has(pack)).length).toBeLessThanOrEqual(4);
	});
});
