import { wasCancelled } from '../project/errorMask.js';
import type { BatchState, JobCounts, JobState } from './types.js';

/** What decides the state of a job: flags of its row and whether it has instances of certain kinds. */
export interface JobFacts {
	readonly canonical: boolean;
	readonly assimilated: boolean;
	/** `error_mask` of the row. */
	readonly errorMask: number;
	/** An instance is on a host. */
	readonly running: boolean;
	/** An instance has finished and is not judged. */
	readonly unjudged: boolean;
	/** An instance waits to be sent. */
	readonly unsent: boolean;
	/** An instance is over without success. */
	readonly lost: boolean;
}

/** First match wins; the order is that of BOINC's own pages (`html/inc/result.inc`). */
export function jobState(facts: JobFacts): JobState {
	if (facts.canonical) {
		return facts.assimilated ? 'done' : 'collecting';
	}
	if (wasCancelled(facts.errorMask)) {
		return facts.running ? 'cancelling' : 'cancelled';
	}
	if (facts.errorMask !== 0) {
		return 'failed';
	}
	if (facts.running) {
		return 'running';
	}
	if (facts.unjudged) {
		return 'validating';
	}
	if (facts.lost) {
		return 'retrying'; // also in the moment before the transitioner has made the next instance
	}
	return facts.unsent ? 'queued' : 'created';
}

/** All states, in the order of a job's life. */
export const JOB_STATES: readonly JobState[] = [
	'created',
	'queued',
	'running',
	'validating',
	'retrying',
	'collecting',
	'done',
	'failed',
	'cancelling',
	'cancelled',
];

/** States that a job does not leave by itself. */
export const FINAL_JOB_STATES: readonly JobState[] = ['done', 'failed', 'cancelled'];

/** Counts with every state present. */
export function emptyCounts(): Record<JobState, number> {
	return Object.fromEntries(JOB_STATES.map((state) => [state, 0])) as Record<JobState, number>;
}

/** BOINC's `batch.state`. */
const ROW_PREPARING = 0;
const ROW_ABORTED = 3;
const ROW_RETIRED = 4;

/**
 * The state of a batch from its jobs: nothing on the server keeps `batch.state` up to date (BOINC computes it in web pages).
 * @param gone jobs whose rows the server has removed
 */
export function batchState(rowState: number, counts: JobCounts, gone = 0): BatchState {
	if (rowState === ROW_RETIRED) {
		return 'retired';
	}
	if (rowState === ROW_PREPARING) {
		// Set to "in progress" once all jobs exist: until then finished jobs say nothing about the whole.
		return 'preparing';
	}
	const total = Object.values(counts).reduce((sum, n) => sum + n, 0);
	const over = FINAL_JOB_STATES.reduce((sum, state) => sum + counts[state], 0);
	if (over < total) {
		return 'running';
	}
	if (total === 0) {
		if (gone > 0) {
			return 'retired';
		}
		return rowState === ROW_ABORTED ? 'cancelled' : 'preparing';
	}
	if (counts.failed > 0) {
		return 'failed';
	}
	return counts.cancelled > 0 ? 'cancelled' : 'done';
}

/** Whether nothing will change any more, so that it need not be watched. */
export function isFinalBatchState(state: BatchState): boolean {
	return state === 'done' || state === 'failed' || state === 'cancelled' || state === 'retired';
}
