import { formatBytes, formatSeconds, plural } from '../common/format.js';
import type { ExpandedJobs } from './expandJobFile.js';
import { defaultResources } from './resources.js';
import { previewSweep } from './sweep/preview.js';

/** Rows of a sweep under a heading, and how many jobs, bytes and hours they are. */
export interface JobsDescription {
	/** Absent: there is no sweep. */
	readonly rows: { readonly heading: readonly string[]; readonly cells: readonly (readonly (string | number)[])[] } | undefined;
	/** One sentence. */
	readonly summary: string;
}

/** Seconds that a job is expected to take, and how often each is computed for results to agree. */
function expectation({ resources = {}, replication }: ExpandedJobs['request']): {
	readonly seconds: number;
	readonly isGiven: boolean;
	readonly copies: number;
} {
	const seconds = defaultResources({ packBytes: 0, inputBytes: 0 }, resources).resources.expectedSeconds;
	return { seconds, isGiven: resources.expectedSeconds !== undefined, copies: replication?.minQuorum ?? 1 };
}

/** What a person looks at before the jobs are sent: the first rows, some at random, the last ones. */
export function describeJobs({ request, sweep }: Pick<ExpandedJobs, 'request' | 'sweep'>): JobsDescription {
	const count = sweep?.count ?? request.count ?? 1;
	const { seconds, isGiven, copies } = expectation(request);
	const assumed = isGiven ? '' : ` if each takes ${formatSeconds(seconds)}, for resources.time says nothing`;
	const hours = `, ${formatSeconds(seconds * count * copies)} of computing in all${assumed}`;
	if (!sweep) {
		return { rows: undefined, summary: `${plural(count, 'job')}${hours}.` };
	}
	const { names, rows, tableBytes } = previewSweep(sweep);
	const shown = [...names, ...(rows[0]?.row.has('repetition') === true ? ['repetition'] : [])];
	return {
		rows: {
			heading: ['row', ...shown],
			cells: rows.map(({ index, row }) => [index, ...shown.map((name) => row.get(name) ?? '')]),
		},
		summary: `${plural(count, 'job')}, about ${formatBytes(tableBytes)} of parameters${hours}.`,
	};
}
