import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { expect, it } from 'vitest';

import { quietContext } from '../../../src/common/ports.js';
import type { Engine, EngineAnswer } from '../../../src/image/engine.js';
import { jobToml } from '../../../src/job/jobToml.js';
import { enginePlan } from '../../../src/job/localRun/enginePlan.js';
import { runSlot } from '../../../src/job/localRun/runSlot.js';
import { runnerScript } from '../../../src/job/runner.js';

it('a container that the engine cannot start has no exit code of its own, and is removed', async () => {
	const dir = await mkdtemp(path.join(tmpdir(), 'b2d-slot-'));
	const asked: string[] = [];
	const answers: Partial<Record<string, EngineAnswer>> = { start: { code: 126, output: 'runc: operation not permitted\n' } };
	const engine: Pick<Engine, 'command' | 'imageId' | 'call'> = {
		command: 'podman',
		imageId: () => Promise.resolve('c0ffee'),
		call: ([verb = ''], _ctx, onOutput) => {
			asked.push(verb);
			const answer = answers[verb] ?? { code: 0, output: '0\n' };
			onOutput?.(Buffer.from(answer.output));
			return Promise.resolve(answer);
		},
	};
	try {
		await writeFile(path.join(dir, 'runner'), runnerScript);
		const plan = enginePlan(jobToml('boinc__b2d_c0ffee', { network: 'none' }));
		const slot = { dir, job: 'b2d_0_000000', plan, diskBytes: 1e9, fetchImage: () => Promise.resolve() };
		await expect(runSlot(slot, engine as Engine, () => undefined, quietContext())).rejects.toMatchObject({
			code: 'engine-failed',
			message: 'podman could not start the container: runc: operation not permitted',
		});
		expect(asked).toEqual(['create', 'start', 'inspect', 'rm']);
	} finally {
		await rm(dir, { recursive: true, force: true });
	}
});
