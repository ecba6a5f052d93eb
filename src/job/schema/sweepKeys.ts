import { PARAMETER_NAME } from '../sweep/names.js';
import { FLAG, type Key, type Shape, TEXTS, VALUE } from './shape.js';

const NAME_HELP = 'a name of letters, digits and underscores that does not begin with a digit';

const RANGE_KEYS: readonly Key[] = [
	{ name: 'from', shape: { type: 'number' }, doc: 'First value.', example: '0' },
	{ name: 'to', shape: { type: 'number' }, doc: 'Last value; it is included.', example: '1' },
	{ name: 'step', shape: { type: 'number', above: 0 }, doc: 'Distance of the values. Either this or count.', example: '0.1' },
	{
		name: 'count',
		shape: { type: 'whole', least: 1, most: 1_000_000 },
		doc: 'Number of values. Either this or step.',
		example: '11',
	},
	{
		name: 'scale',
		shape: { type: 'choice', of: ['linear', 'log'] },
		doc: 'linear: equal distances. log: equal ratios; both ends must be above 0.',
		default: 'linear',
		example: 'log',
	},
	{ name: 'whole', shape: FLAG, doc: 'Round to whole numbers.', default: 'false', example: 'true' },
];

const RANGE: Shape = { type: 'section', keys: () => RANGE_KEYS };
const VALUES: Shape = {
	type: 'either',
	of: [{ type: 'list', of: VALUE, single: true, least: 1 }, RANGE],
	what: 'a list of values or a range {from, to, step}',
};
const PARAMETERS: Shape = { type: 'pairs', of: VALUES, name: PARAMETER_NAME, help: NAME_HELP };
const ROW: Shape = { type: 'pairs', of: VALUE, name: PARAMETER_NAME, help: NAME_HELP };
const ROWS: Shape = { type: 'list', of: ROW };

const SAMPLE_KEYS: readonly Key[] = [
	{ name: 'count', shape: { type: 'whole', least: 1, most: 1_000_000 }, doc: 'Number of rows.', example: '100' },
	{
		name: 'seed',
		shape: { type: 'whole', least: 0, most: 2 ** 31 - 1 },
		doc: 'Start of the random numbers: the same seed gives the same rows.',
		default: '0',
		example: '1',
	},
	{ name: 'parameters', shape: PARAMETERS, doc: 'A range or a list for each parameter.', example: '{ x: { from: 0, to: 1 } }' },
];
const SAMPLE: Shape = { type: 'section', keys: () => SAMPLE_KEYS };

const FILES_KEYS: readonly Key[] = [
	{ name: 'files', shape: TEXTS, doc: 'Patterns of files: * and ? within a name, ** over folders.', example: 'data/*.csv' },
	{
		name: 'as',
		shape: { type: 'text', pattern: PARAMETER_NAME, help: NAME_HELP },
		doc: 'Parameter that holds the file’s path.',
		default: 'file',
		example: 'file',
	},
	{ name: 'ignore', shape: TEXTS, doc: 'Patterns of files to leave out.', example: '[data/old/**]' },
];

/** Ways to make rows. Exactly one of them stands in a sweep. */
export const SWEEP_KINDS = ['grid', 'list', 'table', 'glob', 'random', 'sobol', 'latin', 'zip', 'product'] as const;
export type SweepKind = (typeof SWEEP_KINDS)[number];

const SWEEP_NODE: Shape = { type: 'section', keys: () => NESTED_KEYS, kinds: SWEEP_KINDS };

const NESTED_KEYS: readonly Key[] = [
	{
		name: 'grid',
		shape: PARAMETERS,
		doc: 'All combinations of the parameters’ values; the last parameter changes fastest.',
		example: '{ alpha: [0.1, 0.2], n: { from: 1, to: 10, step: 1 } }',
	},
	{ name: 'list', shape: ROWS, doc: 'One row for each entry; all have the same parameters.', example: '[{ alpha: 0.1, n: 3 }]' },
	{
		name: 'table',
		shape: { type: 'text', help: 'the path of a CSV, TSV or JSON file' },
		doc: 'One row for each line of a CSV, TSV or JSON file, whose first line names the parameters.',
		trap: 'All lines must have as many fields as the first one.',
		example: 'parameters.csv',
	},
	{
		name: 'glob',
		shape: { type: 'either', of: [TEXTS, { type: 'section', keys: () => FILES_KEYS }], what: 'a pattern of files' },
		doc: 'One row for each file, sorted by path; the parameter file holds the path, for inputs.',
		example: 'data/*.csv',
	},
	{
		name: 'random',
		shape: SAMPLE,
		doc: 'Independent random values.',
		example: '{ count: 100, seed: 1, parameters: { x: { from: 0, to: 1 } } }',
	},
	{
		name: 'sobol',
		shape: SAMPLE,
		doc: 'A Sobol sequence: spreads evenly over up to 21 parameters; best with a count that is a power of two.',
		example: '{ count: 128, seed: 1, parameters: { x: { from: 0, to: 1 } } }',
	},
	{
		name: 'latin',
		shape: SAMPLE,
		doc: 'A Latin hypercube: each parameter’s range is cut into as many slices as there are rows, and each slice is used once.',
		example: '{ count: 100, seed: 1, parameters: { x: { from: 0, to: 1 } } }',
	},
	{
		name: 'zip',
		shape: { type: 'list', of: SWEEP_NODE, least: 1 },
		doc: 'Several sweeps side by side: first row with first row, and so on. All have the same number of rows.',
		example: '[{ glob: "*.csv" }, { table: p.csv }]',
	},
	{
		name: 'product',
		shape: { type: 'list', of: SWEEP_NODE, least: 1 },
		doc: 'All combinations of the rows of several sweeps; the last one changes fastest.',
		example: '[{ glob: "*.csv" }, { grid: { k: [1, 2] } }]',
	},
	{ name: 'include', shape: ROWS, doc: 'Rows to add at the end.', example: '[{ alpha: 0.5, n: 1 }]' },
	{ name: 'exclude', shape: ROWS, doc: 'Rows to leave out: all that have the given values.', example: '[{ alpha: 0.1 }]' },
	{
		name: 'repeat',
		shape: { type: 'whole', least: 1, most: 1_000_000 },
		doc: 'Jobs for each row; each knows its number, from 0, by the parameter repetition.',
		default: '1',
		example: '3',
	},
];

const TOP_KEYS: readonly Key[] = [
	...NESTED_KEYS,
	{
		name: 'name',
		shape: { type: 'text' },
		doc: 'Name of each job, with {{parameter}} in it. It becomes part of the job’s name on the server and is B2D_NAME in the program.',
		trap: 'Names must differ; {{index}} is the job’s number. Other characters than letters, digits, - and _ become dashes.',
		example: '"a{{alpha}}-n{{n}}"',
	},
	{
		name: 'most',
		shape: { type: 'whole', least: 1, most: 1_000_000 },
		doc: 'Most jobs that the sweep may make; says that a big sweep is meant.',
		default: '100000',
		example: '1000000',
	},
];

/** The value of `sweep`. */
export const SWEEP: Shape = { type: 'section', keys: () => TOP_KEYS, kinds: SWEEP_KINDS };
