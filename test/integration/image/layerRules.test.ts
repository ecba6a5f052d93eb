import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { quietContext } from '../../../src/common/ports.js';
import { packArchive } from '../../../src/image/packImage.js';
import { startTestEngine, type TestEngine } from '../../support/engines.js';
import { listImage } from '../../support/engineTrees.js';
import { listPacks } from '../../support/fileTrees.js';
import { engineRun } from '../../support/images.js';
import { directory, file, hardlink, savedImage, tarOf, type TestEntry } from '../../support/savedImages.js';
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
		file('no/../p', 'a'),
		file('/../../q', 'b'),
		file('clean/../clean/./c', 'c'),
		directory('clean'),
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
	),
];
const REFUSED: readonly (readonly [string, Buffer])[] = [
	['a name with a NUL', layer(paxBlocks([['path', 'a\0b']]), file('x', '1'))],
	['an empty header in the middle', layer(file('a', '1'), Buffer.alloc(512), file('after', '1'))],
	['a name of 256 bytes', layer(file('n'.repeat(256), '1'))],
	['a cut file', layer(headerBlock({ name: 'cut', size: 5000 }, '0'))],
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

	const load = async (archive: Buffer): Promise<unknown> => {
		await writeFile(join(dir, 'image.tar'), archive);
		return engineRun(engine, ['load', '--input', join(dir, 'image.tar')]);
	};

	it('read odd entries alike', async () => {
		const archive = savedImage('docker before 25', ODD);
		await load(archive);
		const { stdout } = await engineRun(engine, ['images', '--quiet', '--no-trunc']);
		const { '': root, ...expected } = await listImage(engine, stdout.trim().split('\n')[0] ?? '');
		expect(root).toBeDefined();
		await writeFile(join(dir, 'image.tar'), archive);
		const image = await packArchive({ file: join(dir, 'image.tar') }, quietContext(), { tempDir: dir });
		const { root: home, 'root/shared': shared, ...actual } = await listPacks(image);
		await image.dispose();
		expect([home, shared]).toEqual([expect.any(String), expect.any(String)]);
		expect(actual).toEqual(expected);
	});

	it.each(REFUSED)('refuse %s', async (_, bad) => {
		const archive = savedImage('docker before 25', [layer(file('global', 'x')), bad]);
		await expect(load(archive)).rejects.toThrow();
		await expect(packArchive({ file: join(dir, 'image.tar') }, quietContext(), { tempDir: dir })).rejects.toMatchObject({
			code: 'archive-corrupt',
			detail: { archive: expect.any(String) },
		});
	});
});
