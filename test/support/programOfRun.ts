import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { buildSandboxProgram, PROGRAM_OF_RUN } from './sandbox.js';

/** For vitest: the sandbox's programs are built once for all processes of a run, and removed at its end. */
export async function setup(): Promise<() => Promise<void>> {
	const dir = await mkdtemp(path.join(tmpdir(), 'b2d-program-'));
	await buildSandboxProgram(dir);
	process.env[PROGRAM_OF_RUN] = dir;
	return () => rm(dir, { recursive: true, force: true });
}
