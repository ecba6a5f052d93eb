import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { checkInput, InputFiles } from '../../../src/job/localInputs.js';

let file: string;
beforeEach(async () => {
	file = path.join(await mkdtemp(path.join(tmpdir(), 'b2d-inputs-')), 'in');
	await writeFile(file, 'first');
});
afterEach(() => rm(path.dirname(file), { recursive: true, force: true }));

async function sent(content: { open(offset: number): AsyncIterable<Uint8Array> }): Promise<string> {
	const chunks: Uint8Array[] = [];
	for await (const chunk of content.open(0)) {
		chunks.push(chunk);
	}
	return Buffer.concat(chunks).toString('utf8');
}

it('is read once for all jobs that have it, and known afterwards', async () => {
	const files = new InputFiles();
	const inputs = [
		{ path: 'a', file },
		{ path: 'b', file },
	];
	const [a, b] = await files.all(inputs);
	expect(a?.file).toBe(b?.file);
	expect(files.known(inputs)).toEqual([a, b]);
	expect(await sent(a!.file.content)).toBe('first');
});

it('is refused when it is not there or a folder, and only a folder is told to be packed', async () => {
	await expect(checkInput(file)).resolves.toBeUndefined();
	const folder = path.dirname(file);
	await expect(checkInput(`${file}2`)).rejects.toMatchObject({
		message: `The input ${file}2 does not exist.`,
		remedy: 'Check the path.',
	});
	await expect(checkInput(`${file}2`, 'boinc2docker.yml, line 3, column 9')).rejects.toMatchObject({
		message: `boinc2docker.yml, line 3, column 9: The input ${file}2 does not exist.`,
	});
	await expect(checkInput(folder)).rejects.toMatchObject({
		message: `The input ${folder} is a folder.`,
		remedy: expect.stringContaining('packed') as string,
	});
});

it.each([
	['changed', () => writeFile(file, 'other')],
	['removed', () => rm(file)],
])('%s between reading and sending, it is refused with its name', async (_, change) => {
	const [input] = await new InputFiles().all([{ path: 'a', file }]);
	await change();
	await expect(sent(input!.file.content)).rejects.toMatchObject({
		code: 'input-missing',
		message: expect.stringContaining(file) as string,
		remedy: expect.any(String) as string,
	});
});
