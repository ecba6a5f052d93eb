import { describe, expect, it } from 'vitest';

import { jobWords, parameterTable, parseTable } from '../../../src/job/parameters.js';
import { joinColumns } from '../../../src/monitor/batchPage/columns.js';
import { type ExportRow, exportText } from '../../../src/monitor/batchPage/exportTable.js';
import { histogram } from '../../../src/monitor/batchPage/histogram.js';
import { bucketOf } from '../../../src/monitor/eta/logBuckets.js';

async function* pages(...all: ExportRow[][]): AsyncGenerator<ExportRow[]> {
	for (const page of all) {
		yield await Promise.resolve(page);
	}
}
const textOf = async (format: 'csv' | 'json', ...all: ExportRow[][]): Promise<string> => {
	let text = '';
	for await (const part of exportText(format, ['job', 'value'], pages(...all))) {
		text += part;
	}
	return text;
};

describe('an export', () => {
	it('quotes what CSV needs quoted, and keeps formulas as text', async () => {
		const text = await textOf(
			'csv',
			[{ job: 'a', value: 'x,"y"\nz' }],
			[
				{ job: '=HYPERLINK("http://x")', value: -1.5 },
				{ job: '-2', value: '' },
			],
		);
		expect(text).toBe('job,value\r\na,"x,""y""\nz"\r\n"\'=HYPERLINK(""http://x"")",-1.5\r\n-2,\r\n');
	});

	it('is one JSON array, whatever the pages', async () => {
		expect(JSON.parse(await textOf('json'))).toEqual([]);
		expect(JSON.parse(await textOf('json', [{ job: 'a', value: 1 }], [], [{ job: 'b', value: '</script>' }]))).toEqual([
			{ job: 'a', value: 1 },
			{ job: 'b', value: '</script>' },
		]);
	});
});

describe('a histogram', () => {
	it('has bars that count everything, and quantiles within a bar', () => {
		const buckets = new Map<number, number>();
		for (const seconds of [60, 61, 62, 300, 3600, 7200, 86_400]) {
			buckets.set(bucketOf(seconds), (buckets.get(bucketOf(seconds)) ?? 0) + 1);
		}
		const found = histogram(buckets)!;
		expect(found.counts.reduce((sum, n) => sum + n, 0)).toBe(7);
		expect(found.counts.length).toBeLessThanOrEqual(28);
		expect(found.edges).toHaveLength(found.counts.length + 1);
		expect(found.edges[0]).toBeLessThanOrEqual(60);
		expect(found.edges.at(-1)).toBeGreaterThan(86_400);
		expect(found.median / 300).toBeCloseTo(1, 0);
	});

	it('of nothing is none, and of one value one bar', () => {
		expect(histogram(new Map())).toBeUndefined();
		expect(histogram(new Map([[40, 3]]))?.counts).toEqual([3]);
	});
});

describe('columns', () => {
	it('of several sources stand side by side', async () => {
		const source = (name: string) => ({
			columns: () => Promise.resolve([name]),
			values: () => Promise.resolve(new Map([[1, { [name]: name.toUpperCase() }]])),
		});
		const joined = joinColumns([source('a'), source('b')]);
		expect(await joined.columns()).toEqual(['a', 'b']);
		expect((await joined.values([{ id: 1, name: 'x' }])).get(1)).toEqual({ a: 'A', b: 'B' });
	});

	it('of parameters come from the table as it travels', () => {
		const jobs = [
			{ argv: ['/bin/sh', '', 'a b\n\0'.slice(0, 4), 'ä😀'], env: ['X=1=2', 'Y=*'] },
			{ argv: [], env: [] },
		];
		const table = parameterTable(
			'* M=1',
			jobs.map((job, i) => `b2d_1_${i} ${jobWords(job)}`),
		);
		expect([...parseTable(table)]).toEqual([
			['b2d_1_0', jobs[0]],
			['b2d_1_1', jobs[1]],
		]);
	});
});
