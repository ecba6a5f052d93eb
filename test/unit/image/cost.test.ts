import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { quietContext } from '../../../src/common/ports.js';
import { LARGE_FILE } from '../../../src/image/cost/findings.js';
import { instructionOf } from '../../../src/image/cost/treeSizes.js';
import { flattenImage } from '../../../src/image/flattenImage.js';
import { type ImageCost, imageCost } from '../../../src/job/imageCost.js';
import { treemap } from '../../../src/webview/images/treemap.js';
import {
	directory,
	file,
	hardlink,
	savedImage,
	symlink,
	tarOf,
	type TestConfig,
	type TestEntry,
} from '../../support/savedImages.js';

const ctx = quietContext();
let dir: string;
beforeEach(async () => {
	dir = await mkdtemp(path.join(tmpdir(), 'b2d-cost-'));
});
afterEach(() => rm(dir, { recursive: true }));

async function cost(layers: readonly (readonly TestEntry[])[], config?: TestConfig): Promise<ImageCost> {
	const archive = path.join(dir, 'image.tar');
	await writeFile(archive, savedImage('docker 25', layers.map(tarOf), config));
	return imageCost(await flattenImage({ file: archive }, ctx, { tempDir: dir }), undefined, ctx);
}

describe('what an image costs', () => {
	it('is told by folder and layer, each file once', async () => {
		const { folders, layers, facts } = await cost([
			[directory('usr'), file('usr/lib', randomBytes(3000)), hardlink('usr/same', 'usr/lib'), file('old', randomBytes(500))],
			[file('app/model/weights', randomBytes(9000)), file('app/main', 'x'.repeat(1000)), file('old', 'new')],
		]);
		expect(facts.treeSize).toBe(13_003);
		expect(folders).toMatchObject({ name: '/', bytes: 13_003 });
		expect(folders.children.map(({ name, bytes }) => [name, bytes])).toEqual([
			['app', 10_000],
			['usr', 3000],
			['…', 3],
		]);
		expect(folders.children[0]?.children.map(({ name }) => name)).toEqual(['model', 'main']);
		expect(layers.map(({ number, bytes }) => [number, bytes])).toEqual([
			[1, 3000],
			[2, 10_003],
		]);
	});

	it('is about right for an image that is not packed to know it, whatever is in it', async () => {
		const { downloadBytes } = await cost([
			[
				file('random', randomBytes(12 << 20)),
				file('zeros', Buffer.alloc(12 << 20)),
				...Array.from({ length: 500 }, (_, i) => file(`text/${String(i)}`, `line of ${String(i)}\n`.repeat(400))),
			],
		]);
		expect(downloadBytes).toBeGreaterThan(11 << 20);
		expect(downloadBytes).toBeLessThan(16 << 20);
	});

	it('finds keys, links to nowhere and root, and leaves in peace what everybody has', async () => {
		const { findings } = await cost(
			[
				[
					file('app/.env', 'PASSWORD=x'),
					file('root/.ssh/id_rsa', 'x'),
					file('etc/ssl/certs/ca.pem', 'x'),
					file('usr/lib/python3/site-packages/certifi/cacert.pem', 'x'),
					file('app/.env.example', 'x'),
					file('empty.key', ''),
					symlink('app/data', '/home/me/data'),
					symlink('app/good', '/app/.env'),
					symlink('etc/mtab', '/proc/mounts'),
					symlink('app/relative', '../nowhere'),
				],
			],
			{ config: { Env: ['API_TOKEN=abc', 'PATH=/bin', 'EMPTY_SECRET='], User: '' } },
		);
		expect(findings).toEqual([
			{ code: 'secret-file', count: 2, names: ['/app/.env', '/root/.ssh/id_rsa'], bytes: 0 },
			{ code: 'secret-variable', count: 1, names: ['API_TOKEN'], bytes: 0 },
			{ code: 'root-user', count: 1, names: ['root'], bytes: 0 },
			{ code: 'dangling-link', count: 1, names: ['/app/data → /home/me/data'], bytes: 0 },
		]);
	});

	it('says nothing of a user of its own, and names a very large file', async () => {
		const { findings } = await cost([[file('model', Buffer.alloc(LARGE_FILE))]], { config: { User: '1000:1000' } });
		expect(findings).toEqual([{ code: 'large-file', count: 1, names: ['/model'], bytes: LARGE_FILE }]);
	});
});

it.each([
	['/bin/sh -c #(nop) COPY file:1f0a2b in /app ', 'COPY /app'],
	['/bin/sh -c apt-get update  && true', 'RUN apt-get update && true'],
	['RUN /bin/sh -c make # buildkit', 'RUN make'],
	['COPY a /b # buildkit', 'COPY a /b'],
	['', ''],
])('a layer made by %j is named %j', (createdBy, name) => {
	expect(instructionOf(createdBy)).toBe(name);
});

describe('the picture of the folders', () => {
	it('shares the whole out by size, without overlaps', () => {
		const items = [500, 200, 100, 100, 60, 40, 0].map((bytes) => ({ bytes }));
		const boxes = treemap(items, 2);
		expect(boxes).toHaveLength(6);
		for (const { item, x, y, width, height } of boxes) {
			expect(width * height).toBeCloseTo(item.bytes / 1000);
			expect(Math.min(x, y)).toBeGreaterThanOrEqual(0);
			expect(Math.max(x + width, y + height)).toBeLessThanOrEqual(1 + 1e-9);
			expect(Math.max((2 * width) / height, height / (2 * width))).toBeLessThan(4);
		}
	});

	it('is empty where there is nothing', () => {
		expect(treemap([], 2)).toEqual([]);
		expect(treemap([{ bytes: 0 }], 2)).toEqual([]);
	});
});
