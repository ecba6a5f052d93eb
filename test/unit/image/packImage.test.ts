import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { contentOfFile } from '../../../src/common/content.js';
import { quietContext } from '../../../src/common/ports.js';
import { packArchive } from '../../../src/image/packImage.js';
import type { PackedImage } from '../../../src/image/types.js';
import { listPacks, unpackPacks } from '../../support/fileTrees.js';
import {
	directory,
	file,
	hardlink,
	SAVED_LAYOUTS,
	savedImage,
	symlink,
	tarOf,
	type TestConfig,
	type TestEntry,
} from '../../support/savedImages.js';

let dir: string;
const images: PackedImage[] = [];

beforeEach(async () => {
	dir = await mkdtemp(join(tmpdir(), 'b2d-test-'));
});

afterEach(async () => {
	await Promise.all(images.splice(0).map((image) => image.dispose()));
	await rm(dir, { recursive: true });
});

async function* inPieces(bytes: Buffer, size = 10_000): AsyncGenerator<Uint8Array, void, undefined> {
	await Promise.resolve();
	for (let at = 0; at < bytes.length; at += size) {
		yield bytes.subarray(at, at + size);
	}
}

async function pack(archive: Buffer, signal?: AbortSignal): Promise<PackedImage> {
	const image = await packArchive(inPieces(archive), quietContext(signal), { tempDir: dir });
	images.push(image);
	return image;
}

const packEntries = (...layers: TestEntry[][]): Promise<PackedImage> => pack(savedImage('docker 25', layers.map(tarOf)));

const LAYERS = [
	[
		directory('bin', { mode: 0o711, mtime: 77 }),
		file('bin/a', 'program', { mode: 0o4755, uid: 3 }),
		hardlink('bin/b', 'bin/a', { mode: 0o4755, uid: 3 }),
		file('old', 'x'),
	],
	[file('.wh.old', ''), directory('empty', { mode: 0o1777 }), symlink('l', 'bin/a'), { name: 'pipe', kind: 'fifo' as const }],
	[],
	[],
];
const CONFIG: TestConfig = {
	config: { Entrypoint: ['/bin/a'], Cmd: null, Env: ['A=b'], WorkingDir: '/w', User: 'me', Labels: { one: '1' }, Unknown: 1 },
};

describe('packing a saved image', () => {
	it.each(SAVED_LAYOUTS)('gives the same image from every layout (%s)', async (layout) => {
		const expected = await pack(savedImage('docker before 25', LAYERS.map(tarOf), CONFIG));
		const image = await pack(savedImage(layout, LAYERS.map(tarOf), CONFIG));
		expect({ ...image, dispose: undefined, packs: image.packs.map(({ name }) => name) }).toEqual({
			...expected,
			dispose: undefined,
			packs: expected.packs.map(({ name }) => name),
		});
		expect(image.config).toEqual({
			os: 'linux',
			architecture: 'amd64',
			entrypoint: ['/bin/a'],
			cmd: [],
			env: ['A=b'],
			workingDir: '/w',
			user: 'me',
			labels: { one: '1' },
		});
	});

	it('keeps owners, modes, times, links, and adds the link to the shared folder', async () => {
		const image = await pack(savedImage('oci', LAYERS.map(tarOf), CONFIG));
		expect(await listPacks(image)).toEqual({
			'bin/a': expect.stringMatching(/^file 4755 3:0 1000 7 /),
			'bin/b': '=bin/a',
			empty: 'directory 1777 0:0 1000 0',
			l: 'symlink 0:0 1000 0 bin/a',
			pipe: 'fifo 644 0:0 1000 0',
			bin: 'directory 711 0:0 77 0',
			root: 'directory 700 0:0 0 0',
			'root/shared': 'symlink 0:0 0 0 /boinc/shared',
		});
		expect(image.treeSize).toBe(7);
		expect(image.warnings).toEqual([]);
	});

	it('describes directories after everything that is put into them', async () => {
		const image = await packEntries([
			directory('d'),
			file('d/a', 'x'),
			directory('d/e'),
			file('d/e/f', 'y'),
			directory('d/leaf'),
		]);
		const names = (await Promise.all((await unpackPacks(image)).map(async (tar) => Object.keys(await entryNames(tar))))).flat();
		for (const name of ['d', 'd/e']) {
			expect(names.findLastIndex((other) => other.startsWith(`${name}/`) && !['d', 'd/e'].includes(other))).toBeLessThan(
				names.indexOf(name),
			);
		}
	});

	it('states sizes and hashes of the files that it made', async () => {
		const image = await packEntries(LAYERS[0]!);
		const [folder] = await readdir(dir);
		for (const { name, content } of image.packs) {
			const actual = await contentOfFile(join(dir, folder!, name));
			expect([content.size, content.sha256, content.md5]).toEqual([actual.size, actual.sha256, actual.md5]);
			expect(name).toBe(`b2d_pack_${actual.sha256.slice(0, 32)}.tar.gz`);
		}
	});

	it('reads files, gzip’d files and gzip’d streams alike, and leaves given files alone', async () => {
		const archive = savedImage('docker before 25', LAYERS.map(tarOf));
		const { id } = await pack(archive);
		await writeFile(join(dir, 'plain.tar'), archive);
		await writeFile(join(dir, 'image.tar.gz'), gzipSync(archive));
		for (const name of ['plain.tar', 'image.tar.gz']) {
			const image = await packArchive({ file: join(dir, name) }, quietContext(), { tempDir: dir });
			images.push(image);
			expect(image.id).toBe(id);
		}
		expect((await pack(gzipSync(archive))).id).toBe(id);
		expect(await readdir(dir)).toEqual(expect.arrayContaining(['plain.tar', 'image.tar.gz']));
	});

	it('reads large compressed layers', async () => {
		const layers = [tarOf([file('noise', randomBytes(3_000_000)), file('zeros', Buffer.alloc(3_000_000))])];
		const plain = await pack(savedImage('oci', layers));
		expect((await pack(savedImage('oci with gzip layers', layers))).id).toBe(plain.id);
		expect((await pack(gzipSync(savedImage('oci', layers)))).id).toBe(plain.id);
	});

	it('has the same id whatever order and layers the tree came in', async () => {
		const one = await packEntries([file('a', '1'), directory('d'), file('d/b', '2')]);
		const two = await packEntries(
			[directory('d', { mtime: 5 }), file('d/b', 'old')],
			[file('d/b', '2'), directory('d'), file('a', '1')],
		);
		expect(two.id).toBe(one.id);
		expect(two.packs.map(({ name }) => name)).toEqual(one.packs.map(({ name }) => name));
	});

	it.each<[string, TestEntry]>([
		['content', file('a', '2')],
		['mode', file('a', '1', { mode: 0o600 })],
		['owner', file('a', '1', { uid: 1 })],
		['time', file('a', '1', { mtime: 1_001 })],
		['name', file('b', '1')],
		['kind', symlink('a', '1')],
		['capability', file('a', '1', { xattrs: new Map([['security.capability', Buffer.from('x')]]) })],
	])('has another id when one %s differs', async (_, entry) => {
		expect((await packEntries([entry])).id).not.toBe((await packEntries([file('a', '1')])).id);
	});

	it('has another id for another command, but not for other labels', async () => {
		const layers = [tarOf([file('a', '1')])];
		const plain = (await pack(savedImage('oci', layers))).id;
		expect((await pack(savedImage('oci', layers, { config: { Cmd: ['x'] } }))).id).not.toBe(plain);
		expect((await pack(savedImage('oci', layers, { config: { Labels: { built: 'today' } } }))).id).toBe(plain);
	});

	it('keeps any tree of files', async () => {
		const part = fc.stringMatching(/^[a-z\u00e0-\u00ff]{1,3}$/);
		const entries = fc.uniqueArray(
			fc.record({
				path: fc.array(part, { minLength: 1, maxLength: 3 }),
				content: fc.string(),
				mode: fc.integer({ min: 0, max: 0o7777 }),
				mtime: fc.nat(),
			}),
			{ selector: ({ path }) => path[0], maxLength: 8 },
		);
		await fc.assert(
			fc.asyncProperty(entries, async (given) => {
				const made = given.map(({ path, content, ...rest }) =>
					file(Buffer.from(path.join('/')).toString('latin1'), content, rest),
				);
				const image = await packEntries([...made, file('always', '')]);
				const listed = await listPacks(image);
				for (const { name, content, mode, mtime } of made) {
					expect(listed[name]).toMatch(`file ${mode!.toString(8)} 0:0 ${mtime!} ${Buffer.byteLength(content as string)}`);
				}
			}),
			{ numRuns: 30 },
		);
	});
});

async function entryNames(tar: Buffer): Promise<Record<string, string>> {
	const { listTar } = await import('../../support/fileTrees.js');
	return listTar(tar);
}

describe('the shared folder', () => {
	it('replaces an empty folder silently and says when it hides something', async () => {
		expect((await packEntries([directory('root/shared'), file('a', '')])).warnings).toEqual([]);
		const image = await packEntries([file('root/shared/x', '1'), file('boinc/y', '2')]);
		expect(image.warnings).toEqual([expect.stringContaining('/root/shared'), expect.stringContaining('/boinc')]);
		expect((await listPacks(image))['root/shared']).toMatch(/^symlink/);
	});

	it('goes where /root leads', async () => {
		const listed = await listPacks(await packEntries([symlink('root', 'var/roothome'), file('a', '')]));
		expect(listed['var/roothome/shared']).toMatch(/boinc/);
		expect(listed.root).toMatch(/^symlink/);
	});

	it.each([
		['/root is a file', [file('root', 'x')]],
		['/root leads to a file', [symlink('root', 'a/b'), file('a/b', '')]],
		['/boinc is a file', [file('boinc', 'x')]],
	])('is refused where %s', async (_, entries) => {
		await expect(packEntries(entries)).rejects.toMatchObject({ code: 'image-unsupported', remedy: expect.any(String) });
	});
});

describe('warnings', () => {
	it('name what hosts cannot keep', async () => {
		const image = await packEntries([
			file('plain', ''),
			{ name: 'null', kind: 'character', deviceMajor: 1, deviceMinor: 3 },
			file('far', '', { uid: 70_000 }),
			file('attr', '', {
				xattrs: new Map([
					['user.a', Buffer.from('b')],
					['security.selinux', Buffer.from('c')],
				]),
			}),
			file('cap', '', { xattrs: new Map([['security.capability', Buffer.from('c')]]) }),
		]);
		expect(image.warnings.map((line) => line.replace(/^.*\(\/(.*)\):.*/, '$1'))).toEqual(['null', 'far', 'attr', 'attr']);
		const listed = await listPacks(image);
		expect(listed.cap).toContain('security.capability');
		expect(listed.attr).toContain('user.a');
		expect(listed.attr).not.toContain('selinux');
	});
});

describe('an image that cannot be packed leaves nothing behind', () => {
	const good = (): Buffer => savedImage('docker 25', [tarOf([file('a', 'x'.repeat(3000))])]);
	const withConfig = (config: TestConfig): Buffer => savedImage('oci', [tarOf([file('a', '1')])], config);
	const manifest = (value: unknown): Buffer => tarOf([file('manifest.json', JSON.stringify(value))]);

	it.each<[string, string, () => Buffer]>([
		['for Windows', 'image-unsupported', () => withConfig({ os: 'windows' })],
		['for a strange architecture', 'image-unsupported', () => withConfig({ architecture: 's390x' })],
		['without an architecture', 'image-unsupported', () => withConfig({ architecture: '' })],
		['with only directories', 'image-empty', () => savedImage('docker 25', [tarOf([directory('a')])])],
		['without layers', 'image-empty', () => savedImage('docker 25', [])],
		['cut in the middle', 'archive-corrupt', () => good().subarray(0, 3000)],
		[
			'cut after the first layer',
			'archive-corrupt',
			() => {
				const archive = savedImage('docker before 25', LAYERS.map(tarOf));
				return archive.subarray(0, archive.indexOf('manifest.json') & ~511);
			},
		],
		['empty', 'archive-corrupt', () => Buffer.alloc(0)],
		['a text', 'archive-corrupt', () => Buffer.from('hello world\n'.repeat(100))],
		['an exported file system', 'image-invalid', () => tarOf([file('bin/sh', 'x')])],
		[
			'with a changed layer',
			'archive-corrupt',
			() => {
				const archive = good();
				const at = archive.indexOf('xxxx');
				archive[at] = 0x79;
				return archive;
			},
		],
		[
			'with a damaged gzip layer',
			'archive-corrupt',
			() => {
				const archive = savedImage('oci with gzip layers', [tarOf([file('a', 'x'.repeat(3000))])]);
				const at = archive.indexOf(Buffer.from([0x1f, 0x8b]));
				archive.fill(0x55, at + 12, at + 30);
				return archive;
			},
		],
		[
			'with an xz layer',
			'image-unsupported',
			() => savedImage('docker 25', [Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 0])]),
		],
		['compressed with bzip2', 'image-unsupported', () => Buffer.from('BZh91AY&SY')],
		['compressed with zstd, but cut off', 'archive-corrupt', () => Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0])],
		['with a manifest that is not JSON', 'archive-corrupt', () => tarOf([file('manifest.json', '{')])],
		['with a manifest of another form', 'archive-corrupt', () => manifest([{ Config: 3 }])],
		['with a missing config', 'archive-corrupt', () => manifest([{ Config: 'gone.json', Layers: [] }])],
		[
			'with several images',
			'image-invalid',
			() =>
				manifest([
					{ Config: 'a', RepoTags: ['a:1'] },
					{ Config: 'b', RepoTags: ['b:1'] },
				]),
		],
		['with no image', 'image-invalid', () => manifest([])],
		['that leads out', 'archive-corrupt', () => savedImage('oci', [tarOf([file('../x', '1')])])],
	])('%s', async (_, code, archive) => {
		const error: unknown = await pack(archive()).catch((thrown: unknown) => thrown);
		expect(error).toMatchObject({ code });
		expect(await readdir(dir)).toEqual([]);
	});

	it('for an architecture that is not in the archive says which are', async () => {
		const archive = savedImage('nested oci index', [tarOf([file('a', '1')])]);
		const packing = packArchive(inPieces(archive), quietContext(), { tempDir: dir, architecture: 'arm64' });
		await expect(packing).rejects.toMatchObject({
			code: 'image-unsupported',
			message: expect.stringContaining('linux/s390x, linux/amd64'),
		});
	});

	it('that does not exist is named', async () => {
		await expect(packArchive({ file: join(dir, 'nope.tar') }, quietContext(), { tempDir: dir })).rejects.toMatchObject({
			code: 'file-not-found',
		});
		expect(await readdir(dir)).toEqual([]);
	});

	it('when it is cancelled, at any time', async () => {
		const archive = savedImage('docker 25', [
			tarOf(Array.from({ length: 300 }, (_, index) => file(`f${index}`, 'x'.repeat(index * 50)))),
		]);
		const size = archive.length;
		for (const share of [0, 0.5, 1]) {
			const abort = new AbortController();
			const stream = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
				let sent = 0;
				for await (const piece of inPieces(archive)) {
					sent += piece.length;
					if (sent >= size * share) {
						abort.abort();
					}
					yield piece;
				}
			};
			const packing = packArchive(stream(), quietContext(abort.signal), { tempDir: dir });
			await expect(packing).rejects.toMatchObject({ name: 'AbortError' });
			expect(await readdir(dir)).toEqual([]);
		}
	});

	it('when its source fails', async () => {
		const failing = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
			await Promise.resolve();
			yield good().subarray(0, 100);
			throw new Error('the engine went away');
		};
		await expect(packArchive(failing(), quietContext(), { tempDir: dir })).rejects.toThrow('the engine went away');
		expect(await readdir(dir)).toEqual([]);
	});

	it('and a disposed one too', async () => {
		const image = await pack(good());
		expect(await readdir(dir)).toHaveLength(1);
		await image.dispose();
		expect(await readdir(dir)).toEqual([]);
	});
});
