import { encodeWord } from '../parameters.js';
import { type Row, type Rows } from './rows.js';
import { uniform } from './samples.js';

/** What a person looks at before a sweep is sent. */
export interface SweepPreview {
	readonly names: readonly string[];
	readonly count: number;
	/** Some rows with their numbers, in order: the first ones, random ones, the last ones. */
	readonly rows: readonly { readonly index: number; readonly row: Row }[];
	/** Bytes of the parameter tables, estimated from the rows shown. */
	readonly tableBytes: number;
}

/** Shows some rows of a sweep without making the others: `each` from the start, from the end, and at random between. */
export function previewSweep(rows: Rows, each = 5, seed = 1): SweepPreview {
	const shown = new Set<number>();
	for (let k = 0; k < each; k++) {
		shown.add(k);
		shown.add(rows.count - 1 - k);
		shown.add(Math.floor(uniform(seed, 0, k) * rows.count));
	}
	const indexes = [...shown].filter((index) => index >= 0 && index < rows.count).sort((a, b) => a - b);
	const list = indexes.map((index) => ({ index, row: rows.at(index) }));
	const bytes = list.reduce((sum, { row }) => sum + rowBytes(row), 0);
	return {
		names: rows.names,
		count: rows.count,
		rows: list,
		tableBytes: Math.round((bytes / Math.max(1, list.length)) * rows.count),
	};
}

/** Name of the job, and a word for each variable. */
function rowBytes(row: Row): number {
	const job = 24;
	return [...row].reduce((sum, [name, value]) => sum + encodeWord(`${name}=${value}`).length + 3, job);
}
