import { expect, it } from 'vitest';

import { TransferRate } from '../../../src/common/transferRate.js';

it('measures over the last seconds', () => {
	const rate = new TransferRate();
	rate.add(0, 0);
	expect(rate.bytesPerSecond).toBeUndefined();
	for (let second = 1; second <= 60; second++) {
		rate.add(second <= 30 ? second * 100 : 3000 + (second - 30) * 1000, second * 1000);
	}
	expect(rate.bytesPerSecond).toBeCloseTo(1000);
	expect(rate.secondsLeft(43_000)).toBeCloseTo(10);
	expect(rate.secondsLeft(0)).toBe(0);
});

it('begins again when it is told less than before, and has no end while nothing moves', () => {
	const rate = new TransferRate();
	rate.add(5000, 0);
	rate.add(10, 1000);
	expect(rate.bytesPerSecond).toBeUndefined();
	rate.add(10, 3000);
	expect(rate.bytesPerSecond).toBe(0);
	expect(rate.secondsLeft(100)).toBeUndefined();
});

it('keeps few points, however often it is told', () => {
	const rate = new TransferRate();
	for (let i = 0; i < 20_000; i++) {
		rate.add(i, i / 10);
	}
	expect(rate.bytesPerSecond).toBeCloseTo(10_000);
});
