import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { listOf, mapped, type Sequence } from '../../../src/common/sequence.js';
import { chunksOf, groupsOf } from '../../../src/job/jobChunks.js';
import { DIGEST_VERSION, planBatch } from '../../../src/job/planBatch.js';
import { UniqueTexts } from '../../../src/job/sweep/uniqueTexts.js';
import type { JobSpec } from '../../../src/job/types.js';
import { CONFIG, sampleBatch } from './sampleBatch.js';

const jobsOf = (length: number, bytes = 0): Sequence<JobSpec> => ({
	length,
	at: (index) => ({ command: [`${String(index)}${'x'.repeat(bytes)}`], label: `l${String(index)}` }),
});

describe('jobs in chunks and groups', () => {
	it('property: every job of a range is in one group, in order, with its own line in the group’s table', () => {
		const spec = sampleBatch({ jobs: jobsOf(12_000) });
		const plan = planBatch(spec, CONFIG);
		fc.assert(
			fc.property(fc.nat(12_000), fc.nat(12_000), (a, b) => {
				const [from, to] = [Math.min(a, b), Math.max(a, b)];
				const groups = [...groupsOf(spec, plan, 7, { from, to })];
				expect(groups.flatMap(({ lines }) => lines.map(({ name }) => name))).toEqual(
					Array.from({ length: to - from }, (_, k) => `b2d_7_${String(from + k).padStart(6, '0')}_l${String(from + k)}`),
				);
				let next = from;
				for (const [index, group] of groups.entries()) {
					expect([group.from, group.to - group.from]).toEqual([next, group.lines.length]);
					expect(group.lines.length).toBeLessThanOrEqual(index === 0 ? 500 : 5000);
					expect(new Set(group.lines.map(({ files }) => files[0]))).toEqual(new Set(group.tables.map(({ name }) => name)));
					next = group.to;
				}
				expect(next).toBe(groups.length === 0 ? from : to);
			}),
			{ numRuns: 20 },
		);
	});

	it('tables of big jobs are cut by their size', () => {
		const spec = sampleBatch({ jobs: jobsOf(100, 100_000) });
		const tables = [...chunksOf(spec, planBatch(spec, CONFIG), 7)].map(({ table }) => table.content.size);
		expect(Math.max(...tables)).toBeLessThan(1_200_000);
		expect(tables.length).toBe(10);
	});

	it('the plan tells equal jobs from others, whatever makes them', () => {
		const digest = (jobs: Sequence<JobSpec>): string => planBatch(sampleBatch({ jobs }), CONFIG).digest;
		// Whoever changes it has to raise DIGEST_VERSION, or batches that were interrupted before are not recognised and nobody says so.
		expect([DIGEST_VERSION, digest(jobsOf(30))]).toEqual([2, '382faa1604c679cab9cdf6df1b5aeec7']);
		expect(digest(listOf(jobsOf(30)))).toBe(digest(jobsOf(30)));
		expect(digest(jobsOf(31))).not.toBe(digest(jobsOf(30)));
		expect(digest(mapped(jobsOf(30), (job, index) => (index === 17 ? { ...job, env: { A: '1' } } : job)))).not.toBe(
			digest(jobsOf(30)),
		);
		expect(digest(mapped(jobsOf(30), (job) => ({ ...job, label: `${job.label ?? ''}x` })))).not.toBe(digest(jobsOf(30)));
	});
});

it('property: equal texts among many are found, and no others', () => {
	fc.assert(
		fc.property(fc.array(fc.string({ maxLength: 3 }), { maxLength: 300 }), (texts) => {
			const unique = new UniqueTexts(texts.length, (index) => texts[index] ?? '');
			const seen = new Map<string, number>();
			for (const [index, text] of texts.entries()) {
				const other = unique.add(text, index);
				expect(other).toBe(seen.get(text));
				if (other === undefined) {
					seen.set(text, index);
				}
			}
		}),
	);
});
