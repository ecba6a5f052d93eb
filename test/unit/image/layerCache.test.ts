import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { FileCache } from '../../../src/common/fileCache.js';
import { quietContext } from '../../../src/common/ports.js';
import { type FlatImage, flattenImage } from '../../../src/image/flattenImage.js';
import { LayerCache } from '../../../src/image/layerCache.js';
import type { PackFacts } from '../../../src/image/types.js';
import { bytesOf } from '../../support/assemble.js';
import { file, hardlink, savedImage, type SavedLayout, symlink, tarOf, type TestEntry } from '../../support/savedImages.js';

let dir: string;
let cache: LayerCache;
const open: FlatImage[] = [];

beforeEach(async () => {
	dir = await mkdtemp(join(tmpdir(), 'b2d-layers-'));
	cache = new LayerCache(join(dir, 'cache'));
});
afterEach(async () => {
	await Promise.all(open.splice(0).map((image) => image.dispose()));
	await rm(dir, { recursive: true });
});

/** An engine that saves an image and counts how often. */
class FakeEngine {
	saves = 0;
	archive: Buffer;

	constructor(layout: SavedLayout, layers: readonly Buffer[]) {
		this.archive = savedImage(layout, layers);
	}

	async *save(): AsyncGenerator<Uint8Array, void, undefined> {
		this.saves++;
		// Pieces that end in the middle of headers.
		for (let at = 0; at < this.archive.length; at += 99_991) {
			await Promise.resolve();
			yield this.archive.subarray(at, at + 99_991);
		}
	}
}

async function flatten(engine: FakeEngine, layers: LayerCache | undefined = cache): Promise<FlatImage> {
	const image = await flattenImage({ save: () => engine.save() }, quietContext(), { tempDir: dir, layers });
	open.push(image);
	return image;
}

interface Made {
	readonly id: string;
	readonly packs: readonly PackFacts[];
	readonly manifests: ReadonlyMap<string, Buffer>;
}

async function packsOf(image: FlatImage): Promise<Made> {
	const packs: PackFacts[] = [];
	const manifests = new Map<string, Buffer>();
	for await (const { manifest, content, ...facts } of image.write(await image.plan([]), quietContext())) {
		expect(content.size).toBe(facts.size);
		packs.push(facts);
		manifests.set(facts.name, await bytesOf({ content: manifest }));
	}
	return { id: image.id, packs: packs.toSorted((a, b) => (a.name < b.name ? -1 : 1)), manifests };
}

const bytesOnDisk = async (): Promise<number> => {
	const [folder] = (await readdir(dir)).filter((name) => name.startsWith('b2d-image-'));
	const { blocks } = await stat(join(dir, folder!, 'archive'));
	return blocks * 512;
};

const big: TestEntry[] = [
	file('usr/lib/big', randomBytes(3 << 20)),
	hardlink('usr/lib/same', 'usr/lib/big'),
	symlink('lib', 'usr/lib'),
	file('usr/lib/small', 'small', { uid: 5, mtime: 77, xattrs: new Map([['user.a', Buffer.from('b')]]) }),
];
const BASE = tarOf(big);
const top = (text: string): Buffer => tarOf([file('app/main', text), file('usr/lib/.wh.small', '')]);

describe.each(['docker before 25', 'docker 25'] as const)('a layer that was read before (%s)', (layout) => {
	it('is not stored when an image above it is read, and the image is the same', async () => {
		const first = await flatten(new FakeEngine(layout, [BASE, top('one')]));
		expect(await bytesOnDisk()).toBeGreaterThan(BASE.length);
		await open.pop()?.dispose();
		const engine = new FakeEngine(layout, [BASE, top('two')]);
		const second = await flatten(engine);
		expect(await bytesOnDisk()).toBeLessThan(BASE.length / 2);
		expect(engine.saves).toBe(1);
		await open.pop()?.dispose();
		const plain = await flatten(engine, undefined);
		expect(second.id).toBe(plain.id);
		expect(second.id).not.toBe(first.id);
	});

	it('is saved again only if a pack needs its contents', async () => {
		await flatten(new FakeEngine(layout, [BASE, top('one')]));
		const engine = new FakeEngine(layout, [BASE, top('two')]);
		const known = await flatten(engine);
		expect(engine.saves).toBe(1);
		const made = await packsOf(known);
		expect(engine.saves).toBe(2);
		expect(made).toEqual(await packsOf(await flatten(engine, undefined)));
	});

	it('is read anew when the cache is damaged in any byte or gone', async () => {
		await flatten(new FakeEngine(layout, [BASE, top('one')]));
		const expected = await packsOf(await flatten(new FakeEngine(layout, [BASE, top('two')]), undefined));
		for (const damage of [
			(bytes: Buffer) => bytes.subarray(0, bytes.length / 2),
			(bytes: Buffer) => Buffer.from(bytes.map((byte, index) => (index === bytes.length >> 1 ? byte ^ 1 : byte))),
			() => Buffer.alloc(0),
		]) {
			for (const name of await readdir(join(dir, 'cache'))) {
				const path = join(dir, 'cache', name);
				await writeFile(path, damage(await readFile(path)));
			}
			expect(await packsOf(await flatten(new FakeEngine(layout, [BASE, top('two')])))).toEqual(expected);
		}
	});
});

describe('a tree that was kept', () => {
	const diffIdOf = (layer: Buffer): string => `sha256:${createHash('sha256').update(layer).digest('hex')}`;
	const below = tarOf([file('etc/config', 'below')]);

	it('is what the image above it is made of', async () => {
		await flatten(new FakeEngine('docker 25', [BASE, below, top('one')]));
		const kept = await cache.tree([BASE, below].map(diffIdOf));
		expect(kept).toBeDefined();
		const expected = await flatten(new FakeEngine('docker 25', [BASE, below, top('two')]), undefined);
		const found = await flatten(new FakeEngine('docker 25', [BASE, below, top('two')]));
		expect(found.id).toBe(expected.id);
		// Only who looks into the cache takes another tree for it.
		const other = tarOf([file('etc/config', 'other')]);
		expect(other).toHaveLength(below.length);
		await flatten(new FakeEngine('docker 25', [BASE, other]));
		await flatten(new FakeEngine('docker 25', [BASE, other, top('three')]));
		await cache.keepTree([BASE, below].map(diffIdOf), (await cache.tree([BASE, other].map(diffIdOf)))!);
		expect((await flatten(new FakeEngine('docker 25', [BASE, below, top('two')]))).id).toBe(
			(await flatten(new FakeEngine('docker 25', [BASE, other, top('two')]), undefined)).id,
		);
	});

	it('is kept below the lowest layer that is new, though the ones below it were', async () => {
		await flatten(new FakeEngine('docker 25', [BASE, top('one')]));
		await flatten(new FakeEngine('docker 25', [BASE, top('one'), below, tarOf([file('a', 'a')])]));
		expect(await cache.tree([BASE, top('one')].map(diffIdOf))).toBeDefined();
		expect(await cache.tree([BASE, top('one'), below].map(diffIdOf))).toBeUndefined();
	});
});

describe('contents that come from a second saving', () => {
	it('are compared with the hash of their layer', async () => {
		await flatten(new FakeEngine('docker 25', [BASE, top('one')]));
		const engine = new FakeEngine('docker 25', [BASE, top('two')]);
		const image = await flatten(engine);
		engine.archive = Buffer.from(engine.archive);
		const place = engine.archive.indexOf(BASE.subarray(2000, 3000));
		engine.archive[place] = (engine.archive[place] ?? 0) ^ 1;
		await expect(packsOf(image)).rejects.toMatchObject({ code: 'archive-corrupt' });
	});
});

describe('a name in the cache that means another layer', () => {
	it('makes the image be read again with all layers', async () => {
		const other = tarOf([file('usr/lib/big', randomBytes(3 << 20)), ...big.slice(1)]);
		expect(other).toHaveLength(BASE.length);
		const engines = [BASE, other].map((base) => new FakeEngine('docker before 25', [base, top('one')]));
		for (const engine of engines) {
			await flatten(engine);
		}
		// The two archives have different names for their first layers; each name is now said to be the other's.
		const [own, others] = [BASE, other].map((base) => `sha256:${createHash('sha256').update(base).digest('hex')}`);
		let swapped = 0;
		for (const name of (await readdir(join(dir, 'cache'))).filter((each) => each.endsWith('.name'))) {
			const path = join(dir, 'cache', name);
			const diffId = await readFile(path, 'latin1');
			if (diffId === own || diffId === others) {
				await writeFile(path, diffId === own ? others! : own!);
				swapped++;
			}
		}
		expect(swapped).toBe(2);
		const engine = engines[0]!;
		const image = await flatten(engine);
		expect(engine.saves).toBe(3);
		expect(image.id).toBe((await flatten(engine, undefined)).id);
	});
});

describe('a folder of cached files', () => {
	it('keeps what was used last within its bound, and survives several programs at a time', async () => {
		const folder = join(dir, 'files');
		const files = new FileCache(folder, 3_500);
		for (const [index, name] of ['a', 'b', 'c'].entries()) {
			await files.put(new Map([[name, Buffer.alloc(1000)]]));
			await utimes(join(folder, name), index + 1, index + 1);
		}
		expect(await files.get('a')).toHaveLength(1000);
		await files.put(new Map([['d', Buffer.alloc(1000)]]));
		expect((await readdir(folder)).toSorted()).toEqual(['a', 'c', 'd']);
		const others = Array.from({ length: 8 }, () => new FileCache(folder, 3_500));
		await Promise.all(others.map(async (each) => each.put(new Map([['e', Buffer.alloc(500, 'e')]]))));
		expect(await files.get('e')).toEqual(Buffer.alloc(500, 'e'));
	});

	it('is as if it were empty where it cannot be written', async () => {
		await writeFile(join(dir, 'file'), '');
		const files = new FileCache(join(dir, 'file'), 1000);
		await files.put(new Map([['a', Buffer.from('a')]]));
		expect(await files.get('a')).toBeUndefined();
	});
});
