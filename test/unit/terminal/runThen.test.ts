import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { expect, it } from 'vitest';

import type { Batch } from '../../../src/monitor/types.js';
import { runThen } from '../../../src/terminal/commands/runThen.js';

const BATCH = { id: 7, state: 'failed' } as Batch;

it('runs the command in the folder of the job file, without a shell, and gives its code', async () => {
	const folder = await realpath(await mkdtemp(path.join(tmpdir(), 'b2d-then-')));
	try {
		const script = `require('fs').writeFileSync('said', JSON.stringify([process.cwd(), process.argv.slice(1),
			process.env.B2D_BATCH, process.env.B2D_STATE, process.env.B2D_RESULTS])); process.exit(3);`;
		const words = [process.execPath, '-e', script, '$HOME', 'a b', ';'];
		expect(await runThen({ words, folder }, BATCH, '/results of 7', 'stderr')).toBe(3);
		const said: unknown = JSON.parse(await readFile(path.join(folder, 'said'), 'utf8'));
		expect(said).toEqual([folder, ['$HOME', 'a b', ';'], '7', 'failed', '/results of 7']);
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
});

it('says which program is not there', async () => {
	await expect(runThen({ words: ['no-such-program'], folder: '.' }, BATCH, undefined, 'stdout')).rejects.toMatchObject({
		code: 'command-not-found',
		message: expect.stringContaining('“no-such-program”') as string,
	});
});
