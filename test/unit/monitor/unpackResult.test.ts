import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { BoincError } from '../../../src/common/errors.js';
import { refusal, unpackResult } from '../../../src/monitor/unpackResult.js';

let folder: string;
beforeEach(async () => {
	folder = await mkdtemp(path.join(tmpdir(), 'b2d-unpack-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it.each([
	['out/data.csv', 'File', undefined],
	['out', 'Directory', undefined],
	['/etc/passwd', 'File', 'its path is absolute'],
	['C:\\x', 'File', 'its path is absolute'],
	['a/../../b', 'File', 'its path leads out of the folder'],
	['..\\b', 'File', 'its path leads out of the folder'],
	['link', 'SymbolicLink', 'it is a link'],
	['hard', 'Link', 'it is a link'],
	['tty', 'CharacterDevice', 'it is a device or a pipe'],
])('judges %s (%s)', (name, type, why) => {
	expect(refusal(name, type)).toBe(why);
});

it('writes files and folders and names what it leaves out', async () => {
	const source = path.join(folder, 'source');
	await mkdir(path.join(source, 'deep'), { recursive: true });
	await writeFile(path.join(source, 'deep', 'Ünïcode 😀.txt'), 'hello');
	await writeFile(path.join(folder, 'secret'), 'no');
	await symlink('/etc/passwd', path.join(source, 'link'));
	const archive = path.join(folder, 'r.tgz');
	execFileSync('tar', ['-czPf', archive, '-C', source, 'deep', 'link', '../secret']);
	const target = path.join(folder, 'target');
	const refused = await unpackResult(archive, target);
	expect(refused.sort()).toEqual(['../secret: its path leads out of the folder', 'link: it is a link']);
	expect(await readFile(path.join(target, 'deep', 'Ünïcode 😀.txt'), 'utf8')).toBe('hello');
	expect(await readdir(target)).toEqual(['deep']);
});

it('calls a truncated archive corrupt', async () => {
	const source = path.join(folder, 'data');
	await writeFile(
		source,
		Buffer.alloc(200_000, 'x').map((_, i) => (i * 2654435761) % 251),
	);
	const archive = path.join(folder, 'r.tgz');
	execFileSync('tar', ['-czf', archive, '-C', folder, 'data']);
	await truncate(archive, Math.floor((await stat(archive)).size / 2));
	const error = await unpackResult(archive, path.join(folder, 'target')).catch((e: unknown) => e);
	expect(BoincError.is(error, 'result-corrupt')).toBe(true);
});
