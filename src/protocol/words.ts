/** Words that the batch page needs besides those in its data; the extension sends them in the user's language. */
export const BATCH_WORDS = {
	failures: 'Failures by Cause',
	noFailures: 'No instance has failed.',
	examples: 'Examples',
	hosts: 'Hosts',
	noHosts: 'No host has taken a job yet.',
	jobs: 'Jobs',
	job: 'Job',
	state: 'State',
	search: 'Part of a job’s name',
	filter: 'Jobs to show',
	all: 'All jobs',
	open: 'Unfinished',
	done: 'Done',
	failed: 'Failed',
	cancelled: 'Cancelled',
	order: 'Turn the order around',
	noJobs: 'No such jobs.',
	loading: 'Loading…',
	openLog: 'Show Log',
	explainJob: 'Explain',
	refresh: 'Refresh',
	exportCsv: 'Export CSV',
	exportJson: 'Export JSON',
	fetchResults: 'Fetch Results',
	cancel: 'Cancel Batch',
	explainWaiting: 'Why Is This Not Running?',
	explainFailure: 'Why Did It Fail?',
	stale: 'This is the last known state.',
} as const;

export type BatchWord = keyof typeof BATCH_WORDS;
export type Words = Readonly<Record<BatchWord, string>>;
