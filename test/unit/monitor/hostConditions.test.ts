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
