import { link, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { build } from 'esbuild';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { composeBuilds } from '../../../src/image/build/composeBuilds.js';
import { countContext } from '../../../src/image/build/contextCount.js';
import { contextSize } from '../../../src/image/build/contextSize.js';
import { dockerfileOutline } from '../../../src/image/build/dockerfileOutline.js';
import { IgnoreRules } from '../../../src/image/build/ignoreRules.js';

describe('.dockerignore', () => {
	it.each<[string, string, boolean]>([
		['node_modules', 'node_modules/a/b.js', true],
		['node_modules', 'sub/node_modules/b.js', false],
		['**/node_modules', 'sub/node_modules/b.js', true],
		['/data/', 'data/x', true],
		['*.log', 'a.log', true],
		['*.log', 'sub/a.log', false],
		['*/*.log', 'sub/a.log', true],
		['**/*.log', 'a.log', true],
		['docs/**', 'docs/a/b', true],
		['docs/**', 'docs', false],
		['temp?', 'temp1', true],
		['temp?', 'temp/1', false],
		['[a-c].txt', 'b.txt', true],
		['[^a-c].txt', 'b.txt', false],
		['a.c', 'abc', false],
		['# data', 'data', false],
		['*\n!keep', 'keep', false],
		['*\n!keep', 'other', true],
		['*\n!keep/this\nkeep/this/not', 'keep/this/not/x', true],
		['./a/../b', 'b/x', true],
		['\\*', '*', true],
		['\\*', 'x', false],
		['[broken', '[broken', false],
		['', 'x', false],
	])('%j on %j: %j', (text, name, ignored) => {
		expect(new IgnoreRules(text).ignores(name)).toBe(ignored);
	});

	it('knows where exceptions may hide', () => {
		const rules = new IgnoreRules('*\n!src/main\n!docs/*/index.md');
		expect(['src', 'docs', 'docs/en', 'data'].map((folder) => rules.mayHaveExceptions(folder))).toEqual([
			true,
			true,
			true,
			false,
		]);
	});
});

describe('the size of a build context', () => {
	let dir: string;
	beforeEach(async () => {
		dir = await mkdtemp(path.join(tmpdir(), 'b2d-context-'));
		for (const [name, size] of [
			['Dockerfile', 10],
			['app/main.py', 200],
			['app/data/big.bin', 5000],
			['.git/objects/a', 9000],
		] as const) {
			await mkdir(path.dirname(path.join(dir, name)), { recursive: true });
			await writeFile(path.join(dir, name), Buffer.alloc(size));
		}
	});
	afterEach(() => rm(dir, { recursive: true }));

	it('counts what builders are given, and names the largest', async () => {
		expect(await contextSize(dir, 'Dockerfile')).toEqual({
			bytes: 14_210,
			files: 4,
			isWhole: true,
			largest: [
				{ name: '.git', bytes: 9000 },
				{ name: 'app', bytes: 5200 },
				{ name: 'Dockerfile', bytes: 10 },
			],
			ignoreFile: undefined,
		});
	});

	it('leaves out what the ignore file says; one of the Dockerfile’s own comes first', async () => {
		await writeFile(path.join(dir, '.dockerignore'), '.git\napp\n!app/main.py\n');
		expect(await contextSize(dir, 'Dockerfile')).toMatchObject({ files: 3, bytes: 232, ignoreFile: '.dockerignore' });
		await writeFile(path.join(dir, 'Dockerfile.dockerignore'), '*\n!app/main.py\n');
		expect(await contextSize(dir, 'Dockerfile')).toMatchObject({ files: 1, bytes: 200, ignoreFile: 'Dockerfile.dockerignore' });
	});

	it('counts in a thread as in this one, tells how far it is, and ends when it is cancelled', async () => {
		const programs = path.join(dir, '.git');
		await build({
			entryPoints: { context: 'src/image/build/contextThread.ts' },
			outdir: programs,
			bundle: true,
			platform: 'node',
			format: 'cjs',
			logLevel: 'error',
		});
		await writeFile(path.join(dir, '.dockerignore'), '.git\n');
		await mkdir(path.join(dir, 'many'));
		await Promise.all(Array.from({ length: 1200 }, (_, i) => link(path.join(dir, 'app/main.py'), path.join(dir, `many/${i}`))));
		const whole = await contextSize(dir, 'Dockerfile');
		expect(whole).toMatchObject({ files: 1204, bytes: 245_215, largest: [{ name: 'many', bytes: 240_000 }, {}, {}, {}] });
		expect(await contextSize(dir, 'Dockerfile', { programs })).toEqual(whole);
		await expect(contextSize(path.join(dir, 'absent'), 'Dockerfile', { programs })).rejects.toMatchObject({ code: 'ENOENT' });
		for (const options of [{}, { programs }]) {
			const stop = new AbortController();
			const counting = contextSize(dir, 'Dockerfile', { ...options, signal: stop.signal });
			setImmediate(() => stop.abort());
			await expect(counting).rejects.toMatchObject({ name: 'AbortError' });
		}
		const counted = [...countContext(dir, 'Dockerfile')];
		expect(counted.map(({ files, isWhole }) => [files > 0 && files < 1204, isWhole])).toEqual(counted.map(() => [true, false]));
		expect(counted.length).toBe(2);
	});

	it('names the largest of very many', async () => {
		const sizes = [7000, 10, 8000, 20, 9000, 30, 6500, 40];
		await Promise.all(sizes.map((size, i) => writeFile(path.join(dir, `f${i}`), Buffer.alloc(size))));
		const { largest } = await contextSize(dir, 'Dockerfile');
		expect(largest.map(({ name, bytes }) => `${name} ${bytes}`).toSorted()).toEqual([
			'.git 9000',
			'f0 7000',
			'f2 8000',
			'f4 9000',
			'f6 6500',
		]);
	});

	it('rejects when it is cancelled before, or the folder is not there', async () => {
		await expect(contextSize(dir, 'Dockerfile', { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
		await expect(contextSize(path.join(dir, 'absent'), 'Dockerfile')).rejects.toMatchObject({ code: 'ENOENT' });
	});
});

describe('what can be chosen of a Dockerfile', () => {
	it('are its stages and arguments', () => {
		const text =
			'ARG BASE=debian:12\nFROM $BASE AS build\nARG MODE\nARG TARGETPLATFORM\nARG BASE\nFROM scratch AS run\nFROM run\n';
		expect(dockerfileOutline(text)).toEqual({
			stages: ['build', 'run'],
			args: [
				{ name: 'BASE', value: 'debian:12' },
				{ name: 'MODE', value: undefined },
			],
		});
	});

	it.each(['', 'FROM', 'nonsense <<EOF\n', 'ARG =\nARG\n'])('is little where it is broken: %j', (text) => {
		expect(dockerfileOutline(text).stages).toEqual([]);
	});
});

describe('the builds of a compose file', () => {
	it('are its services with a Dockerfile on this computer', async () => {
		const text = `
services:
  web: { image: nginx }
  one: { build: ./one }
  two:
    image: team/two:1
    platform: linux/arm64
    build: { context: two, dockerfile: docker/Dockerfile, target: run, args: { A: 1, B: null, C: true } }
  list: { build: { args: [A=b=c, FROM_ENV] } }
  remote: { build: 'https://example.org/x.git' }
  variable: { build: '\${DIR}' }
  inline: { build: { dockerfile_inline: 'FROM scratch' } }
  broken: { build: 3 }
`;
		expect(await composeBuilds(text)).toEqual([
			{
				service: 'one',
				context: './one',
				dockerfile: 'Dockerfile',
				target: undefined,
				args: {},
				platform: undefined,
				image: undefined,
			},
			{
				service: 'two',
				context: 'two',
				dockerfile: 'docker/Dockerfile',
				target: 'run',
				args: { A: '1', C: 'true' },
				platform: 'linux/arm64',
				image: 'team/two:1',
			},
			{
				service: 'list',
				context: '.',
				dockerfile: 'Dockerfile',
				target: undefined,
				args: { A: 'b=c' },
				platform: undefined,
				image: undefined,
			},
		]);
	});

	it.each(['', '[', 'services: 3', 'a: &a [*a]', 'services: { x: { build: { context: 7 } } }'])(
		'are none in %j',
		async (text) => {
			expect(await composeBuilds(text)).toEqual([]);
		},
	);
});
