import { keptResults, recordStamp } from '../results/resultFolder.js';
import type { ColumnSource } from './columns.js';

/** Figures that get a column. */
const MOST = 12;
/** What the runner writes down of each run, and the table has columns for. */
const KNOWN = ['exitCode', 'seconds'];

/**
 * The metrics of results that were fetched, a column for each figure. `folder` is the batch's local folder, if there is one. Of a job whose
 * metrics are a table its last line counts. The record is read again when it has changed.
 */
export function metricColumns(folder: () => Promise<string | undefined>, batchId: number): ColumnSource {
	let known = { stamp: '', columns: [] as readonly string[], rows: new Map<string, Readonly<Record<string, string>>>() };
	const read = async (): Promise<typeof known> => {
		const target = await folder();
		const stamp = target === undefined ? '' : `${target} ${await recordStamp(target)}`;
		if (target !== undefined && stamp !== known.stamp) {
			const rows = (await keptResults(target, batchId)).map(({ job, rows: all }) => [job, texts(all.at(-1) ?? {})] as const);
			const columns = [...new Set(rows.flatMap(([, row]) => Object.keys(row)))].slice(0, MOST);
			known = { stamp, columns, rows: new Map(rows) };
		}
		return known;
	};
	return {
		columns: async () => (await read()).columns,
		values: async (jobs) => {
			const { rows } = await read();
			return new Map(jobs.flatMap(({ id, name }) => [[id, rows.get(name) ?? {}] as const]));
		},
	};
}

function texts(row: Readonly<Record<string, string | number>>): Readonly<Record<string, string>> {
	const shown = Object.entries(row).filter(([name]) => !KNOWN.includes(name));
	return Object.fromEntries(shown.map(([name, value]) => [name, String(value)]));
}
