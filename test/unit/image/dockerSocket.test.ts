import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { quietContext } from '../../../src/common/ports.js';
import { findEngine } from '../../../src/image/engine.js';
import { dockerSocket } from '../../../src/image/engine/dockerSocket.js';

let dir: string;
beforeEach(async () => {
	dir = await mkdtemp(join(tmpdir(), 'b2d-socket-'));
});
afterEach(() => rm(dir, { recursive: true }));

async function writeConfig(config: object | string): Promise<void> {
	await writeFile(join(dir, 'config.json'), typeof config === 'string' ? config : JSON.stringify(config));
}

async function writeContext(name: string, host: string): Promise<void> {
	const folder = join(dir, 'contexts', 'meta', createHash('sha256').update(name).digest('hex'));
	await mkdir(folder, { recursive: true });
	await writeFile(join(folder, 'meta.json'), JSON.stringify({ Name: name, Endpoints: { docker: { Host: host } } }));
}

describe('the socket of Docker', () => {
	const find = (env: NodeJS.ProcessEnv = {}): Promise<string | undefined> => dockerSocket({ DOCKER_CONFIG: dir, ...env });

	it('is the usual one without any settings, and with the context named default', async () => {
		expect(await find()).toBe('/var/run/docker.sock');
		await writeConfig({ currentContext: 'default' });
		expect(await find()).toBe('/var/run/docker.sock');
	});

	it('is what DOCKER_HOST says, before any context', async () => {
		await writeConfig({ currentContext: 'colima' });
		await writeContext('colima', 'unix:///home/ann/.colima/docker.sock');
		expect(await find({ DOCKER_HOST: 'unix:///run/other.sock' })).toBe('/run/other.sock');
		expect(await find({ DOCKER_HOST: 'ssh://server' })).toBeUndefined();
		expect(await find({ DOCKER_HOST: 'tcp://127.0.0.1:2376' })).toBeUndefined();
		expect(await find({ DOCKER_HOST: '' })).toBe('/home/ann/.colima/docker.sock');
	});

	it('is that of the chosen context', async () => {
		await writeConfig({ currentContext: 'far' });
		await writeContext('far', 'ssh://server');
		await writeContext('near', 'unix:///run/near.sock');
		expect(await find()).toBeUndefined();
		expect(await find({ DOCKER_CONTEXT: 'near' })).toBe('/run/near.sock');
		expect(await find({ DOCKER_CONTEXT: 'default' })).toBe('/var/run/docker.sock');
		expect(await find({ DOCKER_CONTEXT: 'absent' })).toBeUndefined();
	});

	it('is not guessed from settings that cannot be read', async () => {
		await writeConfig('{ "currentContext": ');
		expect(await find()).toBeUndefined();
	});
});

describe('inspecting an image', () => {
	const id = 'a'.repeat(64);
	const config = { Env: ['A=1'], Cmd: ['/run'] };
	const image = (from: string) => ({
		Id: `sha256:${id}`,
		Os: 'linux',
		Architecture: 'amd64',
		Config: { ...config, Env: [`FROM=${from}`] },
		RootFS: { Type: 'layers', Layers: [`sha256:${'b'.repeat(64)}`] },
	});
	let server: Server | undefined;
	let asked: string[];
	beforeEach(() => {
		asked = [];
	});
	afterEach(async () => {
		server?.closeAllConnections();
		await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
		server = undefined;
	});

	/** A daemon that answers like this, and a command line that tells of the image `FROM=cli`. */
	async function describeImage(
		answer: RequestListener | undefined,
		reference = 'my/image:1',
	): Promise<readonly string[] | undefined> {
		const socket = join(dir, 'docker.sock');
		if (answer) {
			server = createServer((request, response) => {
				asked.push(request.url ?? '');
				answer(request, response);
			});
			await new Promise<void>((resolve) => server?.listen(socket, resolve));
		}
		await writeFile(
			join(dir, 'docker'),
			`#!/bin/sh
case "$*" in
--version) echo "Docker version 24.0.7, build afdd53b" ;;
"version --format"*) echo '{"Client":{"Version":"24.0.7"},"Server":{"Version":"24.0.7"}}' ;;
"image inspect absent") echo "Error: No such image: absent" >&2; exit 1 ;;
"image inspect"*) echo '${JSON.stringify([image('cli')])}' ;;
*) exit 9 ;;
esac
`,
		);
		await chmod(join(dir, 'docker'), 0o755);
		const engine = await findEngine(quietContext(), {
			env: { PATH: `${dir}:/usr/bin:/bin`, DOCKER_HOST: `unix://${socket}`, DOCKER_CONFIG: dir },
		});
		return (await engine.describe(reference, quietContext()))?.config.env;
	}

	const says =
		(status: number, body: string, type = 'application/json'): RequestListener =>
		(_, response) => {
			response.writeHead(status, { 'content-type': type }).end(body);
		};

	it('asks the daemon itself', async () => {
		expect(await describeImage(says(200, JSON.stringify(image('daemon'))))).toEqual(['FROM=daemon']);
		expect(asked).toEqual(['/images/my/image:1/json']);
	});

	it.each<[string, RequestListener | undefined]>([
		['is no daemon', undefined],
		['knows no such image', says(404, '{"message":"No such image"}')],
		['has trouble', says(500, '{"message":"trouble"}')],
		['answers with something else', says(200, '<html>', 'text/html')],
		['hangs up', (request) => void request.socket.destroy()],
		[
			'hangs up in the middle',
			(_, response) => void response.writeHead(200, { 'content-type': 'application/json' }).write('{', () => response.destroy()),
		],
	])('asks the command line where there %s', async (_, answer) => {
		expect(await describeImage(answer)).toEqual(['FROM=cli']);
	});

	it.each(['../containers/json', 'a/../../info', 'a?b=c', 'a b', 'a%2Fb', 'a#b', 'a//b'])(
		'never puts into a path what could mean something there: %s',
		async (reference) => {
			expect(await describeImage(says(200, JSON.stringify(image('daemon'))), reference)).toEqual(['FROM=cli']);
			expect(asked).toEqual([]);
		},
	);
});
