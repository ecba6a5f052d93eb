import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { BoincError } from '../../../src/common/errors.js';
import { quietContext } from '../../../src/common/ports.js';
import { openImage } from '../../../src/image/archive/openImage.js';
import { ForwardReader, MemoryFile } from '../../../src/image/archive/randomAccess.js';
import { readTar } from '../../../src/image/tar/readTar.js';
import { byteString, displayName } from '../../../src/image/tar/tarHeader.js';
import { applyLayer } from '../../../src/image/tree/applyLayer.js';
import { FileTree } from '../../../src/image/tree/fileTree.js';
import { readLayer } from '../../../src/image/tree/readLayer.js';
import { walkTree } from '../../../src/image/tree/walkTree.js';
import {
	directory,
	file,
	hardlink,
	savedImage,
	type SavedLayout,
	symlink,
	tarOf,
	type TestEntry,
} from '../../support/savedImages.js';
import { headerBlock, oldGnuSparse, paxBlocks, paxSparse } from '../../support/sparseArchives.js';

let dir: string;

beforeEach(async () => {
	dir = await mkdtemp(join(tmpdir(), 'b2d-bad-'));
});

afterEach(async () => {
	await rm(dir, { recursive: true });
});

/** Everything about an image that a job would notice, in one text. */
async function contentOf(archive: Buffer): Promise<string> {
	const stream = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
		await Promise.resolve();
		yield archive;
	};
	const image = await openImage(stream(), { tempDir: dir, architecture: 'amd64' }, quietContext());
	try {
		const tree = new FileTree();
		for (const [index, { range }] of image.layers.entries()) {
			applyLayer(tree, await readLayer(range, image.diffIds[index]), index);
		}
		const lines: string[] = [JSON.stringify(image.config)];
		for (const { path, inode } of walkTree(tree)) {
			const { kind, mode, uid, gid, mtime, xattrs } = inode;
			const hash = createHash('md5');
			if (inode.kind === 'file') {
				for await (const piece of new ForwardReader(inode.source).stream(inode.offset, inode.offset + inode.size)) {
					hash.update(piece);
				}
			}
			const target = inode.kind === 'symlink' ? inode.target : '';
			lines.push(JSON.stringify([path, kind, mode, uid, gid, mtime, [...xattrs], target, hash.digest('hex')]));
		}
		return lines.join('\n');
	} finally {
		await image.close();
	}
}

const CODES = ['archive-corrupt', 'image-invalid', 'image-unsupported'] as const;
const stored = Buffer.from('stored content');
const sparse = { name: 'holes', size: 9000, pieces: [4000, stored.length], stored };
const LAYERS = [
	Buffer.concat([
		tarOf([directory('bin'), file('bin/a', 'program', { uid: 2 ** 22 }), file('old', 'x')]).subarray(0, -1024),
		oldGnuSparse(sparse),
		paxSparse('1.0', { ...sparse, name: 'more-holes' }),
		tarOf([file('n'.repeat(150), 'y', { xattrs: new Map([['user.a', Buffer.from('b')]]) })]),
	]),
	tarOf([file('.wh.old', ''), hardlink('bin/b', 'bin/a'), symlink('l', 'bin/a')]),
];
const LAYOUTS: readonly SavedLayout[] = ['docker before 25', 'docker 25', 'oci', 'oci with gzip layers'];

describe.each(LAYOUTS)('a saved image (%s)', (layout) => {
	const archive = savedImage(layout, LAYERS, { config: { Cmd: ['a', 'b'], Env: ['A=b'], WorkingDir: '/w' } });

	it('that is changed anywhere is the same image, or is refused', async () => {
		const expected = await contentOf(archive);
		await fc.assert(
			fc.asyncProperty(fc.nat(archive.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
				const damaged = Buffer.from(archive);
				damaged[at]! ^= change;
				const result = await contentOf(damaged).catch((error: unknown) => error);
				expect(result === expected || BoincError.is(result, ...CODES) || result).toBe(true);
			}),
			{ numRuns: 80, plugins: [fc.interruptAfterTimeLimit(4000)] },
		);
	});

	it('that is cut anywhere is the same image, or is refused', async () => {
		const expected = await contentOf(archive);
		await fc.assert(
			fc.asyncProperty(fc.nat(archive.length - 1), async (length) => {
				const result = await contentOf(archive.subarray(0, length)).catch((error: unknown) => error);
				expect(result === expected || BoincError.is(result, ...CODES) || result).toBe(true);
			}),
			{ numRuns: 40, plugins: [fc.interruptAfterTimeLimit(2000)] },
		);
	});
});

it.each(LAYOUTS)('an archive that is cut in a member is refused by the name of the member (%s)', async (layout) => {
	const archive = savedImage(layout, LAYERS);
	let cuts = 0;
	for await (const { name, offset, size } of readTar({
		source: new MemoryFile(archive),
		start: 0,
		end: archive.length,
		label: 'whole',
	})) {
		for (const length of size > 0 ? [offset, offset + size - 1] : []) {
			const error: unknown = await contentOf(archive.subarray(0, length)).catch((thrown: unknown) => thrown);
			expect(error).toMatchObject({ code: 'archive-corrupt', remedy: expect.any(String), detail: { entry: name } });
			cuts++;
		}
	}
	expect(cuts).toBeGreaterThan(8);
});

/** A layer that nothing protects, in a whole image: the hashes fit. */
const inLayer = (...parts: (Buffer | TestEntry)[]): Buffer =>
	savedImage('docker 25', [
		Buffer.concat([...parts.map((part) => (Buffer.isBuffer(part) ? part : tarOf([part]).subarray(0, -1024))), tarOf([])]),
	]);

describe('a layer is refused by the name of the entry', () => {
	it.each<[string, string, string, Buffer]>([
		['a path of 5000 bytes', 'image-unsupported', `${'p/'.repeat(100)}…`, inLayer(file('p/'.repeat(2500) + 'x', ''))],
		['a path 4100 levels deep', 'image-unsupported', `${'p/'.repeat(100)}…`, inLayer(directory('p/'.repeat(4100)))],
		['a link to 5000 bytes', 'image-unsupported', 'l', inLayer(symlink('l', 't'.repeat(5000)))],
		['a name with a NUL', 'archive-corrupt', 'PaxHeaders/x', inLayer(paxBlocks([['path', 'a\0b']]), file('x', ''))],
		['a size that is no number', 'archive-corrupt', 'x', inLayer(paxBlocks([['size', 'many']]), file('x', ''))],
		['a size beyond numbers', 'archive-corrupt', 'x', inLayer(paxBlocks([['size', '9'.repeat(30)]]), file('x', ''))],
		['a size over the archive', 'archive-corrupt', 'x', inLayer(headerBlock({ name: 'x', size: 2 ** 40 }, '0'))],
		[
			'records of 2 MiB',
			'archive-corrupt',
			'PaxHeaders/x',
			inLayer(paxBlocks([['comment', 'x'.repeat(1 << 21)]]), file('x', '')),
		],
		[
			'records that are none',
			'archive-corrupt',
			'pax',
			inLayer(headerBlock({ name: 'pax', size: 9 }, 'x'), Buffer.alloc(512, '9')),
		],
		[
			'a long name over the archive',
			'archive-corrupt',
			'././@LongLink',
			inLayer(headerBlock({ name: '././@LongLink', size: 1e6 }, 'L')),
		],
		['an unknown kind', 'archive-corrupt', 'before', inLayer(file('before', ''), headerBlock({ name: 'x' }, 'Q'))],
		[
			'an empty header in the middle',
			'archive-corrupt',
			'before',
			inLayer(file('before', ''), Buffer.alloc(512), file('hidden', '')),
		],
		['a header for nothing', 'archive-corrupt', 'before', inLayer(file('before', ''), paxBlocks([['path', 'x']]))],
	])('with %s', async (_, code, entry, archive) => {
		await expect(contentOf(archive)).rejects.toMatchObject({ code, remedy: expect.any(String), detail: { entry } });
	});

	it('as the engines read it otherwise', async () => {
		const name = byteString('ü'.repeat(60));
		const content = await contentOf(
			inLayer(
				paxBlocks([['path', 'ignored']], 'g'),
				file('a', '1'),
				// A long name counts before a path.
				paxBlocks([['path', 'ignored']]),
				file(name, '2'),
				// A kind of its own makes a directory, a slash only in the oldest archives.
				headerBlock({ name: 'slash/' }, '0'),
				headerBlock({ name: 'old/' }, '\0'),
			),
		);
		const kinds = content
			.split('\n')
			.slice(2)
			.map((line) => (JSON.parse(line) as string[]).slice(0, 2).map(displayName));
		expect(kinds).toEqual([
			['a', 'file'],
			['old', 'directory'],
			['slash', 'file'],
			['ü'.repeat(60), 'file'],
		]);
	});
});

describe('an image is refused', () => {
	const layer = tarOf([file('a', '1')]);
	const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
	const image = (diffIds: readonly string[] | undefined, layers: readonly string[]): Buffer =>
		tarOf([
			file('layer.tar', layer),
			file(
				'config.json',
				JSON.stringify({ os: 'linux', architecture: 'amd64', ...(diffIds && { rootfs: { type: 'layers', diff_ids: diffIds } }) }),
			),
			file('manifest.json', JSON.stringify([{ Config: 'config.json', Layers: layers }])),
		]);
	const good = `sha256:${sha256(layer)}`;

	it.each<[string, string, Buffer]>([
		['without hashes of its layers', 'archive-corrupt', image(undefined, ['layer.tar'])],
		['with too few of them', 'archive-corrupt', image([good], ['layer.tar', 'layer.tar'])],
		['with too many', 'archive-corrupt', image([good, good], ['layer.tar'])],
		['with one of an unknown kind', 'archive-corrupt', image(['md5:0123'], ['layer.tar'])],
		[
			'with thousands of layers',
			'image-unsupported',
			image(Array<string>(3000).fill(good), Array<string>(3000).fill('layer.tar')),
		],
	])('%s', async (_, code, archive) => {
		await expect(contentOf(archive)).rejects.toMatchObject({ code, remedy: expect.any(String) });
	});

	it('but not for naming one layer several times', async () => {
		expect(await contentOf(image([good, good], ['layer.tar', 'layer.tar']))).toContain('"a","file"');
	});

	it('whose indexes name each other over and over, in a moment', async () => {
		const blobs: TestEntry[] = [];
		let inner = JSON.stringify({ manifests: [] });
		for (let level = 0; level < 6; level++) {
			const digest = sha256(Buffer.from(inner));
			blobs.push(file(`blobs/sha256/${digest}`, inner));
			const one = { mediaType: 'application/vnd.oci.image.index.v1+json', digest: `sha256:${digest}` };
			inner = JSON.stringify({ manifests: Array(500).fill(one) });
		}
		await expect(contentOf(tarOf([...blobs, file('index.json', inner)]))).rejects.toMatchObject({ code: 'image-unsupported' });
	});
});
