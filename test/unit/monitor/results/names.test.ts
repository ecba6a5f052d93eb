import { expect, it } from 'vitest';

import type { JobParameters } from '../../../../src/job/parameters.js';
import { folderName, parameterColumns, parameterNames } from '../../../../src/monitor/results/batchNames.js';

const jobs = (...told: (readonly [env: readonly string[], argv?: readonly string[]])[]): Map<string, JobParameters> =>
	new Map(told.map(([env, argv = ['/run']], at) => [`b2d_7_00000${String(at)}`, { env, argv }]));
const namesOf = (...told: Parameters<typeof jobs>): string[] => [...parameterNames(jobs(...told)).values()];

it.each([
	['My sweep', 'My-sweep-7'],
	['../../etc', 'etc-7'],
	['日本', 'batch-7'],
	['a=b,c', 'a-b-c-7'],
	['x'.repeat(99), `${'x'.repeat(60)}-7`],
])('names the folder of the batch %j', (name, folder) => {
	expect(folderName({ id: 7, name })).toBe(folder);
});

it('names jobs by the variables and words that differ', () => {
	expect(namesOf([['A=1', 'B=x']], [['A=2', 'B=x']])).toEqual(['A=1', 'A=2']);
	expect(namesOf([[], ['/run', '--n', '1', 'same']], [[], ['/run', '--n', '2', 'same']])).toEqual(['1', '2']);
	expect(namesOf([['A=1', 'B=1']], [['A=1', 'B=2']], [['A=2', 'B=1']])).toEqual(['A=1,B=1', 'A=1,B=2', 'A=2,B=1']);
	expect(namesOf([['A=1']], [[]])).toEqual(['A=1']);
});

it('leaves out words of the command that repeat a variable', () => {
	const sweep = ['0.1', '0.2'].flatMap((alpha) =>
		['1', '2'].map(
			(n) =>
				[
					[`alpha=${alpha}`, `n=${n}`],
					['/run', '--alpha', alpha, `--n=${n}`],
				] as const,
		),
	);
	expect(namesOf(...sweep)).toEqual(['alpha=0.1,n=1', 'alpha=0.1,n=2', 'alpha=0.2,n=1', 'alpha=0.2,n=2']);
	expect([...(parameterColumns(jobs(...sweep)).get('b2d_7_000003') ?? [])]).toEqual([
		['alpha', '0.2'],
		['n', '2'],
	]);
	// Only where it does so in all jobs, and in the same manner.
	expect(namesOf([['A=1'], ['/run', '1']], [['A=2'], ['/run', '3']])).toEqual(['A=1,1', 'A=2,3']);
	expect(namesOf([['A=1'], ['/run', 'x1']], [['A=2'], ['/run', 'y2']])).toEqual(['A=1,x1', 'A=2,y2']);
	expect(namesOf([['A=1'], ['/run', '1']], [['A=1'], ['/run', '2']])).toEqual(['1', '2']);
});

it('makes names legal and different', () => {
	expect(namesOf([['F=../../x y']], [['F=a/b:c']])).toEqual(['F=..-..-x-y', 'F=a-b-c']);
	expect(namesOf([['F=x:']], [['F=X?']])).toEqual(['F=x-000000', 'F=X-000001']);
	expect(namesOf([['A=1']], [['A=1']], [['A=2']])).toEqual(['A=1-000000', 'A=1-000001', 'A=2']);
});

it('leaves jobs alone that nothing tells apart', () => {
	expect(namesOf([['A=1']])).toEqual([]);
	expect(namesOf([['A=1']], [['A=1']])).toEqual([]);
	expect(namesOf([['B2D_INDEX=0', 'B2D_COUNT=2']], [['B2D_INDEX=1', 'B2D_COUNT=2']])).toEqual([]);
});

it('gives the values that differ for a table', () => {
	const columns = parameterColumns(
		jobs(
			[
				['A=1', 'B=x'],
				['/run', '5'],
			],
			[
				['A=2', 'B=x'],
				['/run', '6'],
			],
		),
	);
	expect([...columns.values()].map((row) => Object.fromEntries(row))).toEqual([
		{ A: '1', 'argument 1': '5' },
		{ A: '2', 'argument 1': '6' },
	]);
});
