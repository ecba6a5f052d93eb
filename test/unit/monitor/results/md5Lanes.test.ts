import { createHash, randomFillSync } from 'node:crypto';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Md5Lanes } from '../../../../src/monitor/results/md5Lanes.js';

const noise = (size: number): Buffer => randomFillSync(Buffer.alloc(size));
const oneByOne = (all: readonly Uint8Array[]): string[] => all.map((bytes) => createHash('md5').update(bytes).digest('hex'));

describe('MD5 of many at once', () => {
	const lanes = new Md5Lanes();

	it('is that of each, for all lengths around the ends of blocks', () => {
		const all = Array.from({ length: 200 }, (_, size) => noise(size));
		expect(lanes.digests(all)).toEqual(oneByOne(all));
	});

	it('knows the vectors of RFC 1321', () => {
		const texts = ['a', 'abc', 'message digest', 'abcdefghijklmnopqrstuvwxyz', '1234567890'.repeat(8)];
		expect(lanes.digests(texts.map((text) => Buffer.from(text)))).toEqual([
			'0cc175b9c0f1b6a831c399e269772661',
			'900150983cd24fb0d6963f7d28e17f72',
			'f96b697d7cb7938d525a2f31aaf161d0',
			'c3fcd3d76192e4007dfb496cca67e13b',
			'57edf4a22be3c955ac49da2e2107b67a',
		]);
	});

	it('is that of each for fewer than there are lanes, for more, and for none', () => {
		for (const count of [0, 1, 2, 3, 7, 8, 9, 40]) {
			const all = Array.from({ length: count }, () => noise(100_000));
			expect(lanes.digests(all)).toEqual(oneByOne(all));
		}
	});

	it('is that of each whatever their lengths, in every order', () => {
		const sizes = fc.array(fc.oneof(fc.nat(300), fc.nat(100_000), fc.constantFrom(0, 16_383, 16_384, 16_385, 65_536)), {
			maxLength: 30,
		});
		fc.assert(
			fc.property(sizes, (lengths) => {
				const all = lengths.map(noise);
				expect(lanes.digests(all)).toEqual(oneByOne(all));
			}),
			{ numRuns: 60 },
		);
	});

	it('is that of each where vectors are unknown', () => {
		const all = [noise(5000), noise(5000), noise(5000), noise(5000)];
		expect(new Md5Lanes(() => undefined).digests(all)).toEqual(oneByOne(all));
	});

	it('leaves what is given as it was', () => {
		const all = Array.from({ length: 12 }, () => noise(50_001));
		const before = all.map((bytes) => Buffer.from(bytes));
		lanes.digests(all);
		expect(all.every((bytes, index) => before[index]?.equals(bytes))).toBe(true);
	});
});
