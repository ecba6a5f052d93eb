import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { quietContext } from '../../../src/common/ports.js';
import type { StoredImage } from '../../../src/image/archive/storedImage.js';
import { joinedLayer, type SplitLayer } from '../../../src/image/archive/tarSplit.js';
import { storeLayout } from '../../../src/image/engine/imageStore.js';
import { type FlatImage, flattenImage } from '../../../src/image/flattenImage.js';
import { LayerCache } from '../../../src/image/layerCache.js';
import { bytesOf } from '../../support/assemble.js';
import { directory, file, imageConfig, savedImage, symlink, tarOf, type TestEntry } from '../../support/savedImages.js';

async function* piecesOf(bytes: Buffer, size = 700): AsyncGenerator<Buffer, void, undefined> {
	await Promise.resolve();
	for (let at = 0; at < bytes.length; at += size) {
		yield bytes.subarray(at, at + size);
	}
}

async function allOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
	const pieces: Uint8Array[] = [];
	for await (const piece of stream) {
		pieces.push(piece);
	}
	return Buffer.concat(pieces);
}

const ENTRIES: readonly TestEntry[] = [
	directory('bin'),
	file('bin/a', 'program', { mode: 0o4755, uid: 3 }),
	symlink('link', 'bin/a'),
	file('odd\xff', randomBytes(5000)),
	file('nothing', ''),
	file('whole blocks', Buffer.alloc(1024, 'x')),
];

/** What an engine keeps of an archive beside the files. */
function splitOf(entries: readonly TestEntry[]): object[] {
	const lines: object[] = [];
	const segment = (bytes: Buffer): void =>
		void lines.push({ type: 2, payload: bytes.toString('base64'), position: lines.length });
	for (const entry of entries) {
		const bytes = tarOf([entry]).subarray(0, -1024);
		const size = entry.content?.length ?? 0;
		segment(bytes.subarray(0, 512));
		const isText = Buffer.from(entry.name, 'latin1').every((byte) => byte < 128);
		const name = isText ? { name: entry.name } : { name_raw: Buffer.from(entry.name, 'latin1').toString('base64') };
		lines.push({ type: 1, ...name, ...(size > 0 && { size }), payload: null, position: lines.length });
		segment(bytes.subarray(512 + size));
	}
	segment(Buffer.alloc(1024));
	return lines;
}

/** A store with these files; `asked` gets the names that are asked for. */
const storeOf = (files: readonly TestEntry[], split: readonly object[], asked: string[] = []): SplitLayer => ({
	split: () => piecesOf(gzipSync(split.map((line) => `${JSON.stringify(line)}\n`).join(''))),
	files: async function* (names) {
		asked.push(...(await allOf(names)).toString('latin1').split('\0').slice(0, -1));
		yield* piecesOf(tarOf(files));
	},
});
const full = ENTRIES.filter(({ content }) => content !== undefined && content.length > 0);

describe('a layer of a store', () => {
	it('is put together as it was, from the files that have contents', async () => {
		const asked: string[] = [];
		const layer = await allOf(joinedLayer(storeOf(full, splitOf(ENTRIES), asked)));
		expect(layer.equals(tarOf(ENTRIES))).toBe(true);
		expect(asked).toEqual(['./bin/a', './odd\xff', './whole blocks']);
	});

	it('is the same whether its first files are read one by one or all come from a program', async () => {
		const many = Array.from({ length: 60 }, (_, index) => file(`f${index}`, `content ${index}`));
		const one = (name: Buffer): AsyncIterable<Buffer> =>
			piecesOf(Buffer.from(many.find((entry) => entry.name === name.toString())?.content ?? ''));
		const asked: string[] = [];
		const layer = await allOf(joinedLayer({ ...storeOf(many.slice(50), splitOf(many), asked), file: one }));
		expect(layer.equals(tarOf(many))).toBe(true);
		expect(asked).toEqual(many.slice(50).map(({ name }) => `./${name}`));
	});

	it.each<[string, SplitLayer]>([
		['a file that is read by itself is shorter', { ...storeOf([], splitOf(ENTRIES)), file: () => piecesOf(Buffer.from('x')) }],
		['a file that is read by itself is longer', { ...storeOf([], splitOf(ENTRIES)), file: () => piecesOf(Buffer.alloc(5000)) }],
		[
			'a name of a file that is read by itself leads out',
			{ ...storeOf([], splitOf([file('../a', 'x')])), file: () => piecesOf(Buffer.from('x')) },
		],
		['a file is missing', storeOf(full.slice(0, -1), splitOf(ENTRIES))],
		['a file has another size', storeOf([file('bin/a', 'longer than before'), ...full.slice(1)], splitOf(ENTRIES))],
		['a file has become a link', storeOf([symlink('bin/a', '/etc/shadow'), ...full.slice(1)], splitOf(ENTRIES))],
		['a name leads out', storeOf(full, splitOf([file('../a', 'x')]))],
		['the description is another', storeOf(full, [{ type: 'x' }])],
		['the description is damaged', { ...storeOf(full, []), split: () => piecesOf(Buffer.from('no gzip')) }],
	])('is not given when %s', async (_, layer) => {
		await expect(allOf(joinedLayer(layer))).rejects.toThrow();
	});
});

describe('the folders of a store', () => {
	const id = 'ab'.repeat(32);
	const inspected = (upper: string, lower: string | undefined, layers: readonly string[]): string =>
		JSON.stringify([
			{ Id: `sha256:${id}`, RootFS: { Layers: layers }, GraphDriver: { Data: { UpperDir: upper, LowerDir: lower } } },
		]);
	const diffIds = ['1', '2', '3'].map((digit) => `sha256:${digit.repeat(64)}`);

	it('are found for Docker, by the hashes of layers with all below them', () => {
		const layout = storeLayout(inspected('/d/overlay2/c/diff', '/d/overlay2/b/diff:/d/overlay2/a/diff', diffIds));
		const chain = createHash('sha256').update(`${diffIds[0]!} ${diffIds[1]!}`).digest('hex');
		expect(layout?.config).toBe(`/d/image/overlay2/imagedb/content/sha256/${id}`);
		expect(layout?.layers.map(({ folder }) => folder)).toEqual(['a', 'b', 'c'].map((name) => `/d/overlay2/${name}/diff`));
		expect(layout?.layers[1]?.split).toBe(`/d/image/overlay2/layerdb/sha256/${chain}/tar-split.json.gz`);
	});

	it('are found for Podman', () => {
		const layout = storeLayout(inspected('/home/me/s/overlay/b/diff', '/home/me/s/overlay/a/diff', diffIds.slice(1)));
		expect(layout).toEqual({
			config: `/home/me/s/overlay-images/${id}/=${Buffer.from(`sha256:${id}`).toString('base64')}`,
			layers: ['a', 'b'].map((name) => ({
				split: `/home/me/s/overlay-layers/${name}.tar-split.gz`,
				folder: `/home/me/s/overlay/${name}/diff`,
			})),
		});
	});

	it.each([
		['another driver', inspected('/d/btrfs/subvolumes/x', undefined, diffIds.slice(2))],
		['other layers than the image has', inspected('/d/overlay2/c/diff', '/d/overlay2/b/diff', diffIds)],
		['no folders', JSON.stringify([{ Id: id, RootFS: { Layers: diffIds } }])],
		['nothing', ''],
	])('are left alone with %s', (_, text) => {
		expect(storeLayout(text)).toBeUndefined();
	});
});

describe('an image that is read from the store', () => {
	let dir: string;
	const open: FlatImage[] = [];
	beforeEach(async () => {
		dir = await mkdtemp(join(tmpdir(), 'b2d-stored-'));
	});
	afterEach(async () => {
		await Promise.all(open.splice(0).map((image) => image.dispose()));
		await rm(dir, { recursive: true });
	});

	const BASE = tarOf([file('usr/lib/big', randomBytes(100_000)), file('usr/lib/small', 'small')]);
	const layersWith = (text: string): Buffer[] => [BASE, tarOf([file('app/main', text), file('usr/lib/.wh.small', '')])];

	/** An engine that counts what is asked of it. `damaged` layers come otherwise from the store, or not at all. */
	async function flatten(
		layers: readonly Buffer[],
		cache?: LayerCache,
		damaged: readonly number[] | 'unreadable' = [],
	): Promise<{ image: FlatImage; saves: () => number; read: number[] }> {
		let saves = 0;
		const read: number[] = [];
		const stored: StoredImage = {
			config: JSON.parse(imageConfig(layers).toString()) as unknown,
			layer: (index) => {
				read.push(index);
				if (damaged === 'unreadable') {
					throw new Error('permission denied');
				}
				const bytes = Buffer.from(layers[index]!);
				if (damaged.includes(index)) {
					bytes[600]! ^= 1;
				}
				return piecesOf(bytes, 70_000);
			},
		};
		const archive = {
			save: () => {
				saves++;
				return piecesOf(savedImage('docker before 25', layers), 70_000);
			},
			stored: () => Promise.resolve(stored),
		};
		const image = await flattenImage(archive, quietContext(), { tempDir: dir, layers: cache });
		open.push(image);
		return { image, saves: () => saves, read };
	}

	async function packed(image: FlatImage): Promise<string[]> {
		const packs: string[] = [];
		for await (const pack of image.write(await image.plan([]), quietContext())) {
			packs.push(
				createHash('sha256')
					.update(await bytesOf(pack))
					.digest('hex'),
			);
		}
		return packs.sort();
	}

	async function expected(layers: readonly Buffer[]): Promise<{ id: string; packs: string[] }> {
		const image = await flattenImage(piecesOf(savedImage('oci', layers), 70_000), quietContext(), { tempDir: dir });
		open.push(image);
		return { id: image.id, packs: await packed(image) };
	}

	it('is the same as when the engine saves it, which it need not', async () => {
		const { image, saves } = await flatten(layersWith('one'));
		expect({ id: image.id, packs: await packed(image) }).toEqual(await expected(layersWith('one')));
		expect(saves()).toBe(0);
	});

	it('is read but for the layers that are known, until a pack needs their contents', async () => {
		const cache = new LayerCache(join(dir, 'cache'));
		await flatten(layersWith('one'), cache);
		const { image, saves, read } = await flatten(layersWith('two'), cache);
		expect(read).toEqual([1]);
		expect({ id: image.id, packs: await packed(image) }).toEqual(await expected(layersWith('two')));
		expect([read, saves()]).toEqual([[1, 0], 0]);
	});

	it('is saved by the engine when a layer has another hash, at once or later', async () => {
		const { image, saves } = await flatten(layersWith('one'), undefined, [1]);
		expect([(await expected(layersWith('one'))).id, 1]).toEqual([image.id, saves()]);
		const cache = new LayerCache(join(dir, 'cache'));
		await flatten(layersWith('one'), cache);
		const later = await flatten(layersWith('two'), cache, [0]);
		expect(later.saves()).toBe(0);
		expect(await packed(later.image)).toEqual((await expected(layersWith('two'))).packs);
		expect(later.saves()).toBe(1);
	});

	it('is read only for a pack when all its layers are known, though the engine alone can read them', async () => {
		const cache = new LayerCache(join(dir, 'cache'));
		expect((await flatten(layersWith('one'), cache, 'unreadable')).saves()).toBe(1);
		const { image, saves, read } = await flatten(layersWith('one'), cache, 'unreadable');
		expect([image.id, saves(), read]).toEqual([(await expected(layersWith('one'))).id, 0, []]);
		expect(await packed(image)).toEqual((await expected(layersWith('one'))).packs);
		expect(saves()).toBe(1);
	});

	it('leaves nothing on the disk', async () => {
		await flatten(layersWith('one'), undefined, [0]);
		await Promise.all(open.splice(0).map((image) => image.dispose()));
		expect(await readdir(dir)).toEqual([]);
	});
});
