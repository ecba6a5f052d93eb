import { describe, expect, it } from 'vitest';

import { hostKinds } from '../../../src/monitor/batchPage/hostKinds.js';
import { stepToRead, suits, timelineOf } from '../../../src/monitor/batchPage/timeline.js';
import { InstanceSums } from '../../../src/monitor/instanceSums.js';

const sum = (values: readonly number[] = []): number => values.reduce((all, n) => all + n, 0);

/** Sums of instances that were sent every ten seconds from `first` on and came back ten minutes later. */
function sums(step: number, first: number, instances: number): InstanceSums {
	const all = new InstanceSums(step);
	for (let n = 0; n < instances; n++) {
		const part = new InstanceSums(step);
		const [sent, back] = [first + 10 * n, first + 10 * n + 600];
		part.sent.set(Math.floor(sent / step), 1);
		(n % 10 === 0 ? part.failed : part.succeeded).set(Math.floor(back / step), 1);
		part.firstSent = sent;
		part.lastEvent = back;
		all.add(part);
	}
	return all;
}

describe('the timeline of a batch', () => {
	it('counts each instance once, however fine the sums are', () => {
		for (const step of [1, 5, 60]) {
			const timeline = timelineOf(sums(step, 1_700_000_000, 1000), 1_800_000_000);
			expect(timeline?.step).toBe(300);
			expect((timeline?.start ?? 1) % 300).toBe(0);
			expect([sum(timeline?.succeeded), sum(timeline?.failed)]).toEqual([900, 100]);
			expect(timeline?.running.at(-1)).toBe(0);
			expect(Math.max(...(timeline?.running ?? []))).toBeGreaterThanOrEqual(60);
			expect(timeline?.succeeded.length).toBeLessThan(96);
		}
	});

	it('is none before anything was sent', () => {
		expect(timelineOf(new InstanceSums(60), 1_800_000_000)).toBeUndefined();
	});

	it('tells when the sums are too coarse for it, and how fine they should be', () => {
		const now = 1_800_000_000;
		expect(suits(sums(3600, 1_700_000_000, 100), now)).toBe(false);
		expect(suits(sums(stepToRead(1600), 1_700_000_000, 100), now)).toBe(true);
		expect(stepToRead(10)).toBe(1);
		expect(stepToRead(20 * 365 * 86_400)).toBe(86_400);
		const out = sums(1, now - 10 * 86_400, 10);
		out.kinds.set('out', 3); // the picture goes on until now
		expect(suits(out, now)).toBe(false);
	});
});

describe('hosts by kind', () => {
	it('are those that did most first, and unknown ones have a kind of their own', () => {
		const host = { running: 1, succeeded: 2, failed: 0, seconds: 20 };
		const kinds = hostKinds(
			new Map([
				[1, host],
				[2, { ...host, succeeded: 8, seconds: 40 }],
				[3, { running: 0, succeeded: 0, failed: 30, seconds: 0 }],
			]),
			new Map(),
		);
		expect(kinds).toEqual([
			{
				os: 'other',
				architecture: 'amd64',
				runtime: 'none',
				hosts: 3,
				processors: 0,
				running: 2,
				succeeded: 10,
				failed: 30,
				meanSeconds: 6,
			},
		]);
	});
});
