import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { expect, it } from 'vitest';

import { freeFolder } from '../../../src/terminal/commands/runLocal.js';

it('takes the next number for a folder of results that is there already', async () => {
	const dir = await mkdtemp(path.join(tmpdir(), 'b2d-free-'));
	const wanted = path.join(dir, 'local-b2d_0_000000');
	try {
		expect(await freeFolder(wanted)).toBe(wanted);
		await mkdir(wanted);
		expect(await freeFolder(wanted)).toBe(`${wanted}-2`);
		await writeFile(`${wanted}-2`, 'of somebody');
		expect(await freeFolder(wanted)).toBe(`${wanted}-3`);
	} finally {
		await rm(dir, { recursive: true, force: true });
	}
});
