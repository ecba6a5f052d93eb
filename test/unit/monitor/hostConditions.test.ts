import { describe, expect, it } from 'vitest';

import {
	type Condition,
	conditionRemedy,
	CONDITIONS,
	conditionWords,
	failedCondition,
	type Requirements,
} from '../../../src/monitor/explain/hostConditions.js';
import { funnel } from '../../../src/monitor/explain/hostFunnel.js';
import type { HostRecord } from '../../../src/monitor/explain/hostRecord.js';
import type { PlanClassConditions } from '../../../src/project/planClassFile.js';
import { host, requirements } from './sampleHosts.js';

const load = (inProgress: number, sent: number): Requirements['load'] =>
	new Map([[1, { inProgress, today: new Map([[5, { sent, perDay: 3 }]]) }]]);

describe('conditions on hosts', () => {
	it.each<[Condition | undefined, Partial<HostRecord>, Partial<Requirements>]>([
		[undefined, {}, {}],
		['blocked', { blocked: true }, {}],
		['platform', { os: 'windows' }, {}],
		['platform', { architecture: 'arm64' }, {}],
		['engine', { engine: '' }, {}],
		['engine', { engineForbidden: true }, {}],
		['plan class', { clientVersion: 70_000 }, {}],
		['memory', { memoryBytes: 1.1e9 }, {}],
		['disk', { diskFreeBytes: 5e8 }, {}],
		['deadline', { activeFraction: 0.01 }, {}],
		['earlier try', {}, requirements({ triedUsers: new Set([1]) })],
		['quota', {}, { load: load(0, 12) }],
		[undefined, {}, { load: load(0, 11) }],
		['busy', {}, { load: load(8, 0) }],
	])('%s', (condition, change, more) => {
		expect(failedCondition(host(change), { ...requirements(), ...more })).toBe(condition);
	});

	describe('with a GPU', () => {
		const GPU = { type: 'nvidia', count: 2, ramMib: 8192 };
		const asking = (conditions: Partial<PlanClassConditions>): Requirements => {
			const plain = requirements();
			const [version] = plain.versions;
			const gpuVersion = { ...version!, conditions: { ...version!.conditions!, gpuType: 'nvidia', ...conditions } };
			return { ...plain, needs: { ...plain.needs, fpopsEst: 86_400 * 11e9 }, versions: [gpuVersion] };
		};
		it.each<[Condition | undefined, string, Partial<HostRecord>, Partial<PlanClassConditions>]>([
			[undefined, 'one as it is asked for', { gpus: [GPU] }, {}],
			['gpu', 'none', {}, {}],
			['gpu', 'another kind', { gpus: [{ ...GPU, type: 'amd' }] }, {}],
			['gpu', 'too little memory', { gpus: [GPU] }, { minGpuRam: 8193 }],
			[undefined, 'enough memory', { gpus: [GPU] }, { minGpuRam: 8192 }],
			[undefined, 'any kind', { gpus: [{ ...GPU, type: 'amd' }] }, { gpuType: 'any' }],
			[undefined, 'BOINC’s other name', { gpus: [{ ...GPU, type: 'intel' }] }, { gpuType: 'intel_gpu' }],
			['deadline', 'too slow', { gpus: [GPU], flops: 0.99e9 }, {}],
			[undefined, 'fast enough', { gpus: [GPU], flops: 1.01e9 }, {}],
		])('%s: %s', (condition, _, change, conditions) => {
			expect(failedCondition(host(change), asking(conditions))).toBe(condition);
		});

		it('counts jobs in progress by GPUs', () => {
			const busy = (inProgress: number): Condition | undefined => {
				const all = asking({});
				const limits = { ...all.limits, inProgress: 1, inProgressGpu: 3 };
				return failedCondition(host({ gpus: [GPU] }), { ...all, limits, load: load(inProgress, 0) });
			};
			expect(busy(5)).toBeUndefined();
			expect(busy(6)).toBe('busy');
		});

		it('says which GPU they lack', () => {
			expect(conditionWords('gpu', asking({ minGpuRam: 4096 }))).toBe('they have no NVIDIA GPU with 4.29 GB');
			const found = funnel([host(), host({ id: 2, gpus: [GPU] }), host({ id: 3 })], asking({}), 1000);
			expect(found[0]?.numbers).toMatchObject({ hosts: 3, fit: 1, gpu: 2 });
		});
	});

	it('has words and a remedy for each', () => {
		for (const condition of CONDITIONS) {
			expect(conditionWords(condition, requirements())).toMatch(/\w+ \w+/);
			expect(conditionRemedy(condition)).toMatch(/^[A-Z].*\.$/);
		}
	});

	it('are counted, and the worst one gives the remedy', () => {
		const hosts = [host({ id: 1 }), host({ id: 2, engine: '' }), host({ id: 3, engine: '' }), host({ id: 4, memoryBytes: 1e8 })];
		const found = funnel(hosts, requirements(), 1000);
		expect(found.map(({ kind }) => kind)).toEqual(['hosts-lost', 'hosts-fit']);
		expect(found[0]?.numbers).toEqual({ hosts: 4, fit: 1, engine: 2, memory: 1 });
		expect(found[0]?.details).toHaveLength(2);
		expect(found[0]?.remedy).toBe(conditionRemedy('engine'));
		expect(found[1]?.sentence).toContain('1 min 40 s ago');
	});

	it('that no host meets are an error', () => {
		const found = funnel([host({ engine: '' })], requirements(), 1000);
		expect(found).toMatchObject([{ kind: 'no-host-fits', level: 'error', numbers: { hosts: 1, fit: 0, engine: 1 } }]);
	});
});
