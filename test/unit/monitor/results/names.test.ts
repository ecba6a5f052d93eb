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

it('names jobs whose command is a script by what differs in it, not by all of it', () => {
	const script = (text: string): readonly [string[], string[]] => [[], ['/bin/sh', '-c', text]];
	const told = ['0.1', '0.2'].flatMap((alpha) =>
		['1', '20'].map((n) => script(`cd /data && ./train --alpha ${alpha} -n=${n}\n  >out.txt`)),
	);
	expect(namesOf(...told)).toEqual(['0.1,-n=1', '0.1,-n=20', '0.2,-n=1', '0.2,-n=20']);
	expect([...(parameterColumns(jobs(...told)).get('b2d_7_000001') ?? [])]).toEqual([
		['argument 2.5 --alpha', '0.1'],
		['argument 2.6', '-n=20'],
	]);
	expect(namesOf(script('echo a b >out'), script('echo c >out'), script('echo >out'))).toEqual(['a-b', 'c']);
	// With variables that the script repeats, more than one in it or more than once.
	const sweep = ['1', '2'].map(
		(n) =>
			[
				[`a=${n}`, `b=x${n}`],
				['sh', '-c', `echo ${n} >x${n}; echo ${n}`],
			] as const,
	);
	expect(namesOf(...sweep)).toEqual(['a=1,b=x1', 'a=2,b=x2']);
	const half = [['/bin/sh', '-c', 'echo 1'], ['/bin/true']].map((argv) => [[], argv] as const);
	expect(namesOf(...half)).toEqual(['bin-sh,-c,echo-1', 'bin-true']);
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
