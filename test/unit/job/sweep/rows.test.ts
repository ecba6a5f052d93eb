import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';

import { rangeAxis, rangeProblem } from '../../../../src/job/sweep/axes.js';
import { listAxis } from '../../../../src/job/sweep/axes.js';
import {
	gridRows,
	listRows,
	productRows,
	repeatedRows,
	type Row,
	type Rows,
	withoutRows,
	zipRows,
} from '../../../../src/job/sweep/rows.js';
import { type Drawn, MAX_SOBOL, type SampleKind, sampleRows } from '../../../../src/job/sweep/samples.js';

const all = (rows: Rows): Row[] => Array.from({ length: rows.count }, (_, index) => rows.at(index));
const texts = (rows: Rows): string[] => all(rows).map((row) => [...row].map(([name, value]) => `${name}=${value}`).join(' '));
const range = (from: number, to: number) => ({ range: { from, to } });

describe('a grid', () => {
	it('is nested loops, the last parameter innermost', () => {
		const rows = gridRows(
			new Map([
				['a', listAxis(['1', '2'])],
				['b', listAxis(['x', 'y', 'z'])],
			]),
		);
		expect(texts(rows)).toEqual(['a=1 b=x', 'a=1 b=y', 'a=1 b=z', 'a=2 b=x', 'a=2 b=y', 'a=2 b=z']);
	});

	test('property: as many rows as the product, all different, in the order of nested loops', () => {
		fc.assert(
			fc.property(fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 5 }), (sizes) => {
				const axes = new Map(sizes.map((size, k) => [`p${k}`, listAxis(Array.from({ length: size }, (_, v) => String(v)))]));
				const rows = gridRows(axes);
				expect(rows.count).toBe(sizes.reduce((product, size) => product * size, 1));
				const seen = all(rows).map((row) => [...row.values()].join(''));
				expect(new Set(seen).size).toBe(rows.count);
				expect(seen).toEqual([...seen].sort());
			}),
		);
	});

	it('of a billion rows is made without making them', () => {
		const axis = rangeAxis({ from: 1, to: 1000, step: 1 });
		const rows = gridRows(
			new Map([
				['a', axis],
				['b', axis],
				['c', axis],
			]),
		);
		expect(rows.count).toBe(1e9);
		expect([...rows.at(1e9 - 1).values()]).toEqual(['1000', '1000', '1000']);
		expect([...rows.at(1_002_003).values()]).toEqual(['2', '3', '4']);
	});
});

test('property: rows of zip, product, repeat and exclude are those of their parts', () => {
	const part = (name: string) =>
		fc.array(fc.string({ maxLength: 3 }), { minLength: 1, maxLength: 5 }).map((values) =>
			listRows(
				[name],
				values.map((value) => new Map([[name, value]])),
			),
		);
	fc.assert(
		fc.property(part('a'), part('b'), fc.integer({ min: 1, max: 4 }), (a, b, times) => {
			const product = productRows([a, b]);
			expect(all(product)).toEqual(all(a).flatMap((x) => all(b).map((y) => new Map([...x, ...y]))));
			expect(all(zipRows([a, a])).length).toBe(a.count);
			const repeated = repeatedRows(a, times);
			expect(repeated.count).toBe(a.count * times);
			expect(all(repeated).map((row) => row.get('repetition'))).toEqual(
				all(a).flatMap(() => Array.from({ length: times }, (_, k) => String(k))),
			);
			const left = withoutRows(product, [a.at(0)]);
			expect(all(left).some((row) => row.get('a') === a.at(0).get('a'))).toBe(false);
		}),
	);
});

describe('a range', () => {
	test.each([
		[{ from: 0, to: 1, step: 0.1 }, ['0', '0.1', '0.2', '0.3', '0.4', '0.5', '0.6', '0.7', '0.8', '0.9', '1']],
		[{ from: 1, to: 1000, count: 4, scale: 'log' as const }, ['1', '10', '100', '1000']],
		[{ from: -1, to: 1, count: 3 }, ['-1', '0', '1']],
		[{ from: 0, to: 10, count: 4, whole: true }, ['0', '3', '7', '10']],
		[{ from: 1e-7, to: 3e-7, step: 1e-7 }, ['1e-7', '2e-7', '3e-7']],
		[{ from: 5, to: 5, count: 1 }, ['5']],
	])('%j', (spec, values) => {
		expect(rangeProblem(spec, false)).toBeUndefined();
		const axis = rangeAxis(spec);
		expect(Array.from({ length: axis.count }, (_, index) => axis.at(index))).toEqual(values);
	});

	test.each([
		[{ from: 1, to: 0, step: 1 }, false, 'below'],
		[{ from: 0, to: 1 }, false, 'either step or count'],
		[{ from: 0, to: 1, step: 1, count: 2 }, false, 'of step and count only one'],
		[{ from: 0, to: 1, count: 2, scale: 'log' as const }, false, 'above 0'],
		[{ from: 1, to: 2, count: 1 }, false, 'both ends'],
		[{ from: 0, to: 1, step: 0.1 }, true, 'no meaning'],
		[{ from: 1, to: 0 }, true, 'below'],
	])('%j, drawn from: %s, has no values', (spec, isSample, why) => {
		expect(rangeProblem(spec, isSample)).toMatch(why);
	});
});

describe('samples', () => {
	const slices = (rows: Rows, name: string): number[] =>
		all(rows).map((row) => Math.min(rows.count - 1, Math.floor(Number(row.get(name)) * rows.count + 1e-9)));
	const distinct = (values: readonly number[]): number => new Set(values).size;

	test.each<SampleKind>(['random', 'sobol', 'latin'])('%s: the same seed gives the same rows, another seed others', (kind) => {
		const rows = (seed: number): string[] => texts(sampleRows(kind, 16, seed, new Map([['x', range(0, 1)]])));
		expect(rows(1)).toEqual(rows(1));
		expect(rows(1)).not.toEqual(rows(2));
		for (const row of all(
			sampleRows(
				kind,
				64,
				3,
				new Map<string, Drawn>([
					['x', range(-5, 7)],
					['c', { values: ['a', 'b'] }],
				]),
			),
		)) {
			expect(Number(row.get('x'))).toBeGreaterThanOrEqual(-5);
			expect(Number(row.get('x'))).toBeLessThanOrEqual(7);
			expect(['a', 'b']).toContain(row.get('c'));
		}
	});

	test('property: a Latin hypercube uses each slice of each parameter once', () => {
		fc.assert(
			fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 0, max: 1000 }), (count, seed) => {
				const rows = sampleRows(
					'latin',
					count,
					seed,
					new Map([
						['x', range(0, 1)],
						['y', range(0, 1)],
					]),
				);
				expect(distinct(slices(rows, 'x'))).toBe(count);
				expect(distinct(slices(rows, 'y'))).toBe(count);
			}),
		);
	});

	it.each([0, 7])('a Sobol sequence with seed %i has one point in each slice of each of its parameters', (seed) => {
		const names = Array.from({ length: MAX_SOBOL }, (_, k) => `p${k}`);
		const rows = sampleRows('sobol', 256, seed, new Map(names.map((name) => [name, range(0, 1)])));
		for (const name of names) {
			expect(distinct(slices(rows, name))).toBe(256);
		}
		// No two parameters repeat each other.
		const columns = names.map((name) =>
			all(rows)
				.map((row) => row.get(name))
				.join(' '),
		);
		expect(new Set(columns).size).toBe(MAX_SOBOL);
		// The first two fill each of 16 x 16 squares once.
		const squares = all(rows).map((row) => Math.floor(Number(row.get('p0')) * 16) * 16 + Math.floor(Number(row.get('p1')) * 16));
		expect(distinct(squares)).toBe(256);
	});

	it('the first points of a Sobol sequence are the known ones', () => {
		const rows = sampleRows(
			'sobol',
			4,
			0,
			new Map([
				['x', range(0, 1)],
				['y', range(0, 1)],
				['z', range(0, 1)],
			]),
		);
		expect(texts(rows)).toEqual(['x=0 y=0 z=0', 'x=0.5 y=0.5 z=0.5', 'x=0.75 y=0.25 z=0.25', 'x=0.25 y=0.75 z=0.75']);
	});
});
