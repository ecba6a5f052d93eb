import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { messageOf } from '../../../src/common/errors.js';
import { MemoryFile } from '../../../src/image/archive/randomAccess.js';
import { unitsOf } from '../../../src/image/pack/units.js';
import { displayName } from '../../../src/image/tar/tarHeader.js';
import { applyLayer } from '../../../src/image/tree/applyLayer.js';
import { FileTree } from '../../../src/image/tree/fileTree.js';
import { readLayer } from '../../../src/image/tree/readLayer.js';
import { unitDigest } from '../../../src/image/tree/unitDigest.js';
import { walkTree } from '../../../src/image/tree/walkTree.js';
import { LAYERS } from '../../support/layers.js';
import { directory, file, hardlink, symlink, tarOf, type TestEntry } from '../../support/savedImages.js';

async function flatten(...layers: TestEntry[][]): Promise<FileTree> {
	const tree = new FileTree();
	for (const [index, entries] of layers.entries()) {
		const bytes = tarOf(entries);
		const range = { source: new MemoryFile(bytes), start: 0, end: bytes.length, label: `layer ${index + 1}` };
		applyLayer(tree, await readLayer(range, undefined), index);
	}
	return tree;
}

/** `path/` for directories, `path -> target` for links, `path=SIZE` for files, with the group of hard links behind it. */
async function listing(...layers: TestEntry[][]): Promise<string[]> {
	const tree = await flatten(...layers);
	const groups = new Map<number, string>();
	return [...walkTree(tree)].slice(1).map(({ path, inode }) => {
		const first = groups.get(inode.number);
		groups.set(inode.number, first ?? path);
		if (first !== undefined) {
			return `${displayName(path)} is ${displayName(first)}`;
		}
		switch (inode.kind) {
			case 'directory':
				return `${displayName(path)}/`;
			case 'symlink':
				return `${displayName(path)} -> ${inode.target}`;
			case 'file':
				return `${displayName(path)}=${inode.size}`;
			default:
				return `${displayName(path)} ${inode.kind}`;
		}
	});
}

// The results are those of Docker 20.10 and Podman 4.3 (overlay drivers) for the same layers, where these accept them.
describe('layers over each other', () => {
	it('hide single entries by whiteouts', async () => {
		expect(await listing([file('d/x/y', '1'), file('d/z', '2')], [file('d/.wh.x', '')])).toEqual(['d/', 'd/z=1']);
	});

	it('hide everything below by an opaque mark, wherever it stands, but nothing of the same layer', async () => {
		expect(
			await listing([file('o/s/1', '1'), file('o/2', '2')], [file('o/s/n', 'new'), file('o/.wh..wh..opq', ''), file('o/3', '3')]),
		).toEqual(['o/', 'o/3=1', 'o/s/', 'o/s/n=3']);
	});

	it('keep what a layer has beside its own whiteout', async () => {
		expect(await listing([file('w', 'old')], [file('w', 'new!'), file('.wh.w', '')])).toEqual(['w=4']);
	});

	it('ignore whiteouts of what is not there', async () => {
		expect(await listing([file('d/z', '2')], [file('d/.wh.x', '')])).toEqual(['d/', 'd/z=1']);
	});

	it('replace directories by files and files by directories', async () => {
		expect(
			await listing(
				[file('d/x', 'x'), file('f', 'f'), file('g', 'g')],
				[file('d', 'now'), directory('f'), file('f/c', 'c'), file('g/c', 'c')],
			),
		).toEqual(['d=3', 'f/', 'f/c=1', 'g/', 'g/c=1']);
	});

	it('put a directory in place of a link of a lower layer', async () => {
		const lower = [file('usr/lib/a', 'a'), symlink('lib', 'usr/lib'), symlink('abs', '/usr/lib')];
		expect(await listing(lower, [file('lib/b', 'b'), directory('abs'), file('abs/c', 'c')])).toEqual([
			'abs/',
			'abs/c=1',
			'lib/',
			'lib/b=1',
			'usr/',
			'usr/lib/',
			'usr/lib/a=1',
		]);
	});

	it('put a directory there for a whiteout alone, too: engines list a name in it that cannot be opened', async () => {
		expect(await listing([file('usr/a', 'a'), symlink('lib', 'usr')], [file('lib/.wh.a', '')])).toEqual([
			'lib/',
			'usr/',
			'usr/a=1',
		]);
	});

	it('put links in place of folders, with all that the layer had in them', async () => {
		const lower = [file('usr/a', 'a'), file('d/lower', 'x')];
		expect(await listing(lower, [file('d/own', 'y'), file('d/.wh.lower', ''), symlink('d', 'usr')])).toEqual([
			'd -> usr',
			'usr/',
			'usr/a=1',
		]);
	});

	it('put folders in place of links, and what is in them afterwards', async () => {
		const layer = [directory('usr'), symlink('d', 'usr'), directory('d'), file('d/x', 'x')];
		expect(await listing(layer)).toEqual(['d/', 'd/x=1', 'usr/']);
	});

	it('take the last of several entries with one name', async () => {
		expect(
			await listing([
				file('a', '1'),
				file('a', '22'),
				directory('b'),
				file('b/x', 'x'),
				file('b', 'file'),
				file('e', 'e'),
				directory('e'),
			]),
		).toEqual(['a=2', 'b=4', 'e/']);
	});

	it('clean names first, and know the root by several', async () => {
		expect(await listing([directory('.'), directory('/', { mode: 0o700 }), file('./rel//./y', 'y')])).toEqual([
			'rel/',
			'rel/y=1',
		]);
		expect((await flatten([directory('/', { mode: 0o711 })])).root).toMatchObject({ mode: 0o711 });
	});

	it('store the longest names that Linux has, and whiteouts of them', async () => {
		const name = 'n'.repeat(255);
		expect(await listing([file(name, 'x'), file('m', 'm')])).toEqual(['m=1', `${name}=1`]);
		expect(await listing([file(name, 'x'), file('m', 'm')], [file(`.wh.${name}`, '')])).toEqual(['m=1']);
	});

	it('leave out the marks of overlay file systems and of AUFS', async () => {
		expect(
			await listing([
				file('.wh..wh.aufs', ''),
				file('.wh..wh.plnk/1.2', ''),
				{ name: 'gone', kind: 'character' },
				file('a', 'a'),
			]),
		).toEqual(['a=1']);
	});
});

describe('hard links', () => {
	it('are names of one file, also with absolute targets', async () => {
		expect(await listing([file('d/a', 'a'), hardlink('b', '/d/a'), hardlink('c', './d/a')])).toEqual([
			'b=1',
			'c is b',
			'd/',
			'd/a is b',
		]);
	});

	it('reach into lower layers', async () => {
		expect(await listing([file('a', 'a'), hardlink('b', 'a')], [hardlink('c', 'a')])).toEqual(['a=1', 'b is a', 'c is a']);
	});

	it('reach the file that their layer has put there, or the one that was there when they came', async () => {
		expect(await listing([file('a', 'old')], [file('a', 'newer'), hardlink('b', 'a')])).toEqual(['a=5', 'b is a']);
		expect(await listing([file('a', 'old')], [hardlink('b', 'a'), file('a', 'newer')])).toEqual(['a=5', 'b=3']);
	});

	it('become names of something else when the name comes again', async () => {
		expect(await listing([file('a', '1'), file('x', '22'), hardlink('b', 'a'), hardlink('b', 'x')])).toEqual([
			'a=1',
			'b=2',
			'x is b',
		]);
		expect(await listing([file('a', '1'), hardlink('b', 'a'), directory('b'), file('b/c', '2')])).toEqual(['a=1', 'b/', 'b/c=1']);
		expect(await listing([directory('d'), file('d/x', '1'), hardlink('h', 'd/x'), symlink('d', 'e')])).toEqual(['d -> e', 'h=1']);
	});

	it('do not reach what a whiteout of their layer hides', async () => {
		for (const layer of [
			[file('.wh.a', ''), hardlink('b', 'a')],
			[hardlink('b', 'd/a'), file('d/.wh..wh..opq', '')],
			[hardlink('b', 'd/a'), file('.wh.d', '')],
		]) {
			await expect(flatten([file('a', 'old'), file('d/a', 'old')], layer)).rejects.toMatchObject({
				code: 'archive-corrupt',
				detail: { entry: 'b' },
			});
		}
		// The other name of a hidden file stays.
		expect(await listing([file('a', 'old'), hardlink('b', 'a')], [file('.wh.a', '')])).toEqual(['b=3']);
	});

	it('part when a layer brings one of the names anew', async () => {
		expect(await listing([file('a', 'a'), hardlink('b', 'a')], [file('a', 'a2')])).toEqual(['a=2', 'b=1']);
	});

	it('give the file the owner, mode and time of their header, as both engines do', async () => {
		const tree = await flatten([file('a', 'a'), hardlink('b', 'a', { mode: 0o600, uid: 7, mtime: 5 })]);
		expect(tree.root.children.get('a')).toMatchObject({ mode: 0o600, uid: 7, mtime: 5 });
	});

	it.each([
		['nothing', [hardlink('b', 'nope')], 'does not exist'],
		['a directory', [directory('d'), hardlink('b', 'd')], 'is a directory'],
	])('to %s are refused', async (_, entries, why) => {
		await expect(flatten(entries)).rejects.toMatchObject({ code: 'archive-corrupt', message: expect.stringContaining(why) });
	});
});

describe('metadata', () => {
	it('of a directory is the topmost layer’s, and what is in it stays', async () => {
		const tree = await flatten(
			[directory('d', { mode: 0o700, mtime: 50 }), file('d/a', 'a')],
			[directory('d', { mode: 0o711, mtime: 60, uid: 4 })],
		);
		expect(tree.root.children.get('d')).toMatchObject({ mode: 0o711, mtime: 60, uid: 4 });
		expect(await listing([directory('d'), file('d/a', 'a')], [directory('d')])).toEqual(['d/', 'd/a=1']);
	});

	it('has whole seconds, none before 1970', async () => {
		const tree = await flatten([file('a', 'a', { mtime: -5 })]);
		expect(tree.root.children.get('a')).toMatchObject({ mtime: 0 });
	});
});

describe('an entry that leads out, round or over a link is refused by name, with what to do', () => {
	it.each<[string, TestEntry[], string, string]>([
		['..', [file('../evil', 'x')], '../evil', '“..”'],
		['.. in the middle', [file('a/../../evil', 'x')], 'a/../../evil', '“..”'],
		['.. that stays inside', [directory('a'), file('a/../b', 'x')], 'a/../b', '“..”'],
		['a whiteout out', [file('../.wh.evil', '')], '../.wh.evil', '“..”'],
		['a hard link out', [file('a', 'a'), hardlink('b', '../../etc/shadow')], 'b', '“..”'],
		['an absolute path', [file('/abs/x', 'x')], '/abs/x', 'absolute'],
		['an absolute path of a folder', [directory('//abs')], '//abs', 'absolute'],
		['an absolute whiteout', [file('/.wh.x', '')], '/.wh.x', 'absolute'],
		['below a link', [directory('usr'), symlink('lib', 'usr'), file('lib/x', 'x')], 'lib/x', '“lib” is a symbolic link'],
		['below a link, with its folder', [symlink('lib', 'usr'), directory('lib/x/y')], 'lib/x/y', '“lib” is a symbolic link'],
		['far below a link', [symlink('usr/lib', '/x'), file('usr/lib/a/b', 'x')], 'usr/lib/a/b', '“usr/lib” is a symbolic link'],
		['below a link to elsewhere', [symlink('e', '../../..'), file('e/y', 'y')], 'e/y', '“e” is a symbolic link'],
		[
			'below a link that replaced its folder',
			[file('d/before', 'x'), symlink('d', 'e'), file('d/x', 'y')],
			'd/x',
			'“d” is a symbolic link',
		],
		['a whiteout below a link', [symlink('lib', 'usr'), file('lib/.wh.x', '')], 'lib/.wh.x', '“lib” is a symbolic link'],
		['an opaque mark below a link', [symlink('d', 'e'), file('d/.wh..wh..opq', '')], 'd/.wh..wh..opq', '“d” is a symbolic link'],
		['a hard link below a link', [file('a', 'a'), symlink('s', 'd'), hardlink('s/b', 'a')], 's/b', '“s” is a symbolic link'],
		['a hard link over a link', [file('d/a', 'a'), symlink('s', 'd'), hardlink('c', 's/a')], 'c', '“s” is a symbolic link'],
		['below a file', [file('g', 'g'), file('g/c', 'c')], 'g/c', 'not a directory'],
		['a loop of links', [symlink('p', 'q'), symlink('q', 'p'), file('p/x', 'x')], 'p/x', '“p” is a symbolic link'],
		['a link to itself', [symlink('s', 's'), file('s/x', 'x')], 's/x', '“s” is a symbolic link'],
		['a hard link to itself that comes first', [hardlink('h', 'h')], 'h', 'does not exist'],
		['hard links that go round', [hardlink('h', 'i'), hardlink('i', 'h')], 'h', 'does not exist'],
		['a name that no file system holds', [file('n'.repeat(256), 'x')], `${'n'.repeat(200)}…`, '255 bytes'],
	])('%s', async (_, entries, name, why) => {
		const refused = {
			code: 'archive-corrupt',
			message: expect.stringMatching(/^The entry “.*” of layer 2 cannot be placed: /),
			remedy: expect.any(String),
			detail: { archive: 'layer 2', entry: name },
		};
		// In the lowest layer it is no other.
		await expect(flatten(entries)).rejects.toMatchObject({
			code: 'archive-corrupt',
			detail: { archive: 'layer 1', entry: name },
		});
		const error: unknown = await flatten([directory('usr'), directory('d')], entries).catch((thrown: unknown) => thrown);
		expect(error).toMatchObject(refused);
		expect(error).toHaveProperty('message', expect.stringContaining(why));
	});
});

/** A tree, or why there is none. */
const treeOrTrouble = (layers: TestEntry[][]): Promise<FileTree | string> => flatten(...layers).catch(messageOf);

describe('property: layers over each other', () => {
	it('are the same whether or not entries that share a folder follow each other', async () => {
		const scattered = (layer: TestEntry[]): TestEntry[] =>
			layer.map((entry, index) => (index % 2 === 0 ? entry : { ...entry, name: `./${entry.name}` }));
		const facts = (tree: FileTree | string): unknown =>
			typeof tree === 'string'
				? tree.replaceAll('./', '')
				: [...walkTree(tree)].map(({ path, inode }) => [path, inode.kind, inode.mode, inode.size, inode.target, inode.layer]);
		await fc.assert(
			fc.asyncProperty(LAYERS, async (layers) => {
				expect(facts(await treeOrTrouble(layers.map(scattered)))).toEqual(facts(await treeOrTrouble(layers)));
			}),
			{ numRuns: 300 },
		);
	});

	it('have the digests that were worked out for each layer, where these still hold', async () => {
		let known = 0;
		await fc.assert(
			fc.asyncProperty(LAYERS, async (layers) => {
				const tree = await treeOrTrouble(layers);
				const { files, directories } = typeof tree === 'string' ? { files: [], directories: [] } : unitsOf(tree);
				for (const { path, inode, links } of [...files, ...directories]) {
					if (inode.hasUnit) {
						known++;
						expect(inode.unitDigest).toBe(Buffer.from(unitDigest(path, inode, links), 'latin1').toString('base64url'));
					}
				}
			}),
			{ numRuns: 300 },
		);
		expect(known).toBeGreaterThan(10);
	});
});
