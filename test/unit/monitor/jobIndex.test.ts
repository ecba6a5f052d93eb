import fc from 'fast-check';
import { expect, it } from 'vitest';

import { rangesOf } from '../../../src/common/ranges.js';
import { JobIndex } from '../../../src/monitor/jobIndex.js';
import { emptyCounts, FINAL_JOB_STATES, JOB_STATES } from '../../../src/monitor/jobState.js';
import { nextPeriod } from '../../../src/monitor/pollPeriod.js';

it('counts as a plain map would, whatever comes in whatever order', () => {
	const change = fc.tuple(fc.integer({ min: 1, max: 3000 }), fc.constantFrom(...JOB_STATES));
	fc.assert(
		fc.property(fc.array(change, { maxLength: 4000 }), (changes) => {
			const [index, plain] = [new JobIndex(), new Map<number, (typeof JOB_STATES)[number]>()];
			for (const [id, state] of changes) {
				index.set(id, state);
				plain.set(id, state);
			}
			const counts = emptyCounts();
			plain.forEach((state) => (counts[state] += 1));
			expect(index.counts).toEqual(counts);
			expect(index.total).toBe(plain.size);
			const unfinished = JOB_STATES.filter((state) => !FINAL_JOB_STATES.includes(state));
			const expected = [...plain].flatMap(([id, state]) => (unfinished.includes(state) ? [id] : [])).sort((a, b) => a - b);
			expect(index.idsIn(unfinished)).toEqual(expected);
			expect(index.unfinished).toBe(expected.length);
			expect(index.idsIn(unfinished, 100, 3)).toEqual(expected.filter((id) => id > 100).slice(0, 3));
			expect([...plain].every(([id, state]) => index.get(id) === state)).toBe(true);
		}),
		{ numRuns: 30 },
	);
});

it('counts jobs that were over without keeping them', () => {
	const index = new JobIndex();
	index.count('done', 1_000_000);
	index.set(5, 'running');
	index.reached(2_000_000);
	expect(index.counts).toMatchObject({ done: 1_000_000, running: 1 });
	expect([index.get(4), index.get(5), index.last]).toEqual([undefined, 'running', 2_000_000]);
});

it('bridges small holes in runs of numbers', () => {
	expect(rangesOf([1, 2, 4, 9], 1)).toEqual([
		[1, 4],
		[9, 9],
	]);
});

it('polls fast while something moves and backs off otherwise', () => {
	expect(nextPeriod(30_000, 'moved')).toBeLessThanOrEqual(3_000);
	for (const outcome of ['still', 'all-over', 'failed'] as const) {
		let period = nextPeriod(0, 'moved');
		const first = nextPeriod(period, outcome);
		expect(first).toBeGreaterThan(period);
		for (let n = 0; n < 30; n++) {
			period = nextPeriod(period, outcome);
		}
		expect(period).toBe(outcome === 'still' ? 10_000 : 30_000);
	}
});
