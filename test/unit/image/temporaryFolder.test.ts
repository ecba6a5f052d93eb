import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { temporaryFolder } from '../../../src/image/temporaryFolder.js';

let parent: string;

beforeEach(async () => {
	parent = await mkdtemp(path.join(tmpdir(), 'b2d-parent-'));
});
afterEach(() => rm(parent, { recursive: true, force: true }));

it('removes what a killed run left, and nothing that is in use or not ours', async () => {
	const mine = await temporaryFolder(parent);
	const { pid } = spawnSync('true');
	const dead = mine.replace(`-${String(process.pid)}-`, `-${String(pid)}-`);
	await mkdir(dead);
	await writeFile(path.join(dead, 'pack'), 'x');
	const kept = [path.basename(mine), `b2d-image-elsewhere-${String(pid)}-abcdef`, 'b2d-image-x', `${path.basename(dead)}.old`];
	await Promise.all(kept.slice(1).map((name) => mkdir(path.join(parent, name))));

	const next = path.basename(await temporaryFolder(parent));

	expect((await readdir(parent)).sort()).toEqual([...kept, next].sort());
});
