import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { parseBytes, parseSeconds } from '../../../src/common/parseUnits.js';

describe('a size', () => {
	it.each([
		['500 MB', 500e6],
		['500MB', 500e6],
		['1.5g', 1.5e9],
		['2GiB', 2 * 2 ** 30],
		['0.5 KiB', 512],
		['.5k', 500],
		['3 tib', 3 * 2 ** 40],
		[' 7 b ', 7],
	])('%s has %d bytes', (text, bytes) => {
		expect(parseBytes(text)).toBe(bytes);
	});

	it.each(['', ' ', '5', 'MB', '0', '0 GB', '-1', '1e3', '1,5 GB', '5 minutes', '1 constructor', '1 GB 2', '0x10', '1..2', '٣'])(
		'is not %j',
		(text) => {
			expect(() => parseBytes(text)).toThrow(expect.objectContaining({ code: 'usage', remedy: expect.stringContaining('MB') }));
		},
	);

	it('is a whole number of bytes of at least one', () => {
		fc.assert(
			fc.property(fc.double({ min: 1e-9, max: 1e6, noNaN: true }), fc.constantFrom('', 'k', 'MB', 'GiB'), (amount, unit) => {
				const text = `${amount.toFixed(9)}${unit}`;
				let bytes: number;
				try {
					bytes = parseBytes(text);
				} catch {
					return;
				}
				expect(Number.isInteger(bytes)).toBe(true);
				expect(bytes).toBeGreaterThanOrEqual(1);
			}),
		);
	});
});

describe('a duration', () => {
	it.each([
		['90 s', 90],
		['10 min', 600],
		['10m', 600],
		['1.5h', 5400],
		['2 d', 172_800],
		['1 DAY', 86_400],
		['1w', 604_800],
	])('%s has %d seconds', (text, seconds) => {
		expect(parseSeconds(text)).toBe(seconds);
	});

	it.each(['', '90', 'h', '0', '0 s', '-5 min', '1 GB', '1:30', '1 year', '1 toString', 'Infinity'])('is not %j', (text) => {
		expect(() => parseSeconds(text)).toThrow(expect.objectContaining({ code: 'usage', remedy: expect.stringContaining('min') }));
	});
});
