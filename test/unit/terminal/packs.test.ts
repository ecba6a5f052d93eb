import { describe, expect, test } from 'vitest';

import type { ListedPack } from '../../../src/project/packList.js';
import { batchesText, nothingText, selectPacks } from '../../../src/terminal/commands/packs.js';

const DAY = 86_400;
const listed = (start: string, days: number, change: Partial<ListedPack> = {}): ListedPack => ({
	name: `b2d_pack_${start.padEnd(32, '0')}.tar.gz`,
	bytes: 10,
	ageSeconds: days * DAY,
	lastUseSeconds: undefined,
	wantedSeconds: days * DAY,
	images: [],
	batches: [],
	state: 'unused',
	...change,
});
const OLD = listed('aa1', 40);
const USED = listed('aa2', 40, { lastUseSeconds: 10 * DAY });
const NEEDED = listed('bb', 40, { state: 'needed' });
const RECENT = listed('cc', 0, { state: 'recent' });
const ALL = [OLD, USED, NEEDED, RECENT];

test('what is kept for a day is named when there is nothing else', () => {
	expect(nothingText([NEEDED])).toBe('There is nothing to remove.');
	expect(nothingText([RECENT])).toBe('There is nothing to remove. 1 pack was used within the last day and is kept until then.');
	expect(nothingText([RECENT, RECENT])).toContain('2 packs were used within the last day');
});

describe('what is removed', () => {
	test('are unused packs', () => {
		expect(selectPacks(ALL, {})).toEqual([OLD, USED]);
	});

	test('are those that were used longer ago', () => {
		expect(selectPacks(ALL, { olderThan: 30 * DAY })).toEqual([OLD]);
		expect(selectPacks(ALL, { olderThan: 41 * DAY })).toEqual([]);
	});

	test('are those that are named, each once', () => {
		expect(selectPacks(ALL, { only: ['aa2', USED.name] })).toEqual([USED]);
	});

	test.each([['aa'], ['bb'], ['cc'], ['dd'], [''], ['../aa1']])('is nothing for the name “%s”', (name) => {
		expect(() => selectPacks(ALL, { only: [name] })).toThrow(expect.objectContaining({ code: 'usage' }));
	});

	test('is nothing that was used since', () => {
		expect(() => selectPacks(ALL, { only: ['aa2'], olderThan: 30 * DAY })).toThrow(expect.objectContaining({ code: 'usage' }));
	});
});

test('many batches are told in few words', () => {
	expect(batchesText([])).toBe('');
	expect(batchesText([1, 2, 3, 4])).toBe('1, 2, 3, 4');
	expect(batchesText([1, 2, 3, 4, 9])).toBe('1, 2 … 9 (5)');
});
