import { lazily } from '../common/lazily.js';
import { explainExitStatus } from './exitStatus.js';
import type { InstanceState } from './types.js';

/** The columns of `result` that decide its state, as BOINC stores them. */
export interface InstanceRow {
	readonly server_state: number;
	readonly outcome: number;
	readonly client_state: number;
	readonly validate_state: number;
	readonly exit_status: number;
	readonly hostid: number;
	/** UNIX seconds. */
	readonly report_deadline: number;
}

interface Described {
	readonly state: InstanceState;
	readonly explanation: string;
}

const day = lazily(() => new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' }));
const at = (seconds: number): string => day().format(new Date(seconds * 1000));

const FINISHED: readonly Described[] = [
	{ state: 'validating', explanation: 'Finished; waiting for the validator.' },
	{ state: 'valid', explanation: 'Finished and accepted by the validator.' },
	{ state: 'invalid', explanation: 'Finished, but the validator rejected the result.' },
	{ state: 'invalid', explanation: 'Finished, but the result was not checked: the job had ended before.' },
	{ state: 'validating', explanation: 'Finished; the results so far do not agree, so another instance is needed.' },
	{ state: 'invalid', explanation: 'Finished too late: the job had ended before.' },
];

const UNKNOWN: Described = { state: 'failed', explanation: 'Ended in a state that is not known.' };

/** Where a failed instance stopped, by `client_state`. */
const STEP: Readonly<Record<number, string>> = {
	1: 'while downloading its files',
	2: 'while computing',
	3: 'while computing',
	4: 'while uploading the result',
	6: 'because it was aborted',
	7: 'while uploading the result',
};

function describeFailure(row: InstanceRow): Described {
	switch (row.exit_status) {
		case 202:
		case -221:
			return { state: 'cancelled', explanation: 'Cancelled by the project.' };
		case 200:
		case -233:
			return { state: 'not-started', explanation: `Host ${row.hostid} did not start it before the deadline.` };
		case 203:
		case -197:
			return { state: 'aborted', explanation: `Aborted by the volunteer of host ${row.hostid}.` };
		default: {
			const why = row.exit_status === 0 ? 'the client reported an error' : explainExitStatus(row.exit_status);
			return { state: 'failed', explanation: `Failed on host ${row.hostid} ${STEP[row.client_state] ?? 'on the host'}: ${why}.` };
		}
	}
}

function describeOver(row: InstanceRow): Described {
	switch (row.outcome) {
		case 1:
			return FINISHED[row.validate_state] ?? UNKNOWN;
		case 2:
			return { state: 'unsendable', explanation: 'Could not be sent to any host.' };
		case 3:
			return describeFailure(row);
		case 4:
			return { state: 'no-reply', explanation: `Host ${row.hostid} did not report before the deadline.` };
		case 5:
			return { state: 'not-needed', explanation: 'Not needed any more: never sent.' };
		case 6:
			return { state: 'invalid', explanation: 'Finished, but the validator found an error in the result.' };
		case 7:
			return { state: 'no-reply', explanation: `Host ${row.hostid} left the project.` };
		default:
			return UNKNOWN;
	}
}

/**
 * State and explanation of an instance.
 * @param now the database's clock in UNIX seconds
 */
export function describeInstance(row: InstanceRow, now: number): Described {
	switch (row.server_state) {
		case 1:
			return { state: 'unsent', explanation: 'Not yet active.' };
		case 2:
			return { state: 'unsent', explanation: 'Waiting for a host that asks for work.' };
		case 4:
			return now > row.report_deadline
				? { state: 'overdue', explanation: `On host ${row.hostid}; its deadline was ${at(row.report_deadline)}.` }
				: { state: 'running', explanation: `On host ${row.hostid} until ${at(row.report_deadline)} at the latest.` };
		default:
			return describeOver(row);
	}
}
