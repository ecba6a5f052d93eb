import { expect, it } from 'vitest';

import { emptyCounts } from '../../../src/monitor/jobState.js';
import type { FetchReport } from '../../../src/monitor/results/fetchRequest.js';
import type { Batch } from '../../../src/monitor/types.js';
import { describeFetch } from '../../../src/terminal/commands/results.js';
import { parseBatch } from '../../../src/terminal/commands/status.js';

const batch = (counts: Partial<Batch['counts']>): Batch => ({
	id: 3,
	name: 'sweep',
	appId: 1,
	createTime: 0,
	state: 'failed',
	counts: { ...emptyCounts(), ...counts },
	total: 6,
});
const report = (change: Partial<FetchReport>): FetchReport => ({
	folder: '/r/sweep-3',
	fetched: [],
	already: [],
	failed: [],
	refused: [],
	metrics: undefined,
	...change,
});

it('says of which jobs no result will come', () => {
	const ended = batch({ done: 4, failed: 2 });
	expect(describeFetch(report({ fetched: ['a', 'b', 'c', 'd'] }), ended)).toBe(
		'Fetched 4 results into /r/sweep-3\nNo result will come of other jobs: 2 failed. Why: boinc2docker explain 3',
	);
	expect(describeFetch(report({ already: ['a'] }), batch({ done: 1, failed: 1, cancelled: 2 }))).toBe(
		'The result is in /r/sweep-3 already.\nNo result will come of other jobs: 1 failed, 2 cancelled. Why: boinc2docker explain 3',
	);
	expect(describeFetch(report({ already: ['a', 'b'] }), batch({ done: 2 }))).toBe('All 2 results are in /r/sweep-3 already.');
	expect(describeFetch(report({}), batch({ failed: 6 }))).toMatch(/^Batch 3 has no results[^\n]*$/);
});

it('knows the name of a job from the number of a batch', () => {
	expect(parseBatch('12')).toBe(12);
	for (const name of ['b2d_2_000001', 'b2d_2_000001_0']) {
		expect(() => parseBatch(name)).toThrow(
			expect.objectContaining({ code: 'usage', remedy: expect.stringMatching(/explain b2d_2_000001.*batch: 2\.$/) as string }),
		);
	}
	expect(() => parseBatch('0')).toThrow(/not the number/);
});
