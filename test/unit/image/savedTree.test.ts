import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { MemoryFile } from '../../../src/image/archive/randomAccess.js';
import { applyLayer } from '../../../src/image/tree/applyLayer.js';
import { FileTree } from '../../../src/image/tree/fileTree.js';
import { type LayerReading, readLayer } from '../../../src/image/tree/readLayer.js';
import { decodeTree, encodeTree } from '../../../src/image/tree/savedTree.js';
import { walkTree } from '../../../src/image/tree/walkTree.js';
import { LAYERS } from '../../support/layers.js';
import { directory, file, hardlink, symlink, tarOf, type TestEntry } from '../../support/savedImages.js';
import { paxSparse } from '../../support/sparseArchives.js';

async function readingOf(bytes: Buffer, label = 'the layer'): Promise<LayerReading> {
	return readLayer({ source: new MemoryFile(bytes), start: 0, end: bytes.length, label }, undefined);
}

/** Everything that a tree says, contents by the place where they are. */
function facts(tree: FileTree, readings: readonly LayerReading[]): unknown {
	return [...walkTree(tree)].map(({ path, inode }) => {
		const { number, kind, layer, mode, uid, gid, mtime, size, digest, target, major, minor, hasUnit, shared, explicit } = inode;
		const content = kind === 'file' ? [inode.offset, readings.findIndex(({ contents }) => contents === inode.source)] : undefined;
		const unit = hasUnit ? inode.unitDigest : undefined;
		const device = kind === 'character' || kind === 'block' ? [major, minor] : undefined;
		const metadata = [mode, uid, gid, mtime, [...inode.xattrs]];
		return { path, number, kind, layer, metadata, size, digest, target, device, unit, shared, explicit, content };
	});
}

/** Saves the tree below each layer and goes on from what was saved; checks that it makes no difference. */
async function checkSaving(layers: readonly TestEntry[][]): Promise<number> {
	const readings = await Promise.all(layers.map((entries) => readingOf(tarOf(entries))));
	const contents = readings.map((reading) => reading.contents);
	const expected = new FileTree();
	let resumed = new FileTree();
	let count = 0;
	for (const [index, reading] of readings.entries()) {
		try {
			applyLayer(expected, reading, index);
		} catch {
			// What is refused ends it, with both.
			expect(() => applyLayer(resumed, reading, index)).toThrow();
			return count;
		}
		applyLayer(resumed, reading, index);
		const below = contents.slice(0, index + 1);
		resumed = decodeTree(encodeTree(resumed, below)!, below)!;
		expect(facts(resumed, readings)).toEqual(facts(expected, readings));
		count++;
	}
	return count;
}

describe('a tree that was saved', () => {
	it('is the same, and layers are laid over it as over the former one', async () => {
		let count = 0;
		await fc.assert(
			fc.asyncProperty(LAYERS, async (layers) => {
				count += await checkSaving(layers);
			}),
			{ numRuns: 300 },
		);
		expect(count).toBeGreaterThan(100);
	});

	it('keeps owners, attributes, devices, links and names of any bytes', async () => {
		const attributes = new Map([['user.a', Buffer.from([0, 255, 10])]]);
		const device = { deviceMajor: 5, deviceMinor: 300 };
		expect(
			await checkSaving([
				[
					file('d/\xfe\xff', 'a', { uid: 7, gid: 70_000, mtime: 2 ** 33, xattrs: attributes, mode: 0o4755 }),
					{ ...file('dev/null', ''), ...device, kind: 'character' as const },
					{ ...file('pipe', ''), kind: 'fifo' as const },
					symlink('s', 'x'.repeat(4000)),
				],
				[hardlink('e/again', 'd/\xfe\xff'), directory('d', { uid: 1 }), file('.wh.pipe', ''), file('e/f', 'b')],
				[file('e/g', 'c'), file('.wh.s', '')],
			]),
		).toBe(3);
	});

	it('has more entries than one piece of memory holds', async () => {
		const many = Array.from({ length: 4200 }, (_, n) => file(`folder${n % 100}/a file with a longer name ${n}`, ''));
		expect(await checkSaving([many, [file('.wh.folder7', ''), file('folder8/more', 'x')], [file('top', 'y')]])).toBe(3);
	});

	it('is not saved when files have holes, whose contents are put together while they are read', async () => {
		const holes = paxSparse('1.0', { name: 'holes', size: 10_000, pieces: [5000, 3], stored: Buffer.from('abc') });
		const reading = await readingOf(Buffer.concat([holes, tarOf([])]));
		const tree = new FileTree();
		applyLayer(tree, reading, 0);
		expect(encodeTree(tree, [reading.contents])).toBeUndefined();
	});

	it('is as if it were not there when a byte differs, and for layers of other sizes', async () => {
		const reading = await readingOf(tarOf([file('a', 'a')]));
		const tree = new FileTree();
		applyLayer(tree, reading, 0);
		const bytes = encodeTree(tree, [reading.contents])!;
		for (let at = 0; at < bytes.length; at += 7) {
			const damaged = Buffer.from(bytes);
			damaged[at]! ^= 1;
			expect(decodeTree(damaged, [reading.contents])).toBeUndefined();
		}
		expect(decodeTree(bytes, [(await readingOf(tarOf([file('a', Buffer.alloc(600))]))).contents])).toBeUndefined();
		expect(decodeTree(bytes, [reading.contents, reading.contents])).toBeUndefined();
		expect(decodeTree(Buffer.alloc(0), [])).toBeUndefined();
	});
});
