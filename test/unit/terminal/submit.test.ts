import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { BoincError } from '../../../src/common/errors.js';
import { imageSource, nameOf, orNothingOfName, unusedJobFile } from '../../../src/terminal/commands/imageSource.js';
import { parseInput, requestFor, stepsOf } from '../../../src/terminal/commands/jobOptions.js';

const usage = (remedy: unknown = expect.anything()): unknown => expect.objectContaining({ code: 'usage', remedy });

describe('the options of a job', () => {
	it('mean the defaults further down when they are absent', async () => {
		expect(await requestFor({}, [])).toEqual({ resources: {}, replication: {} });
	});

	it('say in which parts the jobs are made, and what becomes of them when that is stopped', async () => {
		expect(stepsOf({})).toEqual({ canary: false });
		expect(stepsOf({ canary: true, refill: '500' })).toEqual({ canary: true, unsent: 500 });
		expect(() => stepsOf({ refill: '0' })).toThrow(usage());
		expect(() => stepsOf({ refill: 'many' })).toThrow(usage());
		expect(await requestFor({ once: true }, [])).toMatchObject({ repeated: 'take' });
		expect(await requestFor({ refill: '5' }, [])).toMatchObject({ stopped: 'keep' });
		expect(await requestFor({ keep: true }, [])).toMatchObject({ stopped: 'keep' });
	});

	it('are read with their units', async () => {
		const request = await requestFor(
			{
				...{ count: '3', priority: '-5', network: 'bridge', entrypoint: '/bin/sh' },
				...{ memory: '500 MB', disk: '2GiB', time: '10 min', timeLimit: '1h', deadline: '2 d', maxOutput: '20k' },
				env: ['A=b=c', 'EMPTY=', 'TEXT=line\nbreak $HOME'],
			},
			['echo', ''],
		);
		expect(request).toEqual({
			...{ count: 3, priority: -5, network: 'bridge', entrypoint: ['/bin/sh'], command: ['echo', ''] },
			env: { A: 'b=c', EMPTY: '', TEXT: 'line\nbreak $HOME' },
			resources: {
				...{ memoryBytes: 500e6, diskBytes: 2 ** 31, expectedSeconds: 600 },
				...{ limitSeconds: 3600, delayBoundSeconds: 172_800, maxOutputBytes: 20_000 },
			},
			replication: {},
		});
	});

	it('an empty entry point is none', async () => {
		expect(await requestFor({ entrypoint: '' }, [])).toMatchObject({ entrypoint: [] });
	});

	it('retries come on top of the results that must agree', async () => {
		expect((await requestFor({ quorum: '2', retries: '3' }, [])).replication).toEqual({
			...{ minQuorum: 2, maxErrorResults: 3, maxTotalResults: 5 },
		});
		expect((await requestFor({ retries: '0' }, [])).replication).toEqual({ maxErrorResults: 0, maxTotalResults: 1 });
	});

	it.each([
		[{ count: 'many' }, '--count'],
		[{ count: '1.5' }, '--count'],
		[{ count: '' }, '--count'],
		[{ priority: '1e3' }, '--priority'],
		[{ memory: 'lots' }, '--memory'],
		[{ timeLimit: '-1 s' }, '--time-limit'],
		[{ maxOutput: '0' }, '--max-output'],
		[{ network: 'lan' }, '--network'],
		[{ env: ['NOVALUE'] }, '--env'],
		[{ env: ['=value'] }, '--env'],
	])('%j is refused with the name of the option', async (options, name) => {
		await expect(requestFor(options, [])).rejects.toMatchObject({ code: 'usage', message: expect.stringContaining(name) });
	});

	it('a variable may have a name that objects have', async () => {
		const { env } = await requestFor({ env: ['__proto__=x', 'constructor=y'] }, []);
		expect(Object.entries(env ?? {})).toEqual([
			['__proto__', 'x'],
			['constructor', 'y'],
		]);
	});
});

describe('what is submitted', () => {
	let dir: string;
	beforeEach(async () => {
		dir = await mkdtemp(path.join(tmpdir(), 'b2d-submit-'));
	});
	afterEach(() => rm(dir, { recursive: true, force: true }));
	const touch = async (name: string): Promise<string> => {
		await writeFile(path.join(dir, name), '');
		return path.join(dir, name);
	};

	it('is a folder with a Dockerfile', async () => {
		const folder = path.join(dir, 'Über app');
		await mkdir(folder);
		const options = { file: 'other', buildArg: ['A=1', 'B='], target: 'last', platform: 'linux/arm64' };
		const image = await imageSource(folder, options);
		expect(image).toEqual({
			...{ kind: 'dockerfile', contextDir: folder, dockerfile: 'other' },
			...{ buildArgs: { A: '1', B: '' }, target: 'last', platform: 'linux/arm64' },
		});
		expect(nameOf(image)).toBe('Über app');
	});

	it('is a Dockerfile, whatever its name', async () => {
		expect(await imageSource(await touch('worker.Dockerfile'), {})).toEqual({
			...{ kind: 'dockerfile', contextDir: dir, dockerfile: 'worker.Dockerfile' },
		});
	});

	it.each(['image.tar', 'image.tar.gz', 'image.TGZ'])('is a saved image: %s', async (name) => {
		const image = await imageSource(await touch(name), {});
		expect(image).toEqual({ kind: 'archive', file: path.join(dir, name) });
		expect(nameOf(image)).toBe('image');
	});

	it('is the name of an image', async () => {
		const image = await imageSource('registry.example:5000/team/app:1.0', {});
		expect(image).toEqual({ kind: 'reference', reference: 'registry.example:5000/team/app:1.0' });
		expect(nameOf(image)).toBe('registry.example:5000/team/app:1.0');
	});

	it.each(['gone/Dockerfile', 'gone/', 'gone.tar', 'Containerfile.gone', 'gone.tar.gz', 'gone.tgz', 'gone'])(
		'is not a file that is not there: %s',
		async (name) => {
			await expect(imageSource(path.join(dir, name) + (name.endsWith('/') ? '/' : ''), {})).rejects.toMatchObject({
				code: 'input-missing',
				message: expect.stringContaining('gone'),
			});
		},
	);

	it('is not a name that images cannot have, and the file that was meant is told', async () => {
		await touch('Dockerfile');
		await expect(imageSource('Dockerfil', {})).rejects.toMatchObject({
			code: 'input-missing',
			message: 'There is no file, folder or image Dockerfil.',
		});
		await expect(imageSource(path.join(dir, 'Dockerfil'), {})).rejects.toMatchObject({
			remedy: expect.stringContaining(`Did you mean ${path.join(dir, 'Dockerfile')}?`) as string,
		});
	});

	it('may be neither a file nor an image, which is told together', async () => {
		const missing = new BoincError('image-not-found', 'docker has no image “nothere” on this computer.', { remedy: 'Build it.' });
		const failing = (): Promise<never> => Promise.reject(missing);
		await expect(orNothingOfName({ kind: 'reference', reference: 'nothere' }, failing)).rejects.toMatchObject({
			code: 'image-not-found',
			message: 'There is no file nothere, and docker has no image “nothere” on this computer.',
			remedy: 'Build it.',
		});
		await expect(orNothingOfName({ kind: 'archive', file: 'a.tar' }, failing)).rejects.toBe(missing);
	});

	it('is not the job file of a folder, which is said', async () => {
		expect(await unusedJobFile(dir)).toBeUndefined();
		const file = path.relative('', await touch('boinc2docker.yml'));
		expect(await unusedJobFile(dir)).toBe(`boinc2docker.yml of this folder is not used; “boinc2docker submit ${file}” uses it.`);
	});

	it('refuses a build argument without a value', async () => {
		await expect(imageSource(dir, { buildArg: ['X'] })).rejects.toEqual(usage(expect.stringContaining('--build-arg NAME=VALUE')));
	});

	it('gets inputs under their own or another name', async () => {
		const plain = await touch('data.csv');
		const colon = await touch('a:b');
		expect(await parseInput(plain)).toEqual({ file: plain, path: 'data.csv' });
		expect(await parseInput(`${plain}:in/x.csv`)).toEqual({ file: plain, path: 'in/x.csv' });
		expect(await parseInput(colon)).toEqual({ file: colon, path: 'a:b' });
		expect(await parseInput(`${colon}:c`)).toEqual({ file: colon, path: 'c' });
	});
});
