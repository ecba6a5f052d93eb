import path from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { quietContext } from '../../../src/common/ports.js';
import { type Engine, findEngine } from '../../../src/image/engine.js';
import { type PushedLayer, pushToRegistry } from '../../../src/image/engine/registryPush.js';
import { startTestEngine, type TestEngine } from '../../support/engines.js';
import { makeBusyboxImage } from '../../support/images.js';
import { ACCOUNT, startRegistry, type TestRegistry, trustRegistries } from '../../support/registry.mjs';

const ctx = quietContext();
let installed: TestEngine;
let engine: Engine;
let open: TestRegistry;
let locked: TestRegistry;
let image: string;

beforeAll(async () => {
	installed = await startTestEngine('podman');
	[open, locked] = await Promise.all([
		startRegistry(path.join(installed.dir, 'open')),
		startRegistry(path.join(installed.dir, 'locked'), 'password'),
	]);
	await trustRegistries(path.join(installed.dir, 'registries.conf'), [open, locked]);
	await makeBusyboxImage(installed, { tag: 'pushed', lines: ['LABEL note="<script>alert(1)</script>"'] });
	engine = await findEngine(ctx, { command: installed.command, env: installed.env });
	image = (await engine.imageId('pushed', ctx))!;
});
afterAll(async () => {
	await open.stop();
	await locked.stop();
	await installed.remove();
});

async function push(reference: string): Promise<readonly PushedLayer[]> {
	let last: readonly PushedLayer[] = [];
	await pushToRegistry(engine, { image, reference, onLayers: (layers) => (last = layers) }, ctx);
	return last;
}

/** Tags of a repository, as the registry says. */
async function tags({ port }: TestRegistry, repository: string, headers: Record<string, string> = {}): Promise<unknown> {
	return (await fetch(`http://127.0.0.1:${port}/v2/${repository}/tags/list`, { headers })).json();
}

test('an image arrives in an open registry, with each layer told', async () => {
	const layers = await push(`127.0.0.1:${open.port}/team/pushed:1.0`);
	expect(layers.length).toBeGreaterThan(0);
	expect(new Set(layers.map(({ state }) => state))).toEqual(new Set(['done']));
	expect(await tags(open, 'team/pushed')).toMatchObject({ tags: ['1.0'] });
	expect((await engine.details([image], ctx))[0]?.names).toContain(`127.0.0.1:${open.port}/team/pushed:1.0`);
});

test('a registry with a password refuses until the engine itself has logged in', async () => {
	const reference = `127.0.0.1:${locked.port}/pushed:latest`;
	await expect(push(reference)).rejects.toMatchObject({ code: 'registry-refused', detail: { reason: 'login' } });
	const login = ['login', '--username', ACCOUNT.name, '--password', ACCOUNT.password, `127.0.0.1:${locked.port}`];
	expect(await engine.call(login, ctx)).toMatchObject({ code: 0 });
	await push(reference);
	const authorization = `Basic ${Buffer.from(`${ACCOUNT.name}:${ACCOUNT.password}`).toString('base64')}`;
	expect(await tags(locked, 'pushed', { authorization })).toMatchObject({ tags: ['latest'] });
});

test('a registry that does not run, and an image that is gone, are told apart', async () => {
	await open.stop();
	await expect(push(`127.0.0.1:${open.port}/pushed`)).rejects.toMatchObject({ detail: { reason: 'unreachable' } });
	const gone = { image: '0'.repeat(64), reference: 'pushed:2', onLayers: () => undefined };
	await expect(pushToRegistry(engine, gone, ctx)).rejects.toMatchObject({ code: 'image-not-found' });
});
