import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { quietContext } from '../../../src/common/ports.js';
import { type Engine, findEngine } from '../../../src/image/engine.js';
import { pushToRegistry } from '../../../src/image/engine/registryPush.js';
import { CONFIG, installNerdctl, MANIFEST } from '../../support/nerdctl.js';

const ctx = quietContext();
let dir: string;
let engine: Engine;

beforeEach(async () => {
	dir = await mkdtemp(path.join(tmpdir(), 'b2d-nerdctl-'));
	await writeFile(path.join(dir, 'Dockerfile'), 'FROM scratch\n');
	// The variable is Docker's: nerdctl does not look at it.
	engine = await findEngine(ctx, { command: await installNerdctl(dir), env: { DOCKER_HOST: 'unix:///nowhere' } });
});
afterEach(() => rm(dir, { recursive: true }));

const build = (more: Partial<Parameters<Engine['build']>[0]> = {}): Promise<string> =>
	engine.build({ contextDir: dir, dockerfile: 'Dockerfile', tag: 'app', ...more }, ctx);

it('builds with the options that nerdctl has, and knows the image by what finds it', async () => {
	const all = { target: 't', buildArgs: { A: 'b c' }, platform: 'linux/arm64' };
	expect(await build(all)).toBe(MANIFEST);
	expect(await readFile(path.join(dir, 'calls'), 'utf8')).not.toMatch(/--load|--force-rm|buildx|context ls/);
	expect(await engine.contextName(ctx)).toBeUndefined();
	expect(await engine.listImages(ctx)).toEqual([{ id: MANIFEST, names: ['app:latest'], size: undefined }]);
	expect(await engine.details([MANIFEST, CONFIG], ctx)).toEqual([
		expect.objectContaining({ id: MANIFEST, names: ['app:latest'], platform: 'linux/arm64', size: 1_985_024 }),
	]);
	expect(await Promise.all(['app', 'app:latest', MANIFEST, 'other'].map((name) => engine.imageId(name, ctx)))).toEqual([
		MANIFEST,
		MANIFEST,
		MANIFEST,
		undefined,
	]);
	expect(await engine.describe(MANIFEST, ctx)).toMatchObject({ config: { architecture: 'arm64' } });
	expect(await engine.describe(CONFIG, ctx)).toBeUndefined();
});

it('finds the image by its name where the digest that was written is not in the list', async () => {
	await writeFile(path.join(dir, 'other'), '');
	expect(await build()).toBe(MANIFEST);
	await expect(engine.build({ contextDir: dir, dockerfile: 'Dockerfile' }, ctx)).rejects.toMatchObject({ code: 'engine-failed' });
});

it('saves the image of another platform, and names and pushes it', async () => {
	await build({ platform: 'linux/arm64' });
	const chunks: Uint8Array[] = [];
	for await (const chunk of engine.save(MANIFEST, ctx)) {
		chunks.push(chunk);
	}
	expect(Buffer.concat(chunks).toString()).toBe('archive');
	expect(await readFile(path.join(dir, 'saved'), 'utf8')).toBe('--platform=linux/arm64\n');
	await pushToRegistry(engine, { image: MANIFEST, reference: 'r.example/app:1', onLayers: () => undefined }, ctx);
	expect(await readFile(path.join(dir, 'calls'), 'utf8')).toMatch(/^tag a+ r.example\/app:1\npush r.example\/app:1$/m);
	await expect(engine.save('gone', ctx)[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'image-not-found' });
});

it('says how to start containerd, not Docker', async () => {
	await writeFile(path.join(dir, 'stopped'), '');
	await expect(findEngine(ctx, { command: engine.command })).rejects.toMatchObject({
		code: 'engine-missing',
		message: expect.stringContaining('its service does not run') as string,
		remedy: expect.stringContaining('systemctl start containerd') as string,
	});
	expect(await engine.stopped('pushed x', 'push again', ctx)).toMatchObject({
		code: 'engine-failed',
		message: expect.stringContaining('nerdctl stopped while it pushed x: time=') as string,
		remedy: expect.stringMatching(/ Then push again\.$/) as string,
	});
	await rm(engine.command);
	expect(await engine.stopped('pushed x', 'push again', ctx)).toMatchObject({ code: 'engine-missing' });
});
