import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { BoincError } from '../../../src/common/errors.js';
import { type Room, withinRoom } from '../../../src/image/archive/room.js';
import { type Compression, spool } from '../../../src/image/archive/spool.js';
import { zstdSkipped, zstdStored, zstdZeros } from '../../support/zstdFrames.js';

let dir: string;

beforeEach(async () => {
	dir = await mkdtemp(join(tmpdir(), 'b2d-spool-'));
});

afterEach(async () => {
	await rm(dir, { recursive: true });
});

/** The bytes in pieces that share one buffer, as those of readers do. */
async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer, void, undefined> {
	await Promise.resolve();
	const buffer = Buffer.alloc(size);
	for (let at = 0; at < bytes.length; at += size) {
		yield buffer.subarray(0, bytes.copy(buffer, 0, at, at + size));
	}
}

async function unpacked(packed: Buffer, compression: Compression, pieces = 4096): Promise<Buffer> {
	const file = join(dir, 'target');
	await spool(inPieces(packed, pieces), compression, { file, label: 'layer 3' });
	return readFile(file);
}

const content = Buffer.from(Array.from({ length: 40_000 }, (_, index) => `line ${index}\n`).join(''));

describe('unpacking', () => {
	it.each<[Compression, (bytes: Buffer) => Buffer]>([
		['none', (bytes) => bytes],
		['gzip', gzipSync],
		['zstd', zstdStored],
	])('gives what was packed, whatever the pieces (%s)', async (compression, pack) => {
		for (const size of [1 << 20, 70_001, 4096, 100]) {
			expect((await unpacked(pack(content), compression, size)).equals(content)).toBe(true);
		}
		expect(await unpacked(pack(Buffer.alloc(0)), compression)).toEqual(Buffer.alloc(0));
	});

	it('reads all frames of zstd data, and leaves out what is to be left out', async () => {
		const frames = [zstdSkipped(3), zstdStored(content), zstdSkipped(300_000), zstdStored(Buffer.from('more')), zstdZeros(2)];
		const expected = Buffer.concat([content, Buffer.from('more'), Buffer.alloc(1 << 18)]);
		for (const size of [1 << 20, 999]) {
			expect((await unpacked(Buffer.concat(frames), 'zstd', size)).equals(expected)).toBe(true);
		}
	});

	it.each([
		['nothing but the beginning', zstdStored(content).subarray(0, 5)],
		['a cut block', zstdStored(content).subarray(0, -1)],
		['a missing block', zstdStored(content).subarray(0, 6 + 3 + (1 << 17))],
		['something behind it', Buffer.concat([zstdStored(content), Buffer.from('garbage')])],
		['a block of a reserved kind', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x38, 7, 0, 0, 0])],
		['a block that is too large', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x38, 3, 0, 0xff, 0])],
		['a dictionary', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 1, 0x38, 9, 1, 0, 0])],
	])('refuses zstd data with %s', async (_, packed) => {
		await expect(unpacked(packed, 'zstd')).rejects.toMatchObject({ code: 'archive-corrupt', detail: { archive: 'layer 3' } });
	});

	it('refuses zstd data that needs much memory', async () => {
		const large = zstdStored(Buffer.from('x'), 16 << 3);
		await expect(unpacked(large, 'zstd')).rejects.toMatchObject({ code: 'image-unsupported' });
		// The size of a single segment is its window.
		const single = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0x7f, 1, 0, 0]);
		await expect(unpacked(single, 'zstd')).rejects.toMatchObject({ code: 'image-unsupported' });
	});

	it.each<[Compression, Buffer]>([
		['gzip', gzipSync(content)],
		['zstd', zstdStored(content.subarray(0, 5000))],
	])('ends in the content or a clear error, whatever is changed in or cut off %s data', async (compression, packed) => {
		await fc.assert(
			fc.asyncProperty(fc.nat(packed.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), async (at, change, isCut) => {
				const damaged = Buffer.from(packed);
				damaged[at]! ^= change;
				const result = await unpacked(isCut ? packed.subarray(0, at) : damaged, compression).catch((error: unknown) => error);
				expect(Buffer.isBuffer(result) || BoincError.is(result, 'archive-corrupt', 'image-unsupported')).toBe(true);
			}),
			{ numRuns: 60, plugins: [fc.interruptAfterTimeLimit(5000)] },
		);
	});
});

describe('a bomb', () => {
	/** So many MiB in pieces of one. */
	async function* mebibytes(count: number): AsyncGenerator<Uint8Array, void, undefined> {
		await Promise.resolve();
		const piece = Buffer.alloc(1 << 20);
		for (let index = 0; index < count; index++) {
			yield piece;
		}
	}
	async function written(count: number, room: Partial<Room>): Promise<number> {
		let sum = 0;
		for await (const piece of withinRoom(mebibytes(count), {
			label: 'layer 3',
			freeBytes: () => Promise.resolve(2 ** 40),
			...room,
		})) {
			sum += piece.length;
		}
		return sum / 2 ** 20;
	}

	it('is refused when it has a GiB out of less than a thousandth', async () => {
		await expect(written(1100, { packedBytes: () => 1_000_000 })).rejects.toMatchObject({
			code: 'archive-corrupt',
			remedy: expect.any(String),
			detail: { archive: 'layer 3' },
		});
		expect(await written(1100, { packedBytes: () => 1_200_000 })).toBe(1100);
		expect(await written(1000, { packedBytes: () => 1000 })).toBe(1000);
		expect(await written(1100, {})).toBe(1100);
	});

	it('is refused before the disk is full', async () => {
		let free = 600 * 2 ** 20;
		const filling = written(2000, { freeBytes: () => Promise.resolve((free -= 64 * 2 ** 20)) });
		await expect(filling).rejects.toMatchObject({ code: 'disk-full', detail: { archive: 'layer 3' } });
		expect(free).toBeGreaterThan(128 * 2 ** 20);
	});
});
