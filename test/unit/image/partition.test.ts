import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { MemoryFile } from '../../../src/image/archive/randomAccess.js';
import { type PackPlan, type PackSizes, packSizes, partition, unitBytes } from '../../../src/image/pack/partition.js';
import { unitsOf } from '../../../src/image/pack/units.js';
import { type DirectoryInode, type FileInode, impliedDirectory, type Inode } from '../../../src/image/tree/inode.js';
import { walkTree } from '../../../src/image/tree/walkTree.js';

const source = new MemoryFile(Buffer.alloc(0));

function fileOf(size: number): FileInode {
	return {
		kind: 'file',
		number: 0,
		digest: '',
		size,
		mode: 0o644,
		uid: 0,
		gid: 0,
		mtime: 0,
		xattrs: new Map(),
		layer: 0,
		shared: false,
		source,
		offset: 0,
	};
}

/** A tree with files of the given sizes by path; the same number object twice makes no link, the same inode does. */
function treeOf(files: Iterable<readonly [path: string, inode: Inode]>): DirectoryInode {
	const root = impliedDirectory(0, 0);
	for (const [path, inode] of files) {
		const parts = path.split('/');
		const name = parts.pop()!;
		let directory = root;
		for (const part of parts) {
			const next = directory.children.get(part) ?? impliedDirectory(0, 0);
			directory.children.set(part, next);
			directory = next as DirectoryInode;
		}
		directory.children.set(name, inode);
	}
	return root;
}

const MIB = 1 << 20;
const COUNT = 90;

/** The packs of a tree for a server that has none. */
function fresh(root: DirectoryInode, sizes?: PackSizes): PackPlan[] {
	const units = unitsOf(root);
	return partition(units, sizes ?? packSizes(unitBytes(units)), sizes ? 1_000 : COUNT);
}
const names = (plan: PackPlan): string[] => plan.units.flatMap(({ path, links }) => [path, ...links]);

/** A tree of 1.5 GB, the same each time. */
function largeTree(change: (path: string, size: number) => number = (_, size) => size): DirectoryInode {
	const files: [string, Inode][] = [];
	for (let index = 0; index < 30_000; index++) {
		const path = `usr/lib/part${index % 300}/file${index}`;
		files.push([path, fileOf(change(path, (index * 7919) % 100_000))]);
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
				const inodes = Object.entries(files).map(([name, size]) => [`${name}.f`, fileOf(size)] as const);
				const shared = inodes[linked];
				if (shared) {
					shared[1].shared = true;
				}
				const root = treeOf([
					...inodes,
					...(shared
						? ([
								['a0/zz', shared[1]],
								['zz', shared[1]],
							] as const)
						: []),
				]);
				const plans = fresh(root, sizes);
				const all = plans.flatMap(names);
				const expected = [...walkTree(root)].map((item) => item.path).filter((each) => each !== '');
				expect(all.toSorted()).toEqual(expected.toSorted());
				for (const unit of plans.flatMap((plan) => plan.units)) {
					expect(unit.links).toHaveLength(unit.inode === shared?.[1] ? 2 : 0);
				}
				const kinds = plans.flatMap((plan) => plan.units.map(({ inode }) => inode.kind === 'directory'));
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
		const plansOf = (list: typeof files): string[][] =>
			fresh(treeOf(list.map(([path, size]) => [path, fileOf(size)] as const))).map(names);
		expect(plansOf(files.toReversed())).toEqual(plansOf(files));
	});

	it('makes a pack of its own of each large file', () => {
		const plans = fresh(
			treeOf([
				['a', fileOf(10)],
				['big', fileOf(40 * MIB)],
				['c', fileOf(10)],
			]),
		);
		expect(plans.map(names)).toEqual([['big'], ['a', 'c']]);
	});

	it('keeps the number of packs below 90 for any size', () => {
		const plans = fresh(treeOf(Array.from({ length: 400 }, (_, index) => [`f${index}`, fileOf(60 * MIB)] as const)));
		expect(plans.length).toBeGreaterThan(20);
		expect(plans.length).toBeLessThanOrEqual(90);
	});

	it('changes only the packs near a changed, a new or a removed file', () => {
		const contents = (root: DirectoryInode): Set<string> =>
			new Set(
				fresh(root).map((plan) =>
					plan.units.map(({ path, inode }) => `${path} ${inode.kind === 'file' ? inode.size : ''}`).join('\n'),
				),
			);
		const before = contents(largeTree());
		expect(before.size).toBeGreaterThan(40);
		const changed = contents(largeTree((path, size) => (path === 'usr/lib/part7/file7' ? size + 3_000 : size)));
		expect([...changed].filter((pack) => !before.has(pack)).length).toBeLessThanOrEqual(2);
		const tree = largeTree();
		for (const name of ['file8', 'file308', 'file608']) {
			(
				((tree.children.get('usr') as DirectoryInode).children.get('lib') as DirectoryInode).children.get(
					'part8',
				) as DirectoryInode
			).children.delete(name);
		}
		expect([...contents(tree)].filter((pack) => !before.has(pack)).length).toBeLessThanOrEqual(4);
	});
});
