import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, it, test } from 'vitest';

import { describeJobs } from '../../../src/job/describeJobs.js';
import { jobName } from '../../../src/job/names.js';
import { isJobFile, previewJson, previewOf, readJobFile, withOptions } from '../../../src/terminal/commands/jobFile.js';

let file: string;
beforeEach(async () => {
	file = path.join(await mkdtemp(path.join(tmpdir(), 'b2d-file-')), 'boinc2docker.yml');
});
afterEach(() => rm(path.dirname(file), { recursive: true, force: true }));

const TEXT = `image: alpine:3.20
app: pi
env: { A: "1", B: "2" }
resources: { memory: 1 GB, time: 10 min }
sweep: { grid: { k: [1, 2, 3] }, name: "k{{k}}" }
`;

it('becomes a request with a job for each row, and options win', async () => {
	await writeFile(file, TEXT);
	const jobs = await readJobFile(file);
	expect(jobs.image).toEqual({ kind: 'reference', reference: 'alpine:3.20' });
	const request = withOptions(jobs, { env: { B: '3' }, resources: { memoryBytes: 5e8 }, command: ['x'] }, 'other');
	expect(request).toMatchObject({ app: 'other', env: { A: '1', B: '3' }, resources: { memoryBytes: 5e8, expectedSeconds: 600 } });
	expect(request.jobs).toHaveLength(3);
	expect(request.jobs?.at(2)).toEqual({
		command: ['x'],
		label: 'k3',
		env: { B: '3', k: '3', B2D_REPETITION: '0', B2D_NAME: 'k3' },
	});
	expect(() => withOptions(jobs, { count: 2 }, undefined)).toThrow(expect.objectContaining({ code: 'usage' }));
});

it('is previewed as rows and a sentence', async () => {
	await writeFile(file, TEXT);
	const jobs = await readJobFile(file);
	expect(describeJobs(jobs)).toEqual({
		rows: {
			heading: ['row', 'k'],
			cells: [
				[0, '1'],
				[1, '2'],
				[2, '3'],
			],
		},
		summary: expect.stringMatching(/^3 jobs, about \d+ B of parameters, 30 min of computing in all\.$/) as string,
	});
	expect(previewJson(jobs)).toMatchObject({
		count: 3,
		names: ['k'],
		rows: [
			{ index: 0, k: '1' },
			{ index: 1, k: '2' },
			{ index: 2, k: '3' },
		],
	});
	await writeFile(file, 'image: a:1\ncount: 7\n');
	expect(describeJobs(await readJobFile(file))).toEqual({
		rows: undefined,
		summary: '7 jobs, 7 h of computing in all if each takes 1 h, for resources.time says nothing.',
	});
	await writeFile(file, 'image: a:1\ncount: 7\nresources: { time: 30 min }\nreplication: { min_quorum: 2 }\n');
	expect(describeJobs(await readJobFile(file)).summary).toBe('7 jobs, 7 h of computing in all.');
});

test.each([
	['count: 1\n', 'job-file-invalid', 'names no image'],
	['image: [', 'job-file-invalid', 'column'],
])('%j is refused', async (text, code, words) => {
	await writeFile(file, text);
	await expect(readJobFile(file)).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
});

it('is previewed with the options, and refused where submitting is', async () => {
	await writeFile(file, 'dockerfile: Dockerfile\ninputs: { data: data.csv }\n');
	const folder = path.dirname(file);
	await writeFile(path.join(folder, 'data.csv'), '');
	await expect(readJobFile(file)).rejects.toMatchObject({
		code: 'input-missing',
		message: `${file}, line 1, column 13: There is no file ${path.join(folder, 'Dockerfile')}.`,
	});
	await writeFile(path.join(folder, 'Dockerfile'), '');
	const jobs = await readJobFile(file);
	expect(previewJson(await previewOf(jobs, { count: 5 }))).toEqual({ count: 5 });
	await rm(path.join(folder, 'data.csv'));
	await expect(previewOf(jobs, {})).rejects.toMatchObject({ code: 'input-missing' });
	await expect(previewOf(jobs, { count: 0 })).rejects.toMatchObject({ code: 'job-invalid' });
	await writeFile(file, TEXT);
	await expect(previewOf(await readJobFile(file), { count: 5 })).rejects.toMatchObject({ code: 'usage' });
});

it('a file that is not there is said', async () => {
	await expect(readJobFile(file)).rejects.toMatchObject({
		code: 'input-missing',
		message: `There is no boinc2docker.yml in ${path.dirname(file)}.`,
		remedy: expect.not.stringContaining('boinc2docker submit') as string,
	});
	await writeFile(path.join(path.dirname(file), 'Dockerfile'), '');
	await expect(readJobFile(file)).rejects.toMatchObject({
		remedy: `For its Dockerfile name the folder: boinc2docker submit ${path.dirname(file)}`,
	});
	expect(['a.yml', 'b/boinc2docker.yaml', 'Dockerfile', 'x.yml.tar'].map(isJobFile)).toEqual([true, true, false, false]);
});

it('a label is a part of the job’s name', () => {
	expect([jobName(7, 3), jobName(7, 3, 'k3')]).toEqual(['b2d_7_000003', 'b2d_7_000003_k3']);
});
