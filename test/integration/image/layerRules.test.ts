import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { quietContext } from '../../../src/common/ports.js';
import type { ImageArchive } from '../../../src/image/archive/openImage.js';
import { findEngine } from '../../../src/image/engine.js';
import { packArchive } from '../../../src/image/packImage.js';
import { startTestEngine, type TestEngine } from '../../support/engines.js';
import { listImage } from '../../support/engineTrees.js';
import { listPacks } from '../../support/fileTrees.js';
import { engineRun, makeBusyboxImage } from '../../support/images.js';
import { directory, file, hardlink, savedImage, symlink, tarOf, type TestEntry } from '../../support/savedImages.js';
import { headerBlock, paxBlocks, paxSparse } from '../../support/sparseArchives.js';

/** What our own archives never have, so that it is the engines which say how it is meant. */
const layer = (...parts: (Buffer | TestEntry)[]): Buffer =>
	Buffer.concat([...parts.map((part) => (Buffer.isBuffer(part) ? part : tarOf([part]).subarray(0, -1024))), tarOf([])]);
const stored = Buffer.from('stored content');
const holes = { size: 9000, pieces: [4000, stored.length], stored };
const LONGEST = 'n'.repeat(255);
const ODD = [
	layer(file('replaced', 'old'), file('hidden', 'x'), file(LONGEST, 'x'), directory('clean')),
	layer(
		file('./dots/./here', 'a'),
		directory('./dots'),
		paxSparse('0.0', { ...holes, name: 'holes-00' }),
		paxSparse('0.1', { ...holes, name: 'holes-01' }),
		paxSparse('1.0', { ...holes, name: 'holes-10' }),
		paxBlocks([['path', 'ignored']], 'g'),
		file('global', '1'),
		paxBlocks([['path', 'ignored']]),
		file('l'.repeat(120), '1'),
		headerBlock({ name: 'slash/' }, '0'),
		headerBlock({ name: 'old/' }, '\0'),
		file(`.wh.${LONGEST}`, ''),
		file('.wh.hidden', ''),
		file('replaced', 'newer'),
		hardlink('second-name', 'replaced'),
		hardlink('third-name', '/replaced'),
	),
];
/** Below links of a lower layer: a folder takes their place. */
const OVER_LOWER = [
	layer(directory('usr'), file('usr/a', 'a'), symlink('link-1', 'usr'), symlink('link-2', '/usr'), symlink('link-3', 'usr')),
	layer(
		file('link-1/below', 'x'),
		file('link-2/sub/below', 'x'),
		directory('link-3', { mode: 0o711 }),
		// Folders that are not described have the time of the unpacking, so they are, but later.
		...['link-1', 'link-2', 'link-2/sub'].map((name) => directory(name)),
	),
];
/** A link takes the place of a folder of its layer, with all that is in it. Engines cannot save that again: they look for the files. */
const REPLACED = [
	layer(directory('usr'), directory('folder'), file('folder/lower', 'x')),
	layer(file('folder/own', 'x'), file('folder/.wh.lower', ''), symlink('folder', 'usr')),
];
const REFUSED: readonly (readonly [string, Buffer])[] = [
	['a name with a NUL', layer(paxBlocks([['path', 'a\0b']]), file('x', '1'))],
	['an empty header in the middle', layer(file('a', '1'), Buffer.alloc(512), file('after', '1'))],
	['a name of 256 bytes', layer(file('n'.repeat(256), '1'))],
	['a cut file', layer(headerBlock({ name: 'cut', size: 5000 }, '0'))],
];
/** What engines load and keep as it is. The entry is the last one. */
const REFUSED_BY_US: readonly (readonly [string, string, Buffer])[] = [
	['an absolute path', '/usr/abs', layer(directory('usr'), file('/usr/abs', 'x'))],
	['“..” that stays inside', 'usr/../b', layer(directory('usr'), file('usr/../b', 'x'))],
	['an entry below a link', 'lib/x', layer(directory('usr'), symlink('lib', 'usr'), file('lib/x', 'x'))],
	['a whiteout below a link', 'lib/.wh.x', layer(directory('usr'), symlink('lib', 'usr'), file('lib/.wh.x', ''))],
	['a hard link over a link', 'b', layer(directory('usr'), file('usr/a', 'x'), symlink('lib', 'usr'), hardlink('b', 'lib/a'))],
];

/** What they load and cannot save again: they look for the file where it is not. */
const NOT_EVEN_SAVED: typeof REFUSED_BY_US = [
	['an entry below a link that leads out', 'out/x', layer(symlink('out', '../../..'), file('out/x', 'x'))],
	[
		'an entry below a link that replaced its folder',
		'd/x',
		layer(directory('usr'), file('d/before', 'x'), symlink('d', 'usr'), file('d/x', 'x')),
	],
];

let dir: string;

beforeAll(async () => {
	dir = await mkdtemp(join(tmpdir(), 'b2d-rules-'));
});

afterAll(async () => {
	await rm(dir, { recursive: true, force: true });
});

describe.each(['podman', 'docker'] as const)('%s and we', (kind) => {
	let engine: TestEngine;
	beforeAll(async () => {
		engine = await startTestEngine(kind);
	});
	afterAll(() => engine.remove());

	/** Loads the image; returns its id. */
	const load = async (archive: Buffer): Promise<string> => {
		await writeFile(join(dir, 'image.tar'), archive);
		const { stdout } = await engineRun(engine, ['load', '--input', join(dir, 'image.tar')]);
		return /[0-9a-f]{64}/.exec(stdout)?.[0] ?? '';
	};
	const requireSame = async (image: string, archive: ImageArchive): Promise<void> => {
		const { '': root, ...expected } = await listImage(engine, image);
		expect(root).toBeDefined();
		const packed = await packArchive(archive, quietContext(), { tempDir: dir });
		const { root: home, 'root/shared': shared, ...actual } = await listPacks(packed);
		await packed.dispose();
		expect([home, shared]).toEqual([expect.any(String), expect.any(String)]);
		const { root: _, ...rest } = expected;
		expect(actual).toEqual(rest);
	};
	/** The image as the engine saves it, and as it has it in its folders. */
	const bothWays = async (image: string): Promise<ImageArchive[]> => {
		const ctx = quietContext();
		const found = await findEngine(ctx, { command: engine.command, env: engine.env });
		const save = (): never => {
			throw new Error('the engine saves the image');
		};
		return [found.save(image, ctx), { save, stored: async () => (await found.describe(image, ctx))?.stored() }];
	};

	it('read odd entries alike', async () => {
		// Not as they save it again, which they cannot with some kinds of sparse files.
		const image = await load(savedImage('docker before 25', ODD));
		await requireSame(image, { file: join(dir, 'image.tar') });
	});

	it('read entries over links of lower layers alike, wherever they are read', async () => {
		const image = await load(savedImage('docker before 25', OVER_LOWER));
		await requireSame(image, { file: join(dir, 'image.tar') });
		for (const archive of await bothWays(image)) {
			await requireSame(image, archive);
		}
	});

	it('read a link in place of a folder alike', async () => {
		const image = await load(savedImage('docker before 25', REPLACED));
		await requireSame(image, { file: join(dir, 'image.tar') });
	});

	it.each(REFUSED)('refuse %s', async (_, bad) => {
		const archive = savedImage('docker before 25', [layer(file('global', 'x')), bad]);
		await expect(load(archive)).rejects.toThrow();
		await expect(packArchive({ file: join(dir, 'image.tar') }, quietContext(), { tempDir: dir })).rejects.toMatchObject({
			code: 'archive-corrupt',
			detail: { archive: expect.any(String) },
		});
	});

	const refusal = (entry: string): object => ({
		code: 'archive-corrupt',
		message: expect.stringContaining('layer 2 of '),
		remedy: expect.stringContaining('relative paths'),
		detail: { entry },
	});

	it.each(REFUSED_BY_US)('differ about %s, wherever it is read', async (_, entry, bad) => {
		const image = await load(savedImage('docker before 25', [layer(file('usr/x', 'x')), bad]));
		const ctx = quietContext();
		const found = await findEngine(ctx, { command: engine.command, env: engine.env });
		const save = (): AsyncIterable<Uint8Array> => found.save(image, ctx);
		const inStore = { save, stored: async () => (await found.describe(image, ctx))?.stored() };
		for (const archive of [{ file: join(dir, 'image.tar') }, { save }, inStore]) {
			await expect(packArchive(archive, ctx, { tempDir: dir })).rejects.toMatchObject(refusal(entry));
		}
	});

	it.each(NOT_EVEN_SAVED)('differ about %s', async (_, entry, bad) => {
		const image = await load(savedImage('docker before 25', [layer(file('usr/x', 'x')), bad]));
		const archive = { file: join(dir, 'image.tar') };
		await expect(packArchive(archive, quietContext(), { tempDir: dir })).rejects.toMatchObject(refusal(entry));
		await expect(engineRun(engine, ['save', '--output', join(dir, 'again.tar'), image])).rejects.toThrow();
	});

	it('agree about a copy of such an image, as the remedy says', async () => {
		const bad = layer(directory('usr'), file('/usr/abs', 'absolute', { uid: 5 }), symlink('lib', 'usr'), file('lib/x', 'below'));
		await engineRun(engine, ['tag', await load(savedImage('docker before 25', [bad])), 'b2d-odd']);
		await writeBuild('copy', ['FROM scratch', 'COPY --from=b2d-odd / /']);
		await engineRun(engine, ['build', '--tag', 'b2d-copy', join(dir, 'copy')]);
		expect(await listImage(engine, 'b2d-copy')).toMatchObject({
			lib: expect.stringMatching(/^symlink /),
			'usr/abs': expect.stringMatching(/^file 644 5:0 /),
			'usr/x': expect.any(String),
		});
		for (const archive of await bothWays('b2d-copy')) {
			await requireSame('b2d-copy', archive);
		}
	});

	it('agree about what engines make of links, whatever is done below them', async () => {
		await makeBusyboxImage(engine, {
			tag: 'b2d-links',
			files: {
				'files/copied': 'x',
				'added.tar': tarOf([file('/absolute', 'a'), directory('usr'), symlink('s', 'usr'), file('s/below', 'b')]),
			},
			lines: [
				'RUN mkdir -p /usr/lib /opt/v1 && ln -s usr/lib /lib && ln -s /opt/v1 /opt/now && echo a > /lib/a && echo b > /lib/b',
				'COPY files /lib/',
				'COPY files /opt/now',
				'ADD added.tar /unpacked/',
				'RUN rm /lib/a && ln /lib/b /opt/now/b-too && mkdir /lib/sub && echo c > /lib/sub/c',
				'RUN rm /opt/now && mkdir /opt/now && echo d > /opt/now/d && rm -r /usr/lib/sub && ln -s . /usr/lib/sub',
				'RUN rm -r /opt/v1 && mv /opt/now /opt/v1 && ln -s v1 /opt/now && echo e > /opt/now/e',
			],
		});
		await engineRun(engine, ['run', '--name', 'b2d-change', '--network', 'none', 'b2d-links', 'sh', '-c', CHANGE]);
		await engineRun(engine, ['commit', 'b2d-change', 'b2d-committed']);
		for (const image of ['b2d-links', 'b2d-committed']) {
			for (const archive of await bothWays(image)) {
				await requireSame(image, archive);
			}
		}
	});
});

/** In a container that becomes an image. */
const CHANGE =
	'echo f > /lib/f; rm /lib/b; rm /lib; mkdir /lib; mv /usr/lib/f /lib; rm -r /usr/lib; ln -s ../lib /usr/lib; ls /usr/lib/f';

async function writeBuild(name: string, lines: readonly string[]): Promise<void> {
	await mkdir(join(dir, name), { recursive: true });
	await writeFile(join(dir, name, 'Dockerfile'), `${lines.join('\n')}\n`);
}
