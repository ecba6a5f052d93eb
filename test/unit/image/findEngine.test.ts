import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { quietContext } from '../../../src/common/ports.js';
import { type Engine, findEngine } from '../../../src/image/engine.js';
import { engineMissing } from '../../../src/image/engine/detection.js';

let bin: string;

beforeEach(async () => {
	bin = await mkdtemp(join(tmpdir(), 'b2d-bin-'));
});

afterEach(async () => {
	await rm(bin, { recursive: true });
});

/** Puts a program on the PATH of these tests: a script that answers by its first words. */
async function install(name: string, answers: Readonly<Record<string, string>>): Promise<void> {
	const cases = Object.entries(answers).map(([words, script]) => `${JSON.stringify(words)}*) ${script} ;;`);
	await writeFile(
		join(bin, name),
		`#!/bin/sh\ncase "$*" in\n${cases.join('\n')}\n*) echo "unexpected: $*" >&2; exit 9 ;;\nesac\n`,
	);
	await chmod(join(bin, name), 0o755);
}

const find = (env: Record<string, string> = {}, command?: string): Promise<Engine> =>
	findEngine(quietContext(), { env: { PATH: bin, ...env }, ...(command !== undefined && { command }) });

const docker = {
	'--version': 'echo "Docker version 24.0.7, build afdd53b"',
	'version --format': `echo '{"Client":{"Version":"24.0.7"},"Server":{"Version":"24.0.7"}}'`,
	'buildx version': 'exit 1',
};
const podman = {
	'--version': 'echo "podman version 4.3.1"',
	'version --format json': `echo '{"Client":{"Version":"4.3.1"}}'`,
};
const stopped = {
	...docker,
	'version --format': `echo '{"Client":{"Version":"24.0.7"},"Server":null}'; echo 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?' >&2; exit 1`,
};

/** As Docker's program says where it found nobody. */
const stoppedAt = (address: string) =>
	({
		command: 'docker',
		state: 'not running',
		said: `Cannot connect to the Docker daemon at ${address}. Is the docker daemon running?`,
	}) as const;
const asked = (host: string) =>
	({ command: 'docker', state: 'not running', said: `error during connect: Get "http://${host}/v1.47/version": EOF` }) as const;

describe('finding the engine', () => {
	it('takes Docker when both work', async () => {
		await install('docker', docker);
		await install('podman', podman);
		expect(await find()).toMatchObject({ kind: 'docker', command: 'docker', version: '24.0.7' });
	});

	it('takes Podman when Docker’s service does not run', async () => {
		await install('docker', stopped);
		await install('podman', podman);
		expect(await find()).toMatchObject({ kind: 'podman', version: '4.3.1' });
	});

	it('recognises Podman under Docker’s name', async () => {
		await install('docker', { ...podman, '--version': 'echo "podman version 4.3.1"' });
		expect(await find()).toMatchObject({ kind: 'podman', command: 'docker' });
	});

	it('takes nerdctl when there is nothing else, and uses it as Docker', async () => {
		await install('nerdctl', {
			'--version': 'echo "nerdctl version 1.7.6"',
			'version --format': `echo '{"Client":{"Version":"1.7.6"},"Server":{"Components":[{"Name":"containerd"}]}}'`,
		});
		expect(await find()).toMatchObject({ kind: 'docker', product: 'nerdctl', command: 'nerdctl', version: '1.7.6' });
	});

	it('tells the context that is set, and changes none', async () => {
		await install('docker', { ...docker, 'context ls': 'echo; echo colima' });
		const engine = await find();
		expect([engine.product, await engine.contextName(quietContext())]).toEqual(['Docker', 'colima']);
		const other = await find({ DOCKER_HOST: 'unix:///run/other.sock' });
		expect(await other.contextName(quietContext())).toBe('unix:///run/other.sock');
	});

	it('uses the program that is asked for, and no other', async () => {
		await install('docker', docker);
		await install('other', podman);
		expect(await find({}, 'other')).toMatchObject({ kind: 'podman', command: 'other' });
		await expect(find({}, 'missing')).rejects.toMatchObject({
			code: 'engine-missing',
			message: expect.stringMatching(/missing was not found/),
		});
	});

	it('says so when there is none', async () => {
		await expect(find()).rejects.toMatchObject({
			code: 'engine-missing',
			detail: { state: 'not installed' },
			remedy: expect.stringContaining('nstall'),
		});
	});

	it.each<[string, Record<string, string>, string]>([
		['does not run', stopped, 'not running'],
		[
			'is forbidden',
			{
				...docker,
				'version --format': `echo '{"Client":{"Version":"24.0.7"},"Server":null}'; echo 'permission denied while trying to connect to the Docker daemon socket' >&2; exit 1`,
			},
			'not permitted',
		],
		['answers nonsense', { ...docker, 'version --format': 'echo hello' }, 'broken'],
	])('says what to do when the service %s', async (_, answers, state) => {
		await install('docker', answers);
		await expect(find()).rejects.toMatchObject({ code: 'engine-missing', detail: { state, command: 'docker' } });
	});

	it.each<[string, string, Parameters<typeof engineMissing>[0][number], NodeJS.Platform]>([
		['Docker on Linux', 'sudo systemctl start docker', { command: 'docker', state: 'not running', said: '' }, 'linux'],
		['Docker on macOS', 'Start Docker Desktop.', { command: 'docker', state: 'not running', said: '' }, 'darwin'],
		['Podman on Windows', 'podman machine start', { command: 'podman', state: 'not running', said: '' }, 'win32'],
		['Colima', 'colima start', stoppedAt('unix:///Users/me/.colima/default/docker.sock'), 'darwin'],
		['Colima, asked for by a request', 'colima start', asked('%2FUsers%2Fme%2F.colima%2Fdefault%2Fdocker.sock'), 'darwin'],
		['Docker Desktop on Linux', 'Start Docker Desktop.', stoppedAt('unix:///home/me/.docker/desktop/docker.sock'), 'linux'],
		['Docker Desktop on Windows', 'Start Docker Desktop.', asked('%2F%2F.%2Fpipe%2FdockerDesktopLinuxEngine'), 'win32'],
		['Docker without root', 'systemctl --user', stoppedAt('unix:///run/user/1000/docker.sock'), 'linux'],
		['Docker on another computer', 'docker context use', stoppedAt('tcp://build.example.org:2376'), 'linux'],
		['Docker by SSH', 'docker context use', asked('docker.example.com'), 'linux'],
		['nerdctl', 'containerd', { command: 'nerdctl', state: 'not permitted', said: '' }, 'linux'],
		['a closed socket', 'sudo usermod -aG docker', { command: 'docker', state: 'not permitted', said: '' }, 'linux'],
	])('has the remedy for %s', (_, remedy, absence, platform) => {
		expect(engineMissing([absence], platform).remedy).toContain(remedy);
	});
});

describe('building', () => {
	it('asks buildx to load the image, passes options as single words, and leaves the context alone', async () => {
		const seen = join(bin, 'seen');
		await install('docker', {
			...docker,
			'buildx version': 'echo buildx',
			build: `for word; do printf '%s\\n' "$word" >>${seen}; case $word in --iidfile=*) printf 'sha256:%064d' 7 >"\${word#*=}" ;; esac; done`,
			'image inspect': `printf 'sha256:%064d\\n' 7`,
		});
		await writeFile(join(bin, 'Dockerfile'), 'FROM scratch\n');
		const engine = await find();
		const request = {
			contextDir: bin,
			dockerfile: 'Dockerfile',
			buildArgs: { A: 'b; rm -rf $HOME "x"' },
			target: 't',
			platform: 'linux/arm64',
			tag: 'name:1',
		};
		expect(await engine.build(request, quietContext())).toBe('7'.padStart(64, '0'));
		const { readFile } = await import('node:fs/promises');
		expect((await readFile(seen, 'utf8')).split('\n')).toEqual([
			'build',
			`--file=${join(bin, 'Dockerfile')}`,
			expect.stringMatching(/^--iidfile=/),
			'--load',
			'--build-arg=A=b; rm -rf $HOME "x"',
			'--target=t',
			'--platform=linux/arm64',
			'--tag=name:1',
			'--',
			bin,
			'',
		]);
	});

	it('does not ask the classic builder for what it does not know', async () => {
		await install('docker', {
			...docker,
			'buildx version': 'echo buildx',
			build:
				'case "$*" in *--load*) exit 125 ;; esac; for word; do case $word in --iidfile=*) printf "sha256:%064d" 7 >"${word#*=}" ;; esac; done',
			'image inspect': `printf 'sha256:%064d\\n' 7`,
		});
		await writeFile(join(bin, 'Dockerfile'), 'FROM scratch\n');
		const engine = await find({ DOCKER_BUILDKIT: '0' });
		await expect(engine.build({ contextDir: bin, dockerfile: 'Dockerfile' }, quietContext())).resolves.toMatch(/7$/);
	});

	it('does not believe a success without an image', async () => {
		await install('docker', { ...docker, build: 'exit 0', 'image inspect': 'echo "Error: No such image: x" >&2; exit 1' });
		await writeFile(join(bin, 'Dockerfile'), 'FROM scratch\n');
		const engine = await find();
		await expect(engine.build({ contextDir: bin, dockerfile: 'Dockerfile' }, quietContext())).rejects.toMatchObject({
			code: 'engine-failed',
		});
	});

	it('names a Dockerfile that is not there', async () => {
		await install('docker', docker);
		const engine = await find();
		await expect(engine.build({ contextDir: bin, dockerfile: 'Nope' }, quietContext())).rejects.toMatchObject({
			code: 'file-not-found',
			detail: { path: join(bin, 'Nope') },
		});
	});
});
