import { formatBytes, formatSeconds, plural } from '../common/format.js';
import type { ExpandedJobs } from './expandJobFile.js';
import { previewSweep } from './sweep/preview.js';

/** Rows of a sweep under a heading, and how many jobs, bytes and hours they are. */
export interface JobsDescription {
	/** Absent: there is no sweep. */
	readonly rows: { readonly heading: readonly string[]; readonly cells: readonly (readonly (string | number)[])[] } | undefined;
	/** One sentence. */
	readonly summary: string;
}

/** What a person looks at before the jobs are sent: the first rows, some at random, the last ones. */
export function describeJobs({ request, sweep }: Pick<ExpandedJobs, 'request' | 'sweep'>): JobsDescription {
	const count = sweep?.count ?? request.count ?? 1;
	const seconds = request.resources?.expectedSeconds;
	const hours = seconds === undefined ? '' : `, ${formatSeconds(seconds * count)} of computing in all`;
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
