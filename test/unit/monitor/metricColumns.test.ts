import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { metricColumns } from '../../../src/monitor/batchPage/metricColumns.js';

let folder: string;
const RECORD = '.boinc2docker.jsonl';
const line = (job: string, ...rows: object[]): string =>
	`${JSON.stringify({ job, size: 1, modified: 1, folder: job, rows: rows.map((row) => ({ exitCode: 0, seconds: 1, ...row })) })}\n`;

beforeEach(async () => {
	folder = await mkdtemp(path.join(os.tmpdir(), 'b2d-metrics-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('shows the figures of fetched results, the last line of a table, and those that come later', async () => {
	await writeFile(
		path.join(folder, RECORD),
		`{"batch":7}\n${line('a', { loss: 0.5 })}${line('b', { loss: 3 }, { loss: 2, n: 'x' })}`,
	);
	const source = metricColumns(() => Promise.resolve(folder), 7);
	expect(await source.columns()).toEqual(['loss', 'n']);
	const jobs = ['a', 'b', 'c'].map((name, id) => ({ id, name }));
	expect([...(await source.values(jobs)).values()]).toEqual([{ loss: '0.5' }, { loss: '2', n: 'x' }, {}]);
	await appendFile(path.join(folder, RECORD), line('c', { gain: 9 }));
	expect(await source.columns()).toEqual(['loss', 'n', 'gain']);
	expect((await source.values(jobs)).get(2)).toEqual({ gain: '9' });
});

it('says nothing without a folder, and of the folder of another batch', async () => {
	expect(await metricColumns(() => Promise.resolve(undefined), 7).columns()).toEqual([]);
	expect(await metricColumns(() => Promise.resolve(path.join(folder, 'none')), 7).columns()).toEqual([]);
	await writeFile(path.join(folder, RECORD), `{"batch":8}\n${line('a', { loss: 0.5 })}`);
	const source = metricColumns(() => Promise.resolve(folder), 7);
	expect(await source.columns()).toEqual([]);
	expect((await source.values([{ id: 1, name: 'a' }])).get(1)).toEqual({});
});
