import { lstatSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { formatCsv, parseCsv } from '../../common/csv.js';
import type { KeptResult } from './resultFolder.js';

/** Figures of one job, or of one line of its table. */
export type MetricRow = Readonly<Record<string, string | number>>;

const MAX_BYTES = 1 << 20;
const MAX_ROWS = 1000;
const MAX_COLUMNS = 200;

/**
 * The metrics in an unpacked result: `metrics.json` (an object, or a list of them) or `metrics.csv` at its top, and what the
 * runner wrote down of the run. Files that are too large or cannot be read say nothing: a result is not refused for them.
 */
export function readMetrics(folder: string): MetricRow[] {
	const run = flat(jsonOf(text(path.join(folder, '.b2d', 'job.json'))));
	delete run.job;
	const rows = rowsOf(jsonOf(text(path.join(folder, 'metrics.json')))) ?? tableOf(text(path.join(folder, 'metrics.csv')));
	return (rows.length === 0 ? [{}] : rows).slice(0, MAX_ROWS).map((row) => ({ ...run, ...row }));
}

/** At once: these were written a moment ago, and waiting takes several times as long as reading. */
function text(file: string): string | undefined {
	const found = lstatSync(file, { throwIfNoEntry: false });
	return found?.isFile() === true && found.size <= MAX_BYTES ? readFileSync(file, 'utf8') : undefined;
}

function jsonOf(text: string | undefined): unknown {
	try {
		return text === undefined ? undefined : (JSON.parse(text.replace(/^\uFEFF/, '')) as unknown);
	} catch {
		return undefined;
	}
}

function rowsOf(value: unknown): Record<string, string | number>[] | undefined {
	if (typeof value !== 'object' || value === null) {
		return undefined;
	}
	return Array.isArray(value) ? value.map((item) => flat(item)) : [flat(value)];
}

/** An object in objects becomes `outer.inner`. */
function flat(
	value: unknown,
	prefix = '',
	into: Record<string, string | number> = Object.create(null) as Record<string, string | number>,
): Record<string, string | number> {
	if (typeof value === 'object' && value !== null) {
		for (const [key, inner] of Object.entries(value)) {
			if (Object.keys(into).length >= MAX_COLUMNS) {
				break;
			}
			flat(inner, prefix === '' ? key : `${prefix}.${key}`, into);
		}
	} else if (prefix !== '' && value !== undefined && value !== null) {
		into[prefix] = typeof value === 'number' ? value : typeof value === 'string' ? value : JSON.stringify(value);
	}
	return into;
}

function tableOf(text: string | undefined): Record<string, string | number>[] {
	const [head = [], ...rows] = text === undefined ? [] : parseCsv(text);
	const columns = head.slice(0, MAX_COLUMNS);
	return rows.map((cells) => Object.fromEntries(columns.map((name, at) => [name, numberOr(cells[at] ?? '')])));
}

const numberOr = (cell: string): string | number =>
	/^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(cell.trim()) ? Number(cell) : cell;

/**
 * One table of the metrics of all results as CSV: job, parameters where they are known, then each figure that any job has.
 * Rows are in the order of the jobs' names. A figure with the name of a parameter is called `metric NAME`.
 */
export function metricsTable(
	results: readonly KeptResult[],
	parameters?: ReadonlyMap<string, ReadonlyMap<string, string>>,
): string {
	const sorted = [...results].sort((a, b) => (a.job < b.job ? -1 : 1));
	const told = new Set([...(parameters?.values() ?? [])].flatMap((values) => [...values.keys()]));
	const figures = [...new Set(sorted.flatMap(({ rows }) => rows.flatMap((row) => Object.keys(row))))];
	const lines = sorted.flatMap(({ job, rows }) =>
		(rows.length === 0 ? [{} as MetricRow] : rows).map((row) => [
			job,
			...[...told].map((name) => parameters?.get(job)?.get(name) ?? ''),
			...figures.map((name) => row[name] ?? ''),
		]),
	);
	const taken = new Set(['job', ...told]);
	const headings = figures.map((name) => freeName(name, taken));
	return formatCsv([['job', ...told, ...headings], ...lines]);
}

/** The name, with `metric` in front as long as another column has it; then it is taken. */
function freeName(name: string, taken: Set<string>): string {
	const free = taken.has(name) ? freeName(`metric ${name}`, taken) : name;
	taken.add(free);
	return free;
}
