import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { BoincError } from '../../../src/common/errors.js';
import { spool } from '../../../src/image/archive/spool.js';
import { zstdZeros } from '../../support/zstdFrames.js';

const run = promisify(execFile);
let dir: string;
let plain: string;

beforeAll(async () => {
	dir = await mkdtemp(join(tmpdir(), 'b2d-zstd-'));
	plain = join(dir, 'plain');
	// A program, text that repeats over a long distance, and zeros.
	const program = await readFile(process.execPath);
	const text = Buffer.from(Array.from({ length: 50_000 }, (_, index) => `${index * 7919} `).join(''));
	await writeFile(
		plain,
		Buffer.concat([program.subarray(0, 3 << 20), text, Buffer.alloc(5 << 20), text, program.subarray(1 << 20, 2 << 20)]),
	);
});

afterAll(async () => {
	await rm(dir, { recursive: true });
});

async function hashOf(path: string): Promise<string> {
	const hash = createHash('sha256');
	for await (const piece of createReadStream(path)) {
		hash.update(piece as Buffer);
	}
	return hash.digest('hex');
}

describe('zstd data', () => {
	it.each([['-1'], ['-3'], ['-12'], ['-19'], ['-3', '--zstd=wlog=25'], ['--fast=5'], ['-3', '--no-check'], ['-3', '--long=24']])(
		'is unpacked as packed by zstd %s %s',
		async (...options) => {
			const packed = join(dir, 'packed.zst');
			await run('zstd', ['-q', '-f', ...options.filter((option) => typeof option === 'string'), plain, '-o', packed]);
			const unpacked = join(dir, 'unpacked');
			await spool(createReadStream(packed), 'zstd', { file: unpacked, label: 'layer' });
			expect(await hashOf(unpacked)).toBe(await hashOf(plain));
		},
	);

	it('that is damaged ends in data or a clear error', async () => {
		await writeFile(join(dir, 'small'), (await readFile(plain)).subarray(0, 300_000));
		await run('zstd', ['-q', '-f', join(dir, 'small'), '-o', join(dir, 'small.zst')]);
		const packed = await readFile(join(dir, 'small.zst'));
		await fc.assert(
			fc.asyncProperty(fc.nat(packed.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
				const damaged = Buffer.from(packed);
				damaged[at]! ^= change;
				const source = (async function* () {
					await Promise.resolve();
					yield damaged;
				})();
				const result: unknown = await spool(source, 'zstd', { file: join(dir, 'damaged'), label: 'layer' }).catch(
					(error: unknown) => error,
				);
				expect(result === undefined || BoincError.is(result, 'archive-corrupt', 'image-unsupported') || result).toBe(true);
			}),
			{ numRuns: 200, plugins: [fc.interruptAfterTimeLimit(20_000)] },
		);
	});

	it('that is a bomb is refused after a GiB', async () => {
		await writeFile(join(dir, 'bomb.zst'), zstdZeros(20_000));
		const target = { file: join(dir, 'bomb'), label: 'layer 3' };
		await expect(spool(createReadStream(join(dir, 'bomb.zst')), 'zstd', target)).rejects.toMatchObject({
			code: 'archive-corrupt',
			detail: { archive: 'layer 3' },
		});
	});
});
