import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { quietContext } from '../../../src/common/ports.js';
import { type Engine, findEngine } from '../../../src/image/engine.js';
import { inspectBySocket } from '../../../src/image/engine/dockerSocket.js';
import { startTestEngine, type TestEngine } from '../../support/engines.js';
import { engineRun, makeBusyboxImage, writeBuildContext } from '../../support/images.js';

/** Processes whose command line holds `text`, in containers too. */
async function processesWith(text: string): Promise<string[]> {
	const found: string[] = [];
	for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
		const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
		if (line.includes(text)) {
			found.push(`${pid} ${line.replaceAll('\0', ' ')}`);
		}
	}
	return found;
}

describe.each(['podman', 'docker'] as const)('%s', (kind) => {
	let sandbox: TestEngine;
	let engine: Engine;
	let dir: string;
	const ctx = quietContext();

	beforeAll(async () => {
		sandbox = await startTestEngine(kind);
		engine = await findEngine(ctx, { command: sandbox.command, env: sandbox.env });
		dir = await mkdtemp(join(tmpdir(), 'b2d-builds-'));
		await makeBusyboxImage(sandbox, { tag: 'b2d-base' });
	});

	afterAll(async () => {
		await sandbox.remove();
		await rm(dir, { recursive: true, force: true });
	});

	async function context(dockerfile: string): Promise<string> {
		const folder = await mkdtemp(join(dir, 'context-'));
		await writeFile(join(folder, 'Dockerfile'), dockerfile);
		return folder;
	}

	it('is recognised, with its version', () => {
		expect(engine.kind).toBe(kind);
		expect(engine.version).toMatch(/^\d+\.\d+/);
	});

	it('is asked for an image by its socket as by its command line, if it has one', async () => {
		const env = { ...process.env, ...sandbox.env };
		const { stdout } = await engineRun(sandbox, ['image', 'inspect', 'b2d-base']);
		const said = await inspectBySocket('b2d-base', env, undefined);
		if (kind === 'docker') {
			expect(JSON.parse(said ?? '')).toEqual(JSON.parse(stdout));
		}
		const described = await engine.describe('b2d-base', ctx);
		const [told] = JSON.parse(stdout) as { RootFS: { Layers: string[] } }[];
		expect(described?.diffIds.map((id) => id.replace(/^sha256:/, ''))).toEqual(
			told?.RootFS.Layers.map((id) => id.replace(/^sha256:/, '')),
		);
		expect(await inspectBySocket('b2d-absent', env, undefined)).toBeUndefined();
		expect(await engine.describe('b2d-absent', ctx)).toBeUndefined();
	});

	it('builds with arguments, stage and name, and streams what it does', async () => {
		const folder = await context(
			'FROM b2d-base AS one\nARG WHAT\nRUN echo "made of $WHAT" > /made && echo progress-line\nFROM one AS two\nRUN false\n',
		);
		const lines: string[] = [];
		const id = await engine.build(
			{
				contextDir: folder,
				dockerfile: 'Dockerfile',
				buildArgs: { WHAT: '"quotes" & $HOME' },
				target: 'one',
				tag: 'b2d-built:1',
				onLog: (line) => lines.push(line),
			},
			ctx,
		);
		expect(id).toMatch(/^[0-9a-f]{64}$/);
		expect(lines.some((line) => line.includes('progress-line'))).toBe(true);
		expect(await engine.imageId('b2d-built:1', ctx)).toBe(id);
		const { stdout } = await engineRun(sandbox, ['run', '--rm', '--network', 'none', 'b2d-built:1', 'cat', '/made']);
		expect(stdout).toBe('made of "quotes" & $HOME\n');
		const listed = (await engine.listImages(ctx)).find((image) => image.id === id);
		expect(listed?.names.map((name) => name.replace(/^localhost\//, ''))).toEqual(['b2d-built:1']);
	});

	it('says which step of the Dockerfile failed, where, and what came before', async () => {
		const folder = await context('# comment\nFROM b2d-base\n\nRUN echo before-it && \\\n    sh -c "exit 42"\nRUN echo never\n');
		const building = engine.build({ contextDir: folder, dockerfile: 'Dockerfile' }, ctx);
		await expect(building).rejects.toMatchObject({
			code: 'build-failed',
			message: expect.stringContaining(`${join(folder, 'Dockerfile')}, line 4`),
			remedy: expect.stringContaining('before-it'),
			detail: { line: 4, step: expect.stringMatching(/^RUN echo before-it/) },
		});
	});

	it.each<[string, string]>([
		['a mistake', 'FROM b2d-base\nNONSENSE here\n'],
		['a missing file', 'FROM b2d-base\nCOPY missing /\n'],
		['an unknown base', 'FROM localhost/b2d-does-not-exist:9\n'],
		['nothing in it', ''],
	])('reports a Dockerfile with %s', async (_, text) => {
		const folder = await context(text);
		await expect(engine.build({ contextDir: folder, dockerfile: 'Dockerfile' }, ctx)).rejects.toMatchObject({
			code: 'build-failed',
		});
	});

	it('leaves no process, container or mount of a cancelled build', async () => {
		const mark = `${kind}-cancel-${String(process.pid)}`;
		const folder = await context(
			`FROM b2d-base\nRUN trap "" TERM; echo started; sh -c 'while :; do sleep 0.2; done; echo ${mark}'\n`,
		);
		const abort = new AbortController();
		let started = false;
		const building = engine.build(
			{
				contextDir: folder,
				dockerfile: 'Dockerfile',
				onLog: (line) => {
					started ||= line.trim() === 'started';
				},
			},
			quietContext(abort.signal),
		);
		building.catch(() => undefined);
		await vi.waitFor(async () => expect([started, (await processesWith(mark)).length > 0]).toEqual([true, true]), {
			timeout: 60_000,
		});
		abort.abort();
		await expect(building).rejects.toMatchObject({ name: 'AbortError' });
		await vi.waitFor(async () => expect(await processesWith(mark)).toEqual([]), { timeout: 20_000 });
		const list = kind === 'podman' ? ['ps', '--all', '--external', '--quiet'] : ['ps', '--all', '--quiet'];
		await vi.waitFor(async () => expect((await engineRun(sandbox, list)).stdout).toBe(''), { timeout: 20_000 });
		expect(
			(await readFile('/proc/self/mountinfo', 'utf8'))
				.split('\n')
				.filter((line) => line.includes(sandbox.dir) && line.includes('/merged')),
		).toEqual([]);
	});

	it('does not begin when it was cancelled before', async () => {
		const folder = await context('FROM b2d-base\n');
		const cancelled = quietContext(AbortSignal.abort());
		await expect(engine.build({ contextDir: folder, dockerfile: 'Dockerfile' }, cancelled)).rejects.toMatchObject({
			name: 'AbortError',
		});
	});

	it('knows which images there are', async () => {
		expect(await engine.imageId('b2d-base', ctx)).toMatch(/^[0-9a-f]{64}$/);
		for (const name of ['b2d-none', 'b2d-none:1', 'localhost/none', 'UPPER:case:wrong', '--help', '']) {
			expect(await engine.imageId(name, ctx)).toBeUndefined();
		}
	});

	it('says how to get an image that it has not', async () => {
		const iterator = engine.save('b2d-none', ctx)[Symbol.asyncIterator]();
		await expect(iterator.next()).rejects.toMatchObject({
			code: 'image-not-found',
			remedy: expect.stringContaining(`${kind} pull b2d-none`),
		});
	});

	it('ends the saving when the reader leaves or cancels', async () => {
		const folder = await mkdtemp(join(dir, 'big-'));
		await writeBuildContext(folder, { files: { zeros: Buffer.alloc(40 << 20) }, lines: ['COPY zeros /zeros'] });
		const tag = `b2d-big-${kind}`;
		await engineRun(sandbox, ['build', '--tag', tag, folder]);
		for await (const chunk of engine.save(tag, ctx)) {
			expect(chunk.length).toBeGreaterThan(0);
			break;
		}
		expect(await processesWith(tag)).toEqual([]);

		const abort = new AbortController();
		const saving = (async () => {
			let bytes = 0;
			for await (const chunk of engine.save(tag, quietContext(abort.signal))) {
				bytes += chunk.length;
				abort.abort();
			}
			return bytes;
		})();
		await expect(saving).rejects.toMatchObject({ name: 'AbortError' });
		await vi.waitFor(async () => expect(await processesWith(tag)).toEqual([]), { timeout: 10_000 });
	});

	// The last one of an engine: it is stopped. Podman is no service, so nothing of it could stop.
	if (kind === 'docker') {
		it('that stops in the middle of a build is not taken for a mistake in the Dockerfile', async () => {
			const folder = await context('FROM b2d-base\nRUN echo started; sleep 600\n');
			let running: () => void = () => undefined;
			const started = new Promise<void>((resolve) => (running = resolve));
			const onLog = (line: string): void => {
				if (line.trim() === 'started') {
					running();
				}
			};
			const building = engine.build({ contextDir: folder, dockerfile: 'Dockerfile', onLog }, ctx);
			building.catch(() => undefined);
			await started;
			await sandbox.stop();
			await expect(building).rejects.toMatchObject({
				code: 'engine-failed',
				message: expect.stringContaining('docker stopped while it built') as string,
				remedy: expect.stringContaining('Start it') as string,
			});
		});
	}
});
