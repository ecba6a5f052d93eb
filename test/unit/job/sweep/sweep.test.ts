import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';

import { entriesOf, listOf } from '../../../../src/common/sequence.js';
import { type ExpandedJobs, expandJobFile, rowsOf as everyRow } from '../../../../src/job/expandJobFile.js';
import { parseJobFile } from '../../../../src/job/jobFile.js';
import { patternExpression } from '../../../../src/job/sweep/findFiles.js';
import { labelOf, labelProblem, MAX_LABEL } from '../../../../src/job/sweep/names.js';
import { previewSweep } from '../../../../src/job/sweep/preview.js';
import { parseTable } from '../../../../src/job/sweep/table.js';

let dir: string;
beforeEach(async () => {
	dir = await mkdtemp(path.join(tmpdir(), 'b2d-sweep-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const expand = async (text: string): Promise<ExpandedJobs> => expandJobFile(await parseJobFile(text, dir));
const rowsOf = ({ sweep }: ExpandedJobs): string[] =>
	sweep ? listOf(everyRow(sweep)).map((row) => [...row.values()].slice(0, -2).join(' ')) : [];
async function file(name: string, text = ''): Promise<void> {
	await mkdir(path.dirname(path.join(dir, name)), { recursive: true });
	await writeFile(path.join(dir, name), text);
}

describe('a sweep', () => {
	it('gives each job its parameters as variables, arguments, inputs and name', async () => {
		await file('data/a.csv');
		await file('data/b.csv');
		const expanded = await expand(`
image: x:1
command: [run, "--alpha={{alpha}}", "{{ file_name }}"]
env: { LABEL: "{{alpha}} of {{index}}", FIXED: "1" }
inputs: { in.csv: "{{file}}", common.txt: common.txt }
sweep:
  product: [{ glob: data/*.csv }, { grid: { alpha: [0.10, "it's \\"q\\" \\n é"] } }]
  name: "{{file_name}}-{{index}}"
`);
		const jobs = listOf(expanded.jobs!);
		expect(jobs).toHaveLength(4);
		expect(jobs[3]).toEqual({
			command: ['run', '--alpha=it\'s "q" \n é', 'b.csv'],
			env: {
				...{ LABEL: 'it\'s "q" \n é of 3', file: 'data/b.csv', file_name: 'b.csv' },
				...{ alpha: 'it\'s "q" \n é', B2D_REPETITION: '0', B2D_NAME: 'b-csv-3' },
			},
			inputs: [{ path: 'in.csv', file: path.join(dir, 'data/b.csv'), place: 'boinc2docker.yml, line 5, column 11' }],
			label: 'b-csv-3',
		});
		expect(jobs[0]?.env?.alpha).toBe('0.10');
		expect(expanded.request.inputs).toEqual([
			{ path: 'common.txt', file: path.join(dir, 'common.txt'), place: 'boinc2docker.yml, line 5, column 31' },
		]);
	});

	it('adds, leaves out and repeats rows', async () => {
		const expanded = await expand(`
sweep:
  grid: { a: [1, 2, 3], b: [x, y] }
  exclude: [{ a: 2 }, { a: 3.0, b: y }]
  include: [{ a: 9, b: z }]
  repeat: 2
`);
		expect(rowsOf(expanded)).toEqual(['1 x', '1 x', '1 y', '1 y', '3 x', '3 x', '9 z', '9 z'].map((row) => row));
		expect(listOf(expanded.jobs!).map(({ env }) => env?.B2D_REPETITION)).toEqual(['0', '1', '0', '1', '0', '1', '0', '1']);
	});

	it('reads tables and zips them with files', async () => {
		await file('p.tsv', 'alpha\tname_of\n0.1\t"two\twords"\n0.2\tb\n');
		await file('p.json', '[{"k": 1}, {"k": true}]');
		const expanded = await expand('sweep: { zip: [{ table: p.tsv }, { table: p.json }] }');
		expect(rowsOf(expanded)).toEqual(['0.1 two\twords 1', '0.2 b true']);
	});

	it('of a million jobs is expanded one by one', async () => {
		const expanded = await expand(
			'sweep: { grid: { a: { from: 1, to: 1000, step: 1 }, b: { from: 1, to: 1000, step: 1 } }, most: 1000000 }',
		);
		expect(expanded.sweep?.count).toBe(1_000_000);
		global.gc?.();
		const before = process.memoryUsage().heapUsed;
		let count = 0;
		let most = 0;
		for (const [, { env }] of entriesOf(expanded.jobs!)) {
			count += env === undefined ? 0 : 1;
			if (count % 100_000 === 0) {
				most = Math.max(most, process.memoryUsage().heapUsed - before);
			}
		}
		expect(count).toBe(1_000_000);
		expect(most).toBeLessThan(200e6);
	}, 60_000);

	test.each([
		[
			'sweep: { grid: { a: { from: 1, to: 400, step: 1 }, b: { from: 1, to: 400, step: 1 } } }',
			8,
			'160,000 jobs, and 100,000 is the most',
		],
		['sweep: { zip: [{ grid: { a: [1, 2] } }, { grid: { b: [1] } }] }', 15, 'the first sweep has 2 rows, and number 2 has 1'],
		['sweep: { product: [{ grid: { a: [1] } }, { grid: { a: [1] } }] }', 19, 'Two parts of the sweep have the parameter a'],
		['sweep: { grid: { a: [1] }, exclude: [{ b: 1 }] }', 38, 'there is no parameter b'],
		['sweep: { grid: { a: [1], b: [2] }, include: [{ a: 1 }] }', 46, 'the row lacks b'],
		['sweep: { grid: { a: [1] }, exclude: [{ a: 1 }] }', 8, 'makes no jobs'],
		['sweep: { grid: { a: { from: 1, to: 0, step: 1 } } }', 21, 'its end is below its start'],
		['sweep: { grid: { a: { from: 1 } } }', 21, 'needs from and to'],
		['sweep: { table: gone.csv }', 17, 'cannot be read'],
		['sweep: { glob: "*.gone" }', 16, 'No file matches'],
		['sweep: { random: { count: 3 } }', 18, 'count and parameters are needed'],
		['sweep: { grid: { a: [1, 2] }, name: same }', 37, 'rows 0 and 1 would both be named “same”'],
		['sweep: { grid: { a: [1] }, name: my-upload }', 34, '“upload”'],
		['sweep: { grid: { a: ["?"] }, name: "{{a}}" }', 36, 'no letter or digit'],
		[`sweep: { grid: { a: [1] }, name: ${'x'.repeat(61)} }`, 34, '61 characters'],
		['sweep: &s { zip: [*s] }', 19, 'stands inside of what it stands for'],
		['inputs: ["*.gone"]', 10, 'No file matches'],
		['inputs: [run.sh, { file: other/run.sh }]', 18, 'Two inputs have the path run.sh'],
	])('%s is refused at its place', async (text, column, words) => {
		const refused = expect(expand(text)).rejects;
		await refused.toMatchObject({
			code: 'job-file-invalid',
			detail: { line: 1, column },
			message: expect.stringContaining(words),
		});
	});

	it('a table’s unknown parameter is refused once the table is read', async () => {
		await file('p.csv', 'a\n1\n');
		await expect(expand('command: "run {{b}}"\nsweep: { table: p.csv }')).rejects.toThrow('There is no parameter b; there are a');
	});

	it('is previewed without being expanded', async () => {
		const { sweep } = await expand('sweep: { grid: { a: { from: 0, to: 99999, step: 1 } } }');
		const preview = previewSweep(sweep!);
		expect(preview.count).toBe(100_000);
		const shown = preview.rows.map(({ index }) => index);
		expect(shown.slice(0, 5)).toEqual([0, 1, 2, 3, 4]);
		expect(shown.slice(-5)).toEqual([99_995, 99_996, 99_997, 99_998, 99_999]);
		expect(shown.length).toBeGreaterThan(12);
		expect(preview.tableBytes).toBeGreaterThan(100_000 * 24);
	});
});

describe('a table', () => {
	test.each([
		['a,b\n1,2\n3', 'p.csv', 3, 'The line has 1 field, and the first one has 2'],
		['a,b\n1,2,3', 'p.csv', 2, '3 fields'],
		['a,b\n"1,2', 'p.csv', 2, 'not closed'],
		['a,b\n"1"x,2', 'p.csv', 2, 'where a field ends'],
		['a,a\n1,2', 'p.csv', 1, 'Two columns'],
		['a b\n1', 'p.csv', 1, 'cannot be the name'],
		['', 'p.csv', 1, 'empty'],
		['a\n1\0', 'p.csv', 2, 'NUL'],
		['{}', 'p.json', 1, 'list of objects'],
		['[{"a":1},{"b":1}]', 'p.json', 1, 'Entry 2 has other parameters'],
		['[{"a":[1]}]', 'p.json', 1, 'Entry 1, a'],
		['[', 'p.json', 1, 'not JSON'],
	])('%j is refused at its line', (text, name, line, words) => {
		expect(() => parseTable(text, name)).toThrow(
			expect.objectContaining({
				code: 'job-file-invalid',
				detail: { file: name, line },
				message: expect.stringContaining(words),
			}),
		);
	});

	test('property: what is written as CSV is read back', () => {
		const value = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\0', ''));
		fc.assert(
			fc.property(fc.array(fc.tuple(value, value), { minLength: 1 }), (records) => {
				const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
				const text = `a,b\r\n${records.map((record) => record.map(quoted).join(',')).join('\r\n')}`;
				const rows = parseTable(text, 'x.csv');
				expect(Array.from({ length: rows.count }, (_, index) => [...rows.at(index).values()])).toEqual(records);
			}),
		);
	});
});

test('property: labels are legal parts of names of jobs, or refused', () => {
	fc.assert(
		fc.property(fc.string(), (value) => {
			const label = labelOf('n{{a}}', new Map([['a', value]]));
			if (labelProblem(label) === undefined) {
				expect(label).toMatch(new RegExp(`^[A-Za-z0-9_-]{1,${MAX_LABEL}}$`));
				expect(label).not.toMatch(/nodelete|upload|download/i);
			}
		}),
	);
});

test.each([
	['data/*.csv', ['data/a.csv'], ['data/x/a.csv', 'data/a.csv2', 'data/']],
	['**/*.csv', ['a.csv', 'x/y/a.csv'], ['a.txt']],
	['x/**', ['x/a', 'x/y/z'], ['y/a']],
	['a?.[t]', ['ab.[t]'], ['a/.[t]', 'ab.t']],
])('the pattern %s', (pattern, matching, others) => {
	const expression = patternExpression(pattern);
	expect(matching.filter((name) => !expression.test(name))).toEqual([]);
	expect(others.filter((name) => expression.test(name))).toEqual([]);
});

test('inputs of a folder keep their paths, without what is ignored', async () => {
	await file('in/a.txt');
	await file('in/deep/b.txt');
	await file('in/c.tmp');
	const { request } = await expand('inputs: [{ folder: in, path: data, ignore: ["**/*.tmp"] }, "in/*.txt"]');
	expect(request.inputs).toEqual([
		{ path: 'data/a.txt', file: path.join(dir, 'in/a.txt') },
		{ path: 'data/deep/b.txt', file: path.join(dir, 'in/deep/b.txt') },
		{ path: 'a.txt', file: path.join(dir, 'in/a.txt') },
	]);
});
