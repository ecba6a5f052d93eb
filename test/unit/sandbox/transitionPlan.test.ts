import { describe, expect, it } from 'vitest';

import { type Instance, type Job, nextTransition, planTransition } from '../../../src/sandbox/daemons/transitionPlan.js';

const NOW = 1_000_000;
const JOB: Job = {
	id: 1,
	name: 'job',
	appId: 1,
	batch: 0,
	priority: 0,
	sizeClass: -1,
	errorMask: 0,
	canonicalResultId: 0,
	needValidate: false,
	assimilateState: 0,
	fileDeleteState: 0,
	minQuorum: 1,
	targetResults: 1,
	maxErrorResults: 1,
	maxTotalResults: 3,
	transitionerFlags: 0,
	delayBound: 86_400,
	transitionTime: NOW - 1,
	outputTemplate: 'templates/out',
};
const instance = (id: number, values: Partial<Instance>): Instance => ({
	id,
	name: `job_${id}`,
	serverState: 5,
	outcome: 1,
	validateState: 0,
	fileDeleteState: 0,
	exitStatus: 0,
	reportDeadline: 0,
	...values,
});
const failed = (id: number, exitStatus = 1) => instance(id, { outcome: 3, validateState: 2, exitStatus });
const unsent = (id: number) => instance(id, { serverState: 2, outcome: 0 });
const running = (id: number, reportDeadline = NOW + 500) => instance(id, { serverState: 4, outcome: 0, reportDeadline });
const plan = (job: Partial<Job>, instances: readonly Instance[]) => {
	const subject = { ...JOB, ...job };
	const result = planTransition(subject, instances, NOW);
	return {
		...result,
		changes: result.changed.map(({ instance: { id }, changes }) => [id, changes]),
		next: nextTransition(subject, result, NOW),
	};
};

describe('the next step of a job', () => {
	it('a new job gets its instances and is looked at again before it could be forgotten', () => {
		expect(plan({ targetResults: 2 }, [])).toMatchObject({ create: 2, job: {}, next: NOW + 864_000 });
		expect(plan({ delayBound: 8_640_000 }, [])).toMatchObject({ next: NOW + 12_960_000 });
	});

	it('a targeted job gets none here', () => {
		expect(plan({ transitionerFlags: 2 }, [])).toMatchObject({ create: 0 });
	});

	it('waits for what is under way', () => {
		expect(plan({}, [unsent(1)])).toMatchObject({ create: 0, changes: [] });
		expect(plan({}, [running(1)])).toMatchObject({ create: 0, next: NOW + 500 });
	});

	it('ends what is overdue and replaces it', () => {
		expect(plan({}, [running(1, NOW - 1)])).toMatchObject({ create: 1, changes: [[1, { server_state: 5, outcome: 4 }]] });
	});

	it('asks for validation when the quorum is there', () => {
		expect(plan({}, [instance(1, {})])).toMatchObject({ job: { need_validate: 1 }, next: NOW + 864_000 });
		expect(plan({ minQuorum: 2, targetResults: 2 }, [instance(1, {}), unsent(2)]).job).toEqual({});
		expect(plan({ canonicalResultId: 1 }, [instance(1, { validateState: 1 }), instance(2, {})]).job).toEqual({
			need_validate: 1,
		});
	});

	it('tries again until there were too many errors', () => {
		expect(plan({}, [failed(1)])).toMatchObject({ create: 1, job: {} });
		expect(plan({}, [failed(1), failed(2)])).toMatchObject({ create: 0, job: { error_mask: 2, assimilate_state: 1 } });
		expect(plan({}, [failed(1), failed(2, 203)])).toMatchObject({ create: 1, job: {} });
	});

	it('never makes more instances than allowed', () => {
		expect(plan({ maxErrorResults: 9 }, [failed(1), failed(2), failed(3)])).toMatchObject({
			create: 0,
			job: { error_mask: 8, assimilate_state: 1 },
		});
		expect(plan({ maxErrorResults: 9, targetResults: 3 }, [failed(1), failed(2)])).toMatchObject({ create: 1, job: {} });
	});

	it('of a job with a result, what is beyond its limits still counts, as with BOINC', () => {
		const canonical = instance(1, { validateState: 1 });
		expect(plan({ canonicalResultId: 1, maxTotalResults: 1, targetResults: 2 }, [canonical]).job).toEqual({
			error_mask: 8,
			assimilate_state: 1,
		});
	});

	it('a success that comes after the cancellation is judged', () => {
		const result = plan({ errorMask: 16, assimilateState: 1 }, [instance(1, {})]);
		expect(result).toMatchObject({ job: { need_validate: 1 }, changes: [[1, { validate_state: 3 }]] });
	});

	it('a cancelled job ends what is unsent at once, and not what runs', () => {
		const result = plan({ errorMask: 16 }, [unsent(1), running(2), instance(3, {})]);
		expect(result.changes).toEqual([
			[1, { server_state: 5, outcome: 5 }],
			[3, { validate_state: 3 }],
		]);
		expect(result).toMatchObject({ job: { assimilate_state: 1 }, create: 0, next: NOW + 500 });
	});

	it('allows deletion only when the job is assimilated and nothing is out any more', () => {
		const canonical = instance(1, { validateState: 1 });
		expect(plan({ canonicalResultId: 1, assimilateState: 1 }, [canonical])).toMatchObject({ job: {}, changes: [] });
		expect(plan({ canonicalResultId: 1, assimilateState: 2 }, [canonical])).toMatchObject({
			job: { file_delete_state: 1 },
			changes: [[1, { file_delete_state: 1 }]],
			next: 2_147_483_647,
		});
		expect(plan({ canonicalResultId: 1, assimilateState: 2 }, [canonical, failed(2), running(3)])).toMatchObject({
			job: {},
			changes: [[2, { file_delete_state: 1 }]],
		});
	});
});
