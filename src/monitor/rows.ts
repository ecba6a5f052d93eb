import type { JobFacts } from './jobState.js';

/** Reads with parameters; `ProjectDatabase` is one. */
export interface Queries {
	select(sql: string, params?: readonly unknown[]): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

export type Row = Readonly<Record<string, unknown>>;

/** A number column; 0 for NULL. */
export const number = (row: Row, column: string): number => {
	const value = row[column];
	return value === null || value === undefined ? 0 : Number(value);
};

/** A text or blob column as text. */
export const text = (row: Row, column: string): string => {
	const value = row[column];
	if (typeof value === 'string') {
		return value;
	}
	return value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : '';
};

/** `?, ?, ?` for a list of values. */
export const marks = (values: readonly unknown[]): string => values.map(() => '?').join(', ');

/** Per job: does it have instances of certain kinds? `database.md` §7 names the order of the states. */
export const FLAGS = `
	MAX(r.server_state = 4) AS running,
	MAX(r.server_state = 5 AND r.outcome = 1 AND r.validate_state IN (0, 4)) AS unjudged,
	MAX(r.server_state IN (1, 2)) AS unsent,
	MAX(r.server_state = 5 AND r.outcome IN (3, 4, 6, 7)) AS lost`;

/** What decides the state of a job, from a row with `canonical`, `assimilated`, `error_mask` and `FLAGS`. */
export function facts(row: Row): JobFacts {
	return {
		canonical: number(row, 'canonical') > 0,
		assimilated: number(row, 'assimilated') > 0,
		errorMask: number(row, 'error_mask'),
		running: number(row, 'running') > 0,
		unjudged: number(row, 'unjudged') > 0,
		unsent: number(row, 'unsent') > 0,
		lost: number(row, 'lost') > 0,
	};
}
