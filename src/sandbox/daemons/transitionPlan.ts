import {
	ABORTED_BY_VOLUNTEER,
	ASSIMILATE_STATE,
	ERROR_MASK,
	FILE_DELETE_STATE,
	NEVER,
	NO_NEW_RESULTS,
	OUTCOME,
	SERVER_STATE,
	VALIDATE_STATE,
} from './states.js';

/** A job as the transitioner reads it. */
export interface Job {
	readonly id: number;
	readonly name: string;
	readonly appId: number;
	readonly batch: number;
	readonly priority: number;
	readonly sizeClass: number;
	readonly errorMask: number;
	readonly canonicalResultId: number;
	readonly needValidate: boolean;
	readonly assimilateState: number;
	readonly fileDeleteState: number;
	readonly minQuorum: number;
	readonly targetResults: number;
	readonly maxErrorResults: number;
	readonly maxTotalResults: number;
	readonly transitionerFlags: number;
	/** Seconds. */
	readonly delayBound: number;
	/** Seconds; why it is looked at now. */
	readonly transitionTime: number;
	/** Relative to the project. */
	readonly outputTemplate: string;
}

/** One try of a job on one host. */
export interface Instance {
	readonly id: number;
	readonly name: string;
	readonly serverState: number;
	readonly outcome: number;
	readonly validateState: number;
	readonly fileDeleteState: number;
	readonly exitStatus: number;
	/** Seconds. */
	readonly reportDeadline: number;
}

type Changes = Record<string, number>;

/** What is to be written. */
export interface TransitionPlan {
	/** Columns of the job. */
	readonly job: Changes;
	readonly changed: readonly { readonly instance: Instance; readonly changes: Changes }[];
	/** Instances to make. */
	readonly create: number;
	/** Lines for the log. */
	readonly notes: readonly string[];
	/** All instances after the changes. */
	readonly instances: readonly Instance[];
	/** Whether the job is decided, well or badly. */
	readonly decided: boolean;
}

/** Collects changes of instances; later steps see what earlier ones changed. */
class Draft {
	readonly #original: readonly Instance[];
	readonly #changes = new Map<number, Changes>();
	instances: readonly Instance[];

	constructor(instances: readonly Instance[]) {
		this.#original = instances;
		this.instances = instances;
	}

	change(instance: Instance, next: Partial<Instance>, changes: Changes): void {
		this.#changes.set(instance.id, { ...this.#changes.get(instance.id), ...changes });
		this.instances = this.instances.map((candidate) => (candidate.id === instance.id ? { ...candidate, ...next } : candidate));
	}

	changed(): TransitionPlan['changed'] {
		return this.#original.flatMap((instance) => {
			const changes = this.#changes.get(instance.id);
			return changes ? [{ instance, changes }] : [];
		});
	}
}

/** Decides what happens to a job now. Pure; `now` in seconds. */
export function planTransition(job: Job, original: readonly Instance[], now: number): TransitionPlan {
	const draft = new Draft(original);
	const notes: string[] = [];
	const changes: Changes = {};
	expireOverdue(draft, now, notes);
	if (wantsValidation(job, draft.instances)) {
		changes.need_validate = 1;
		notes.push('need_validate:=>true');
	}
	const missing = missingInstances(job, draft.instances);
	const allowed = job.maxTotalResults - draft.instances.length;
	const tooMany = allowed < 0 || (allowed === 0 && missing > 0);
	const errorMask = job.errorMask | tooManyErrors(job, draft.instances) | (tooMany ? ERROR_MASK.tooManyTotal : 0);
	const mayCreate = errorMask === 0 && job.canonicalResultId === 0 && job.transitionerFlags !== NO_NEW_RESULTS;
	const create = mayCreate ? Math.min(missing, allowed) : 0;
	if (create > 0) {
		notes.push(generating(job, draft.instances, create));
	}
	const assimilateState = decide(job, draft, errorMask, changes, notes);
	const decided = errorMask !== 0 || job.canonicalResultId > 0;
	if (assimilateState === ASSIMILATE_STATE.done) {
		allowDeletion(job, draft, changes, notes);
	}
	if (errorMask !== job.errorMask) {
		changes.error_mask = errorMask;
	}
	return { job: changes, changed: draft.changed(), create, notes, instances: draft.instances, decided };
}

/** When the job is to be looked at next: the earliest deadline, never when decided, otherwise a safety net. */
export function nextTransition(job: Job, plan: TransitionPlan, now: number): number {
	const deadlines = plan.instances
		.filter(({ serverState }) => serverState === SERVER_STATE.inProgress)
		.map(({ reportDeadline }) => reportDeadline);
	const safetyNet = now + Math.max(10 * 86_400, Math.floor(1.5 * job.delayBound));
	return Math.min(plan.decided ? NEVER : safetyNet, ...deadlines);
}

function expireOverdue(draft: Draft, now: number, notes: string[]): void {
	for (const instance of draft.instances) {
		if (instance.serverState === SERVER_STATE.inProgress && instance.reportDeadline < now) {
			notes.push(
				`[RESULT#${instance.id} ${instance.name}] result timed out (${instance.reportDeadline} < ${now}) server_state:IN_PROGRESS=>OVER; outcome:NO_REPLY`,
			);
			draft.change(
				instance,
				{ serverState: SERVER_STATE.over, outcome: OUTCOME.noReply },
				{ server_state: SERVER_STATE.over, outcome: OUTCOME.noReply },
			);
		}
	}
}

const isSuccess = (instance: Instance): boolean =>
	instance.serverState === SERVER_STATE.over &&
	instance.outcome === OUTCOME.success &&
	instance.validateState !== VALIDATE_STATE.invalid;

/** Also of a job that was cancelled or has failed: a success that arrives then is judged all the same. */
function wantsValidation(job: Job, instances: readonly Instance[]): boolean {
	const successes = instances.filter(isSuccess);
	const isNew = successes.some(({ validateState }) => validateState === VALIDATE_STATE.init);
	return !job.needValidate && isNew && successes.length >= job.minQuorum;
}

function tooManyErrors(job: Job, instances: readonly Instance[]): number {
	const over = instances.filter(({ serverState }) => serverState === SERVER_STATE.over);
	const errors = over.filter(
		({ outcome, exitStatus }) =>
			(outcome === OUTCOME.clientError && exitStatus !== ABORTED_BY_VOLUNTEER) || outcome === OUTCOME.validateError,
	);
	const unsendable = over.some(({ outcome }) => outcome === OUTCOME.couldntSend);
	return (errors.length > job.maxErrorResults ? ERROR_MASK.tooManyErrors : 0) | (unsendable ? ERROR_MASK.couldntSend : 0);
}

const count = (instances: readonly Instance[], state: number): number =>
	instances.filter(({ serverState }) => serverState === state).length;

function missingInstances(job: Job, instances: readonly Instance[]): number {
	const alive = count(instances, SERVER_STATE.unsent) + count(instances, SERVER_STATE.inProgress);
	return Math.max(0, job.targetResults - alive - instances.filter(isSuccess).length);
}

function generating(job: Job, instances: readonly Instance[], create: number): string {
	return (
		`Generating ${create} more results (${job.targetResults} target - ${count(instances, SERVER_STATE.unsent)} unsent - ` +
		`${count(instances, SERVER_STATE.inProgress)} in progress - ${instances.filter(isSuccess).length} success)`
	);
}

const UNJUDGED: readonly number[] = [VALIDATE_STATE.init, VALIDATE_STATE.inconclusive];

/** Ends what a decided job no longer needs. Returns the assimilate state that results. */
function decide(job: Job, draft: Draft, errorMask: number, changes: Changes, notes: string[]): number {
	const failed = errorMask !== 0;
	if (!failed && job.canonicalResultId === 0) {
		return job.assimilateState;
	}
	for (const instance of draft.instances) {
		if (instance.serverState === SERVER_STATE.unsent) {
			draft.change(
				instance,
				{ serverState: SERVER_STATE.over, outcome: OUTCOME.didntNeed },
				{ server_state: SERVER_STATE.over, outcome: OUTCOME.didntNeed },
			);
		} else if (failed && isSuccess(instance) && UNJUDGED.includes(instance.validateState)) {
			draft.change(instance, { validateState: VALIDATE_STATE.noCheck }, { validate_state: VALIDATE_STATE.noCheck });
		}
	}
	if (failed && job.assimilateState === ASSIMILATE_STATE.init) {
		changes.assimilate_state = ASSIMILATE_STATE.ready;
		notes.push(`error_mask:${errorMask} assimilate_state:INIT=>READY`);
		return ASSIMILATE_STATE.ready;
	}
	return job.assimilateState;
}

/** Outputs may go when the job is assimilated; inputs and the accepted output when no instance is out any more. */
function allowDeletion(job: Job, draft: Draft, changes: Changes, notes: string[]): void {
	const allOver = draft.instances.every(
		({ serverState, outcome, validateState }) =>
			serverState === SERVER_STATE.over && !(outcome === OUTCOME.success && validateState === VALIDATE_STATE.init),
	);
	if (allOver && job.fileDeleteState === FILE_DELETE_STATE.init) {
		changes.file_delete_state = FILE_DELETE_STATE.ready;
	}
	for (const instance of draft.instances) {
		const over = instance.serverState === SERVER_STATE.over;
		const judged =
			instance.outcome === OUTCOME.success
				? instance.validateState !== VALIDATE_STATE.init
				: instance.outcome === OUTCOME.clientError;
		const kept = instance.id === job.canonicalResultId && !allOver;
		if (over && judged && !kept && instance.fileDeleteState === FILE_DELETE_STATE.init) {
			draft.change(instance, { fileDeleteState: FILE_DELETE_STATE.ready }, { file_delete_state: FILE_DELETE_STATE.ready });
			notes.push(`[RESULT#${instance.id} ${instance.name}] file_delete_state:=>READY`);
		}
	}
}
