import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, expect, it } from 'vitest';

import { mapped } from '../../../src/common/sequence.js';
import { handedOver, takenOver } from '../../../src/job/handOver.js';
import { planBatch } from '../../../src/job/planBatch.js';
import { CONFIG, input, sampleBatch } from './sampleBatch.js';

let dir: string;
beforeAll(async () => {
	dir = await mkdtemp(path.join(tmpdir(), 'b2d-hand-over-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

it('a submission that is handed over is the same submission there', async () => {
	const jobs = mapped({ length: 2500, at: (index: number) => index }, (index) => ({
		command: ['run', String(index), 'ünïcode\n'],
		env: { INDEX: String(index) },
		inputs: [input('own.txt', `content ${String(index % 3)}`)],
		label: `j${String(index)}`,
	}));
	const spec = sampleBatch({ jobs, inputs: [input('in.csv')], boinc: { keywords: [1, 2] } });
	const file = path.join(dir, 'spec');
	await writeFile(file, handedOver(spec));
	const there = await takenOver(file);
	expect(there.jobs.length).toBe(2500);
	expect(there.jobs.at(2500)).toBeUndefined();
	const [here, elsewhere] = [planBatch(spec, CONFIG), planBatch(there, CONFIG)];
	expect(elsewhere.digest).toBe(here.digest);
	expect(elsewhere.input).toEqual(here.input);
	expect(elsewhere.jobFiles.map(({ name, content }) => [name, content.md5])).toEqual(
		here.jobFiles.map(({ name, content }) => [name, content.md5]),
	);
	// What is not on the server any more cannot come from there.
	expect(() => elsewhere.jobFiles[0]!.content.open(0)).toThrow(/not on the server any more/);
});

it.each([
	['nothing', ''],
	['a file of another form', '{"form":2,"jobs":0,"shared":{}}\n'],
	['a file that was cut off', '{"form":1,"jobs":2,"shared":{}}\n{}\n{"com'],
])('%s is refused', async (_, text) => {
	const file = path.join(dir, 'bad');
	await writeFile(file, text);
	await expect(takenOver(file)).rejects.toMatchObject({ code: 'job-file-invalid' });
});
