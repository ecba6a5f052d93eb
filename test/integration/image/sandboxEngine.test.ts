import { readdir, readFile } from 'node:fs/promises';

import { afterEach, describe, expect, it } from 'vitest';

import { startEngine } from '../../../src/sandbox/engine.js';
import { startTestEngine, type TestEngine } from '../../support/engines.js';
import { engineRun, makeBusyboxImage } from '../../support/images.js';

let engine: TestEngine | undefined;

afterEach(async () => {
	await engine?.remove();
	engine = undefined;
});

/** Command lines of running processes that mention `text`. */
async function processesWith(text: string): Promise<string[]> {
	const found: string[] = [];
	for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
		const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
		if (line.includes(text)) {
			found.push(line.replaceAll('\0', ' '));
		}
	}
	return found;
}

describe.each(['podman', 'docker'] as const)('an engine of the sandbox (%s)', (kind) => {
	it('builds and runs images of its own and leaves no process and no mount', async () => {
		engine = await startTestEngine(kind);
		await makeBusyboxImage(engine, { tag: 'b2d-hello', lines: ['CMD ["echo", "hello from inside"]'] });
		const { stdout } = await engineRun(engine, ['run', '--rm', '--network', 'none', 'b2d-hello']);
		expect(stdout).toBe('hello from inside\n');

		// A container that ignores SIGTERM must not survive the engine.
		await engineRun(engine, ['run', '--detach', '--network', 'none', 'b2d-hello', 'sleep', '1000']);
		const again = await startEngine({ dir: engine.dir, kind });
		expect(again.env).toEqual(engine.env);
		expect((await engineRun(again, ['ps', '--quiet'])).stdout).not.toBe('');

		await engine.stop();
		expect(await processesWith(engine.dir)).toEqual([]);
		expect(await readFile('/proc/self/mountinfo', 'utf8')).not.toContain(engine.dir);

		const restarted = await startEngine({ dir: engine.dir, kind });
		expect((await engineRun(restarted, ['images'])).stdout).toContain('b2d-hello');
	});
});
