import { describe, expect, it } from 'vitest';

import { estimateEnd, type EtaInput } from '../../../src/monitor/eta/estimate.js';
import { EventHeap } from '../../../src/monitor/eta/eventHeap.js';
import { bucketOf, bucketStart, durationsOf } from '../../../src/monitor/eta/logBuckets.js';
import { seededRandom } from '../../../src/monitor/eta/random.js';
import { Turnaround } from '../../../src/monitor/eta/turnaround.js';
import { FLEETS, replay } from '../../support/fleet.js';

const input = (change: Partial<EtaInput> = {}): EtaInput => ({
	now: 1_700_000_000,
	queued: 0,
	running: new Map(),
	succeeded: new Map(),
	failed: new Map(),
	noReply: 0,
	delayBound: 86_400,
	maxTries: 3,
	secondsSinceFirst: 36_000,
	prior: [],
	priorBasis: 'records',
	priorSlots: 0,
	...change,
});
const many = (seconds: number, count: number): Map<number, number> => new Map([[bucketOf(seconds), count]]);

describe('the expected end', () => {
	it('is unknown without a host and a history', () => {
		expect(estimateEnd(input({ queued: 5 }), seededRandom(1))).toBeUndefined();
		expect(estimateEnd(input({ queued: 5, prior: [600] }), seededRandom(1))).toBeUndefined();
	});

	it('rests on the hosts’ records at first, and says so', () => {
		const eta = estimateEnd(input({ queued: 8, prior: [600, 900], priorSlots: 4, secondsSinceFirst: 0 }), seededRandom(1))!;
		expect(eta.basis).toBe('records');
		expect(eta.p50 - 1_700_000_000).toBeGreaterThan(600);
		expect(eta.p90).toBeGreaterThanOrEqual(eta.p50);
		const like = input({ queued: 8, prior: [30, 40], priorBasis: 'earlier', priorSlots: 4, secondsSinceFirst: 0 });
		expect(estimateEnd(like, seededRandom(1))).toMatchObject({ basis: 'earlier' });
	});

	it('is queue by pace for a long queue', () => {
		// 10 slots of 100 s each and 10,000 jobs: 100,000 s.
		const eta = estimateEnd(input({ queued: 10_000, running: many(50, 10), succeeded: many(100, 1000) }), seededRandom(1))!;
		expect(eta.basis).toBe('history');
		expect((eta.p50 - 1_700_000_000) / 100_000).toBeCloseTo(1.05, 0);
		expect(eta.p90 - eta.p50).toBeGreaterThan(5_000);
	});

	it('is now when only validation is left, and never beyond all deadlines', () => {
		expect(estimateEnd(input(), seededRandom(1))!.p90 - 1_700_000_000).toBeLessThan(60);
		const stuck = estimateEnd(input({ running: many(80_000, 3), succeeded: many(100, 50), maxTries: 1 }), seededRandom(1))!;
		expect(stuck.p90 - 1_700_000_000).toBeLessThan(86_400);
	});

	it('is the same for the same state', () => {
		const state = input({ queued: 100, running: many(50, 10), succeeded: many(100, 50) });
		expect(estimateEnd(state, seededRandom(9))).toEqual(estimateEnd(state, seededRandom(9)));
	});

	it('by the P90 covers at least 85 % of the ends of made-up fleets', () => {
		let [covered, looks] = [0, 0];
		for (const [index, kind] of FLEETS.entries()) {
			for (const seen of [1, 2].flatMap((seed) =>
				replay({ ...kind, jobs: Math.min(kind.jobs, 400) }, seededRandom(100 * index + seed), 8),
			)) {
				const eta = estimateEnd(seen.input, seededRandom(1));
				looks += eta ? 1 : 0;
				covered += eta && eta.p90 - seen.input.now >= seen.remaining ? 1 : 0;
			}
		}
		expect(looks).toBeGreaterThan(130);
		expect(covered / looks).toBeGreaterThanOrEqual(0.85);
	});
});

describe('the turnaround', () => {
	it('counts instances that are still out: without them it would look too quick', () => {
		const random = seededRandom(3);
		const reported = durationsOf([100, 110, 120, 130]);
		const quick = new Turnaround(reported, new Map(), []).mean(random, 10_000);
		const slow = new Turnaround(reported, many(5_000, 20), []).mean(random, 10_000);
		expect(slow).toBeGreaterThan(5 * quick);
	});

	it('of an instance that has been out for a while is longer than that', () => {
		const random = seededRandom(4);
		const turnaround = new Turnaround(durationsOf([100, 200, 400, 800]), new Map(), []);
		for (let i = 0; i < 200; i++) {
			expect(turnaround.sample(random, 300)).toBeGreaterThanOrEqual(300);
		}
	});
});

describe('events', () => {
	it('come in the order of their times', () => {
		const random = seededRandom(5);
		const heap = new EventHeap();
		const times = Array.from({ length: 300 }, () => random());
		times.forEach((time, i) => heap.push(time, i));
		const popped: number[] = [];
		for (let event = heap.pop(); event; event = heap.pop()) {
			expect(times[event.value]).toBe(event.time);
			popped.push(event.time);
		}
		expect(popped).toEqual(times.toSorted((a, b) => a - b));
		expect(heap.pop()).toBeUndefined();
	});

	it('durations fall into the bucket that begins before them', () => {
		for (const seconds of [1, 2, 59, 3600, 1e6]) {
			expect(bucketStart(bucketOf(seconds))).toBeLessThanOrEqual(seconds * 1.000001);
			expect(bucketStart(bucketOf(seconds) + 1)).toBeGreaterThan(seconds);
		}
	});
});
