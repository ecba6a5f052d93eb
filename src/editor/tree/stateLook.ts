import * as vscode from 'vscode';

import type { BatchState, InstanceState, Job, JobState } from '../../monitor/types.js';

/** How a state looks: icons differ in shape, not only in colour. */
export interface StateLook {
	readonly icon: string;
	readonly color: string | undefined;
	/** The state in the user's language. */
	readonly words: string;
}

const look = (icon: string, words: string, color?: string): StateLook => ({ icon, words, color });
const GREEN = 'testing.iconPassed';
const RED = 'testing.iconFailed';
const YELLOW = 'list.warningForeground';
const BLUE = 'charts.blue';
const GREY = 'disabledForeground';

export function batchLook(state: BatchState): StateLook {
	const { t } = vscode.l10n;
	switch (state) {
		case 'preparing':
			return look('loading~spin', t('preparing'));
		case 'running':
			return look('sync', t('running'), BLUE);
		case 'done':
			return look('pass-filled', t('done'), GREEN);
		case 'failed':
			return look('error', t('failed'), RED);
		case 'cancelled':
			return look('circle-slash', t('cancelled'), GREY);
		case 'retired':
			return look('archive', t('retired'), GREY);
	}
}

export function jobLook(state: JobState): StateLook {
	const { t } = vscode.l10n;
	switch (state) {
		case 'created':
			return look('circle-outline', t('created'));
		case 'queued':
			return look('clock', t('waiting for a host'));
		case 'running':
			return look('sync', t('running'), BLUE);
		case 'validating':
			return look('search', t('validating'), BLUE);
		case 'retrying':
			return look('debug-restart', t('trying again'), YELLOW);
		case 'collecting':
			return look('inbox', t('collecting results'), BLUE);
		case 'done':
			return look('pass', t('done'), GREEN);
		case 'failed':
			return look('error', t('failed'), RED);
		case 'cancelling':
			return look('stop-circle', t('being cancelled'), YELLOW);
		case 'cancelled':
			return look('circle-slash', t('cancelled'), GREY);
	}
}

/** The state of a job; a failure that a cancellation hides is told too: `cancelled (failed before: exit code 1)`. */
export function jobWords({ state, failedBefore }: Pick<Job, 'state' | 'failedBefore'>): string {
	const { words } = jobLook(state);
	const { t } = vscode.l10n;
	switch (failedBefore) {
		case undefined:
			return words;
		case 0:
			return t('{0} (failed before)', words);
		default:
			return t('{0} (failed before: exit code {1})', words, failedBefore);
	}
}

export function instanceLook(state: InstanceState): StateLook {
	const { t } = vscode.l10n;
	switch (state) {
		case 'unsent':
			return look('clock', t('waiting for a host'));
		case 'running':
			return look('sync', t('running'), BLUE);
		case 'overdue':
			return look('watch', t('overdue'), YELLOW);
		case 'validating':
			return look('search', t('validating'), BLUE);
		case 'valid':
			return look('pass', t('valid'), GREEN);
		case 'invalid':
			return look('warning', t('invalid'), RED);
		case 'failed':
			return look('error', t('failed'), RED);
		case 'cancelled':
			return look('circle-slash', t('cancelled'), GREY);
		case 'no-reply':
			return look('question', t('no reply'), YELLOW);
		case 'not-needed':
			return look('dash', t('not needed'), GREY);
		case 'not-started':
			return look('debug-step-over', t('not started in time'), GREY);
		case 'aborted':
			return look('stop-circle', t('aborted on the host'), YELLOW);
		case 'unsendable':
			return look('issue-draft', t('could not be sent'), RED);
	}
}

export function iconOf({ icon, color }: StateLook): vscode.ThemeIcon {
	return new vscode.ThemeIcon(icon, color === undefined ? undefined : new vscode.ThemeColor(color));
}
