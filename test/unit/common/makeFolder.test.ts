import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, expect, it } from 'vitest';

import { makeFolder } from '../../../src/common/makeFolder.js';

let dir: string;

beforeAll(async () => {
	dir = await mkdtemp(path.join(tmpdir(), 'b2d-folder-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

it('makes a folder and those above it, by several at once', async () => {
	const folder = path.join(dir, 'a/b/c');
	await Promise.all([makeFolder(folder), makeFolder(folder), makeFolder(path.join(dir, 'a/b'))]);
	expect((await stat(folder)).isDirectory()).toBe(true);
	await makeFolder(folder);
});

it.each(['file/below', 'file', '/proc/none/below'])('says why %s cannot be made', async (name) => {
	await writeFile(path.join(dir, 'file'), '');
	const folder = path.resolve(dir, name);
	await expect(makeFolder(folder)).rejects.toMatchObject({
		code: 'file-in-the-way',
		message: expect.stringContaining(`The folder ${folder} cannot be made: `) as string,
		detail: { folder },
	});
});
