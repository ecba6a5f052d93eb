import { describe, expect, it } from 'vitest';

import { explainErrorMask, explainExitStatus } from '../../../src/monitor/exitStatus.js';
import { describeInstance, type InstanceRow } from '../../../src/monitor/instanceState.js';
import { batchState, emptyCounts, isFinalBatchState, type JobFacts, jobState } from '../../../src/monitor/jobState.js';
import type { JobState } from '../../../src/monitor/types.js';

const NOW = 1_700_000_000;
const row = (changes: Partial<InstanceRow>): InstanceRow => ({
	server_state: 5,
	outcome: 1,
	client_state: 5,
	validate_state: 0,
	exit_status: 0,
	hostid: 7,
	report_deadline: NOW + 100,
	...changes,
});

describe('an instance', () => {
	it.each([
		[{ server_state: 1 }, 'unsent', 'Not yet active'],
		[{ server_state: 2 }, 'unsent', 'Waiting for a host'],
		[{ server_state: 4 }, 'running', 'On host 7 until'],
		[{ server_state: 4, report_deadline: NOW - 1 }, 'overdue', 'deadline was'],
		[{ validate_state: 0 }, 'validating', 'waiting for the validator'],
		[{ validate_state: 1 }, 'valid', 'accepted'],
		[{ validate_state: 2 }, 'invalid', 'rejected'],
		[{ validate_state: 3 }, 'invalid', 'not checked'],
		[{ validate_state: 4 }, 'validating', 'do not agree'],
		[{ validate_state: 5 }, 'invalid', 'too late'],
		[{ outcome: 2 }, 'unsendable', 'Could not be sent'],
		[{ outcome: 3, exit_status: 202, client_state: 6 }, 'cancelled', 'Cancelled'],
		[{ outcome: 3, exit_status: -221 }, 'cancelled', 'Cancelled'],
		[{ outcome: 3, exit_status: 200 }, 'not-started', 'Host 7 did not start'],
		[{ outcome: 3, exit_status: 203 }, 'aborted', 'volunteer of host 7'],
		[{ outcome: 3, exit_status: -186, client_state: 1 }, 'failed', 'while downloading its files: exit code -186'],
		[{ outcome: 3, exit_status: 3, client_state: 3 }, 'failed', 'while computing: exit code 3 of the program.'],
		[{ outcome: 3, exit_status: 0, client_state: 7 }, 'failed', 'while uploading the result: the client reported an error'],
		[{ outcome: 4 }, 'no-reply', 'did not report'],
		[{ outcome: 5 }, 'not-needed', 'Not needed'],
		[{ outcome: 6 }, 'invalid', 'validator found an error'],
		[{ outcome: 7 }, 'no-reply', 'left the project'],
		[{ outcome: 99 }, 'failed', 'not known'],
	])('%o is %s', (changes, state, words) => {
		const described = describeInstance(row(changes), NOW);
		expect(described.state).toBe(state);
		expect(described.explanation).toContain(words);
	});
});

const nothing: JobFacts = {
	canonical: false,
	assimilated: false,
	errorMask: 0,
	running: false,
	unjudged: false,
	unsent: false,
	lost: false,
};

describe('a job', () => {
	it.each<[Partial<JobFacts>, JobState]>([
		[{}, 'created'],
		[{ unsent: true }, 'queued'],
		[{ unsent: true, lost: true }, 'retrying'],
		[{ lost: true }, 'retrying'],
		[{ unsent: true, unjudged: true }, 'validating'],
		[{ running: true, unjudged: true, unsent: true }, 'running'],
		[{ canonical: true, running: true }, 'collecting'],
		[{ canonical: true, assimilated: true, errorMask: 16 }, 'done'],
		[{ errorMask: 16, running: true }, 'cancelling'],
		[{ errorMask: 24 }, 'cancelled'],
		[{ errorMask: 2, running: true }, 'failed'],
		[{ errorMask: 2 | 16 | 32, running: true }, 'failed'],
		[{ errorMask: 8 | 16 | 32 }, 'failed'],
	])('%o is %s', (changes, state) => {
		expect(jobState({ ...nothing, ...changes })).toBe(state);
	});
});

describe('a batch', () => {
	it.each<[number, Partial<Record<JobState, number>>, string]>([
		[0, { done: 3 }, 'preparing'],
		[1, {}, 'preparing'],
		[1, { done: 2, running: 1 }, 'running'],
		[1, { done: 2, collecting: 1 }, 'running'],
		[1, { done: 3 }, 'done'],
		[1, { done: 2, failed: 1, cancelled: 1 }, 'failed'],
		[3, { done: 2, cancelled: 1 }, 'cancelled'],
		[3, { cancelling: 1 }, 'running'],
		[3, {}, 'cancelled'],
		[4, { done: 1 }, 'retired'],
	])('with row state %i and jobs %o is %s', (rowState, counts, state) => {
		expect(batchState(rowState, { ...emptyCounts(), ...counts })).toBe(state);
	});

	it('is watched until nothing changes any more', () => {
		expect(
			['preparing', 'running', 'done', 'failed', 'cancelled', 'retired'].map((state) => isFinalBatchState(state as 'done')),
		).toEqual([false, false, true, true, true, true]);
	});
});

describe('an exit status', () => {
	it.each([
		[1, 'exit code 1'],
		[137, 'killed by signal 9'],
		[197, 'ran longer than its limit'],
		[-131, 'larger than its limit'],
		[74, 'with -182: the virtual machine stopped answering'],
		[-1073741819, '0xC0000005'],
	])('%i says %s', (status, words) => {
		expect(explainExitStatus(status)).toContain(words);
	});

	it('lists the bits of an error mask', () => {
		expect(explainErrorMask(24)).toBe('no further try was allowed; it was cancelled');
		expect(explainErrorMask(0)).toBe('');
	});
});
