import * as vscode from 'vscode';

import type { Words } from '../../../protocol/words.js';

const { t } = vscode.l10n;

/** The page's words in the user's language. */
export const batchWords = (): Words => ({
	failures: t('Failures by Cause'),
	noFailures: t('No instance has failed.'),
	examples: t('Examples'),
	hosts: t('Hosts'),
	noHosts: t('No host has taken a job yet.'),
	jobs: t('Jobs'),
	job: t('Job'),
	state: t('State'),
	search: t('Part of a job’s name'),
	filter: t('Jobs to show'),
	all: t('All jobs'),
	open: t('Unfinished'),
	done: t('Done'),
	failed: t('Failed'),
	cancelled: t('Cancelled'),
	order: t('Order'),
	turn: t('Turn the order around'),
	noJobs: t('No such jobs.'),
	loading: t('Loading…'),
	openLog: t('Show Log'),
	explainJob: t('Explain'),
	refresh: t('Refresh'),
	exportCsv: t('Export CSV'),
	exportJson: t('Export JSON'),
	fetchResults: t('Fetch Results'),
	cancel: t('Cancel Batch'),
	explainWaiting: t('Why Is This Not Running?'),
	explainFailure: t('Why Did It Fail?'),
	stale: t('This is the last known state.'),
});
