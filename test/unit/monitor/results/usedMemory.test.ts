import { randomFillSync } from 'node:crypto';
import { gzipSync } from 'node:zlib';

import { describe, expect, it } from 'vitest';

import { GunzipRoom } from '../../../../src/monitor/results/gunzipRoom.js';
import { SpareMemory } from '../../../../src/monitor/results/spareMemory.js';

const noise = (size: number): Buffer => randomFillSync(Buffer.alloc(size));
const MB = 2 ** 20;

describe('unpacking into memory that is used again', () => {
	it('gives what was packed, whatever the guess', () => {
		const room = new GunzipRoom();
		for (const size of [0, 1, 1000, MB - 64, MB - 63, MB, 3 * MB + 5, 10]) {
			const content = noise(size);
			for (const expected of [0, size, 2 * size, 2 ** 32 - 1]) {
				expect(room.unzip(gzipSync(content, { level: 1 }), expected, 64 * MB).equals(content)).toBe(true);
			}
		}
	});

	it('does not keep what is large', () => {
		const content = Buffer.alloc(20 * MB, 'x');
		const unpacked = new GunzipRoom().unzip(gzipSync(content, { level: 1 }), content.length, 64 * MB);
		expect(unpacked.equals(content)).toBe(true);
	});

	it('takes the same memory for the next', () => {
		const room = new GunzipRoom();
		const first = room.unzip(gzipSync('first'), 5, MB);
		const second = room.unzip(gzipSync('other'), 5, MB);
		expect(second.buffer).toBe(first.buffer);
		expect(first.toString()).toBe('other');
	});

	it('goes on after what is damaged, cut off, or too much', () => {
		const room = new GunzipRoom();
		const good = gzipSync(noise(200_000));
		const damaged = Buffer.from(good);
		damaged[damaged.length - 6]! ^= 1;
		for (const bad of [damaged, good.subarray(0, 100_000), Buffer.from('<html>'), Buffer.alloc(0)]) {
			expect(() => room.unzip(bad, 200_000, MB)).toThrow();
		}
		expect(() => room.unzip(good, 10, 100_000)).toThrow(expect.objectContaining({ code: 'ERR_BUFFER_TOO_LARGE' }));
		expect(() => room.unzip(gzipSync(Buffer.alloc(5 * MB)), 10, 4 * MB)).toThrow(
			expect.objectContaining({ code: 'ERR_BUFFER_TOO_LARGE' }),
		);
		expect(room.unzip(good, 200_000, MB)).toHaveLength(200_000);
	});

	it('reads several members one after the other, as gunzip does', () => {
		const both = Buffer.concat([gzipSync('one '), gzipSync('two')]);
		expect(new GunzipRoom().unzip(both, 3, MB).toString()).toBe('one two');
	});
});

describe('memory of results that were unpacked', () => {
	const memoryOf = ({ buffer }: Buffer): ArrayBuffer => buffer as ArrayBuffer;

	it('is taken for one of about the same size', () => {
		const spare = new SpareMemory(4 * MB);
		const first = spare.take(900_000);
		expect(first).toHaveLength(900_000);
		const other = spare.take(900_000);
		expect(other.buffer).not.toBe(first.buffer);
		spare.give(memoryOf(first));
		expect(spare.take(5000).buffer).not.toBe(first.buffer);
		const again = spare.take(1_000_000);
		expect(again.buffer).toBe(first.buffer);
		expect(again).toHaveLength(1_000_000);
		expect(spare.take(1_000_000).buffer).not.toBe(first.buffer);
	});

	it('is kept up to a bound, and nothing that came from elsewhere', () => {
		const spare = new SpareMemory(MB);
		const [first, second] = [spare.take(MB), spare.take(MB)];
		spare.give(memoryOf(first));
		spare.give(memoryOf(second));
		expect(spare.take(MB).buffer).toBe(first.buffer);
		expect(spare.take(MB).buffer).not.toBe(second.buffer);
		const strange = new ArrayBuffer(5000);
		spare.give(strange);
		expect(spare.take(5000).buffer).not.toBe(strange);
	});
});
