/** States of an instance (BOINC's result) that people read; `boinc/database.md` calls them human status. */
export type InstanceState =
	| 'unsent'
	| 'running'
	| 'overdue'
	| 'validating'
	| 'valid'
	| 'invalid'
	| 'failed'
	| 'cancelled'
	| 'no-reply'
	| 'not-needed'
	| 'not-started'
	| 'aborted'
	| 'unsendable';

/** States of a job (BOINC's workunit). */
export type JobState =
	'created' | 'queued' | 'running' | 'validating' | 'retrying' | 'collecting' | 'done' | 'failed' | 'cancelling' | 'cancelled';

export type BatchState = 'preparing' | 'running' | 'done' | 'failed' | 'cancelled' | 'retired';

export interface Instance {
	/** `result.id`. */
	readonly id: number;
	readonly jobId: number;
	readonly name: string;
	readonly state: InstanceState;
	/** One sentence for a person: host, deadline, exit code and its meaning. */
	readonly explanation: string;
	readonly hostId: number;
	readonly exitStatus: number;
	/** UNIX seconds, 0 = never. */
	readonly sentTime: number;
	readonly deadline: number;
	readonly receivedTime: number;
	/** Seconds. */
	readonly elapsedTime: number;
	readonly cpuTime: number;
	/** `102 (docker) on x86_64-pc-linux-gnu`; empty before sending. */
	readonly appVersion: string;
}

export interface Job {
	/** `workunit.id`. */
	readonly id: number;
	readonly batchId: number;
	readonly name: string;
	readonly state: JobState;
	readonly createTime: number;
	/** `error_mask` of the database. */
	readonly errorMask: number;
	readonly canonicalInstanceId: number;
	/** A failed job of which an instance is on a host or waits for one, and was not called back yet. */
	readonly alive?: true;
	/** Of a cancelled job whose instances had failed before: an exit code with which one of them did, 0 without one. */
	readonly failedBefore?: number;
}

export type JobCounts = Readonly<Record<JobState, number>>;

export interface Batch {
	/** `batch.id`. */
	readonly id: number;
	readonly name: string;
	readonly appId: number;
	readonly state: BatchState;
	readonly createTime: number;
	/** Jobs that the database holds; while `uncounted`, as many as were submitted. */
	readonly total: number;
	readonly counts: JobCounts;
	/** The jobs have not been counted yet: `counts` and `state` say nothing. */
	readonly uncounted?: true;
	/** Jobs that the server has removed after they were over; absent when there are none. */
	readonly purged?: number;
}
