import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';

import { type BoincError, messageOf } from '../../common/errors.js';
import { given } from '../../common/given.js';
import { isGiven, valueOf, type YamlNode } from '../../project/yaml/yamlTree.js';
import { inFolder, textsOf } from '../jobFile.js';
import { SWEEP_KINDS, type SweepKind } from '../schema/sweepKeys.js';
import { listAxis, type Range, rangeAxis, rangeProblem } from './axes.js';
import { findFiles } from './findFiles.js';
import {
	type Axis,
	gridRows,
	joinedRows,
	listRows,
	productRows,
	repeatedRows,
	type Row,
	type Rows,
	withoutRows,
	zipRows,
} from './rows.js';
import { type Drawn, MAX_SOBOL, sampleRows } from './samples.js';
import { parseTable } from './table.js';

/** Most jobs of a sweep that does not say that it is meant to be big. */
export const USUAL_MOST = 100_000;
/** Rows that `exclude` looks at. */
const MOST_EXAMINED = 5_000_000;

/** Where a sweep stands: its folder, and how to say that something at an offset is wrong. */
export interface SweepPlace {
	readonly folder: string;
	readonly problem: (at: number, message: string, remedy?: string) => BoincError;
}

/** The rows of a checked `sweep`. Reads its tables and looks for its files. Rejects with `job-file-invalid` naming the place. */
export async function readSweep(node: YamlNode, place: SweepPlace): Promise<Rows> {
	const rows = await new SweepReader(place).rows(node);
	const most = number(node, 'most') ?? USUAL_MOST;
	if (rows.count > most) {
		throw place.problem(
			node.start,
			`The sweep would make ${rows.count.toLocaleString('en')} jobs, and ${most.toLocaleString('en')} is the most.`,
			`Make it smaller, or write most: ${Math.min(rows.count, 1_000_000)} if so many are meant; one batch takes 1,000,000.`,
		);
	}
	if (rows.count === 0) {
		throw place.problem(node.start, 'The sweep makes no jobs.', 'Give it values, or leave less out.');
	}
	return rows;
}

class SweepReader {
	readonly #place: SweepPlace;

	constructor(place: SweepPlace) {
		this.#place = place;
	}

	async rows(node: YamlNode): Promise<Rows> {
		const kind = SWEEP_KINDS.find((name) => isGiven(valueOf(node, name)));
		const value = kind && valueOf(node, kind);
		if (!value) {
			throw this.#place.problem(node.start, `The sweep needs one of ${SWEEP_KINDS.join(', ')}.`);
		}
		let rows = await this.#made(kind, value);
		this.#uniqueNames(rows, value);
		rows = this.#edited(rows, node);
		const repeat = number(node, 'repeat') ?? 1;
		return repeat === 1 ? rows : repeatedRows(rows, repeat);
	}

	#made(kind: SweepKind, value: YamlNode): Rows | Promise<Rows> {
		switch (kind) {
			case 'grid':
				return gridRows(this.#axes(value));
			case 'list':
				return this.#list(value);
			case 'table':
				return this.#table(value);
			case 'glob':
				return this.#files(value);
			case 'random':
			case 'sobol':
			case 'latin':
				return this.#sample(kind, value);
			case 'zip':
				return this.#zip(value);
			case 'product':
				return this.#parts(value).then(productRows);
		}
	}

	async #parts(value: YamlNode): Promise<Rows[]> {
		const parts: Rows[] = [];
		for (const item of value.kind === 'list' ? value.items : []) {
			parts.push(await this.rows(item));
		}
		return parts;
	}

	async #zip(value: YamlNode): Promise<Rows> {
		const parts = await this.#parts(value);
		const [first] = parts;
		const other = parts.findIndex(({ count }) => count !== first?.count);
		if (other !== -1) {
			throw this.#place.problem(
				value.start,
				`zip: the first sweep has ${first?.count ?? 0} rows, and number ${other + 1} has ${parts[other]?.count ?? 0}.`,
				'Give all of them the same number of rows, or use product for all combinations.',
			);
		}
		return zipRows(parts);
	}

	#uniqueNames({ names }: Rows, value: YamlNode): void {
		const twice = names.find((name, index) => names.indexOf(name) !== index);
		if (twice !== undefined) {
			throw this.#place.problem(value.start, `Two parts of the sweep have the parameter ${twice}.`, 'Rename one of them.');
		}
	}

	#edited(rows: Rows, node: YamlNode): Rows {
		const exclude = valueOf(node, 'exclude');
		const include = valueOf(node, 'include');
		let edited = rows;
		if (exclude?.kind === 'list' && exclude.items.length > 0) {
			if (rows.count > MOST_EXAMINED) {
				throw this.#place.problem(
					exclude.start,
					`The sweep has ${rows.count.toLocaleString('en')} rows, too many to look for those to leave out.`,
					'Make it smaller.',
				);
			}
			edited = withoutRows(
				rows,
				exclude.items.map((item) => this.#row(item, rows.names, 'exclude', 'some')),
			);
		}
		if (include?.kind !== 'list') {
			return edited;
		}
		return joinedRows(
			edited,
			listRows(
				rows.names,
				include.items.map((item) => this.#row(item, rows.names, 'include', 'all')),
			),
		);
	}

	#row(item: YamlNode, names: readonly string[], key: string, which: 'all' | 'some'): Row {
		const row = rowOf(item);
		const unknown = [...row.keys()].find((name) => !names.includes(name));
		if (unknown !== undefined) {
			throw this.#place.problem(
				item.start,
				`${key}: there is no parameter ${unknown}; there are ${names.join(', ')}.`,
				'Correct the name.',
			);
		}
		const missing = names.find((name) => !row.has(name));
		if ((which === 'all' && missing !== undefined) || row.size === 0) {
			throw this.#place.problem(item.start, `${key}: the row lacks ${missing ?? 'any parameter'}.`, 'Give a value for it.');
		}
		return row;
	}

	#list(value: YamlNode): Rows {
		const items = value.kind === 'list' ? value.items : [];
		const rows = items.map(rowOf);
		return listRows([...(rows[0]?.keys() ?? [])], rows);
	}

	async #table(value: YamlNode): Promise<Rows> {
		const name = value.kind === 'scalar' ? value.text : '';
		let text: string;
		try {
			text = await readFile(inFolder(this.#place.folder, name), 'utf8');
		} catch (error) {
			throw this.#place.problem(value.start, `The table ${name} cannot be read (${messageOf(error)}).`, 'Check the path.');
		}
		return parseTable(text, name);
	}

	async #files(value: YamlNode): Promise<Rows> {
		const isMap = value.kind === 'map';
		const patterns = isMap ? textsOf(valueOf(value, 'files')) : textsOf(value);
		const as = isMap ? valueOf(value, 'as') : undefined;
		const parameter = as?.kind === 'scalar' ? as.text : 'file';
		const files = await findFiles(this.#place.folder, patterns, isMap ? textsOf(valueOf(value, 'ignore')) : []);
		if (files.length === 0) {
			throw this.#place.problem(
				value.start,
				`No file matches ${patterns.join(', ')}.`,
				'Check the pattern; it starts from the folder of the job file.',
			);
		}
		return {
			names: [parameter, `${parameter}_name`],
			count: files.length,
			at: (index) =>
				new Map([
					[parameter, files[index] ?? ''],
					[`${parameter}_name`, basename(files[index] ?? '')],
				]),
		};
	}

	#sample(kind: 'random' | 'sobol' | 'latin', value: YamlNode): Rows {
		const parameters = valueOf(value, 'parameters');
		const count = number(value, 'count');
		if (parameters?.kind !== 'map' || parameters.pairs.length === 0 || count === undefined) {
			throw this.#place.problem(value.start, `${kind}: count and parameters are needed.`, 'Add what is missing.');
		}
		if (kind === 'sobol' && parameters.pairs.length > MAX_SOBOL) {
			throw this.#place.problem(parameters.start, `sobol: ${MAX_SOBOL} parameters are the most.`, 'Use latin or random.');
		}
		const drawn = new Map<string, Drawn>();
		for (const { key, value: of } of parameters.pairs) {
			const range = this.#range(of, true);
			drawn.set(key.text, range ? { range } : { values: textsOf(of) });
		}
		return sampleRows(kind, count, number(value, 'seed') ?? 0, drawn);
	}

	#axes(value: YamlNode): Map<string, Axis> {
		const axes = new Map<string, Axis>();
		for (const { key, value: of } of value.kind === 'map' ? value.pairs : []) {
			const range = this.#range(of, false);
			const axis = range ? rangeAxis(range) : listAxis(textsOf(of));
			if (axis.count === 0) {
				throw this.#place.problem(key.start, `${key.text}: there are no values.`, 'Give at least one.');
			}
			axes.set(key.text, axis);
		}
		return axes;
	}

	#range(node: YamlNode | undefined, isSample: boolean): Range | undefined {
		if (node?.kind !== 'map') {
			return undefined;
		}
		const [from, to] = [number(node, 'from'), number(node, 'to')];
		const scale = valueOf(node, 'scale');
		const whole = valueOf(node, 'whole');
		if (from === undefined || to === undefined) {
			throw this.#place.problem(node.start, 'A range needs from and to.', 'Add what is missing.');
		}
		const range: Range = {
			from,
			to,
			...given<Pick<Range, 'step' | 'count'>>({ step: number(node, 'step'), count: number(node, 'count') }),
			...(scale?.kind === 'scalar' && scale.text === 'log' && { scale: 'log' }),
			...(whole?.kind === 'scalar' && { whole: whole.value === true }),
		};
		const why = rangeProblem(range, isSample);
		if (why !== undefined) {
			throw this.#place.problem(node.start, `The range has no values: ${why}.`, 'Correct the range.');
		}
		return range;
	}
}

function rowOf(item: YamlNode): Row {
	return new Map(
		item.kind === 'map' ? item.pairs.map(({ key, value }) => [key.text, value?.kind === 'scalar' ? value.text : '']) : [],
	);
}

function number(node: YamlNode, key: string): number | undefined {
	const value = valueOf(node, key);
	return value?.kind === 'scalar' && isGiven(value) ? Number(value.text) : undefined;
}
