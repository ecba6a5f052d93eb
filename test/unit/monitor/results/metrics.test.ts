import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { formatCsv, parseCsv } from '../../../../src/common/csv.js';
import { metricsTable, readMetrics } from '../../../../src/monitor/results/metrics.js';

let folder: string;
beforeEach(async () => {
	folder = await mkdtemp(path.join(tmpdir(), 'b2d-metrics-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));
const put = (name: string, text: string): Promise<void> => writeFile(path.join(folder, name), text);

it('reads an object with what the runner wrote of the run', async () => {
	await mkdir(path.join(folder, '.b2d'));
	await put('.b2d/job.json', '{"job":"b2d_7_000001","exitCode":0,"seconds":1.5,"peakMemoryBytes":2000000}');
	await put('metrics.json', '\uFEFF{"loss":0.25,"eval":{"top1":0.9,"ok":true,"none":null},"per":[1,2]}');
	expect(readMetrics(folder)).toEqual([
		{
			exitCode: 0,
			seconds: 1.5,
			peakMemoryBytes: 2_000_000,
			loss: 0.25,
			'eval.top1': 0.9,
			'eval.ok': 'true',
			'per.0': 1,
			'per.1': 2,
		},
	]);
});

it('reads a list, and a table', async () => {
	await put('metrics.json', '[{"step":1},{"step":2}]');
	expect(readMetrics(folder)).toEqual([{ step: 1 }, { step: 2 }]);
	await rm(path.join(folder, 'metrics.json'));
	await put('metrics.csv', 'step,note\r\n1,"a, ""b"""\r\n2,-1e3\r\n');
	expect(readMetrics(folder)).toEqual([
		{ step: 1, note: 'a, "b"' },
		{ step: 2, note: -1000 },
	]);
});

it.each([
	['nonsense', () => put('metrics.json', '{"loss":')],
	['a huge file', () => put('metrics.json', `"${'x'.repeat(1 << 20)}"`)],
	['a number', () => put('metrics.json', '5')],
	['a link', () => symlink('/etc/passwd', path.join(folder, 'metrics.csv'))],
	['an empty object', () => put('metrics.json', '{}')],
])('says nothing for %s', async (_, make) => {
	await make();
	expect(readMetrics(folder)).toEqual([{}]);
});

it('keeps names that JavaScript knows as plain names', async () => {
	await put('metrics.json', '{"__proto__":{"x":1},"constructor":2}');
	expect(Object.entries(readMetrics(folder)[0]!)).toEqual([
		['__proto__.x', 1],
		['constructor', 2],
	]);
});

const kept = (job: string, ...rows: Record<string, string | number>[]) => ({ job, size: 1, modified: 1, folder: job, rows });

it('makes one table of all jobs, in which no cell is a formula', () => {
	const text = metricsTable(
		[kept('b', { loss: 1, note: '=HYPERLINK("http://x")' }), kept('a', { loss: -0.5 }, { acc: 2 })],
		new Map([['a', new Map([['N', '3']])]]),
	);
	expect(text).toBe('job,N,loss,acc,note\na,3,-0.5,,\na,3,,2,\nb,,1,,"\'=HYPERLINK(""http://x"")"\n');
});

it('gives a figure with the name of a parameter another name', () => {
	const told = new Map([['a', new Map([['alpha', '3']])]]);
	expect(metricsTable([kept('a', { alpha: 0.5, 'metric alpha': 1, job: 'x' })], told)).toBe(
		'job,alpha,metric alpha,metric metric alpha,metric job\na,3,0.5,1,x\n',
	);
});

it('reads what it wrote', () => {
	const rows = [
		['a', 'b,c', 'd"e'],
		['', '1', 'line\nbreak'],
	];
	expect(parseCsv(formatCsv(rows))).toEqual(rows);
	expect(formatCsv([['-5', '+x', '@a', '-x', '1e5']])).toBe("-5,'+x,'@a,'-x,1e5\n");
});
