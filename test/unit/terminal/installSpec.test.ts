import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import type { InstallSpec } from '../../../src/project/install/spec.js';
import { type InstallOptions, installWish } from '../../../src/terminal/commands/installSpec.js';
import { runProgram } from '../../../src/terminal/program.js';

let dir: string;
beforeEach(async () => {
	dir = await mkdtemp(path.join(os.tmpdir(), 'b2d-install-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** The sources that the options and the text of a `boinc2docker.yml` ask for. */
async function sources(options: Partial<InstallOptions>, yaml = ''): Promise<unknown> {
	const file = path.join(dir, 'boinc2docker.yml');
	await writeFile(file, yaml);
	return (await installWish({ ...options, file })).sources;
}

describe('the runtimes to install', () => {
	test('are containers alone, unless something of the virtual machine is named', async () => {
		expect(await sources({})).toEqual({ docker: { release: 'latest' } });
		expect(await sources({}, 'iso: 1.0.0\nvboxwrapper: 26198\n')).toEqual({ docker: { release: 'latest' } });
		expect(await sources({ iso: 'https://example.org/b2d.iso' })).toEqual({
			docker: { release: 'latest' },
			vm: { wrapper: { release: 'latest' }, iso: { url: 'https://example.org/b2d.iso' } },
		});
		expect(await sources({ vboxwrapper: '26212', release: '22', iso: '/x.iso' })).toEqual({
			docker: { release: '22' },
			vm: { wrapper: { release: '26212' }, iso: { file: '/x.iso' } },
		});
	});

	test('can be chosen; options go before the file', async () => {
		expect(await sources({ runtime: ['vm'], wrappers: dir, iso: '/x.iso' })).toEqual({
			vm: { wrapper: { folder: dir }, iso: { file: '/x.iso' } },
		});
		expect(await sources({ runtime: ['docker'] }, 'iso: x.iso\n')).toEqual({ docker: { release: 'latest' } });
		await expect(sources({ runtime: ['lxc'] })).rejects.toMatchObject({ code: 'usage' });
	});

	test('take the ISO that was built beside the program, if none is named', async () => {
		expect(await sources({ runtime: ['docker', 'vm'] })).toMatchObject({
			vm: { iso: { file: expect.stringMatching(/[/\\]iso[/\\]boinc2docker\.iso$/) as string } },
		});
	});

	test('have paths that start from the folder of the file', async () => {
		expect(await sources({}, 'runtimes: [vm]\nwrapper: ./w\niso: out/b2d.iso\n')).toEqual({
			vm: { wrapper: { folder: path.join(dir, 'w') }, iso: { file: path.join(dir, 'out/b2d.iso') } },
		});
		expect(await sources({}, 'vboxwrapper: vbox\niso: https://example.org/b2d.iso\n')).toEqual({
			docker: { release: 'latest' },
			vm: { wrapper: { folder: path.join(dir, 'vbox') }, iso: { url: 'https://example.org/b2d.iso' } },
		});
	});
});

describe('what judges and collects results', () => {
	const spec = async (
		options: Partial<InstallOptions>,
	): Promise<Pick<InstallSpec, 'validator' | 'assimilator' | 'signingKey'>> => {
		const file = path.join(dir, 'boinc2docker.yml');
		await writeFile(file, 'validator: bitwise\n');
		return (await installWish({ ...options, file })).spec({ wrappers: [], busybox: [], notes: [] });
	};

	test('is what BOINC has, or programs of one’s own', async () => {
		expect(await spec({})).toMatchObject({ validator: 'bitwise' });
		expect(await spec({ validator: 'none', assimilator: 'none' })).toMatchObject({ validator: 'none', assimilator: 'none' });
		expect(await spec({ validator: 'script:check', assimilator: 'script:keep' })).toMatchObject({
			validator: { initScript: 'check' },
			assimilator: { script: 'keep' },
		});
		expect((await spec({ validator: 'script:check,same' })).validator).toEqual({ initScript: 'check', compareScript: 'same' });
		expect((await spec({ validator: 'script:,same' })).validator).toEqual({ compareScript: 'same' });
		for (const wrong of [
			{ validator: 'script:' },
			{ validator: 'x' },
			{ assimilator: 'script:' },
			{ assimilator: 'script:a,b' },
		]) {
			await expect(spec(wrong)).rejects.toMatchObject({ code: 'usage' });
		}
	});

	test('a key for signing is read, and said to be missing', async () => {
		const key = path.join(dir, 'key');
		await writeFile(key, '1024\n');
		expect((await spec({ signingKey: key })).signingKey).toBe('1024\n');
		await expect(spec({ signingKey: `${key}.gone` })).rejects.toMatchObject({ code: 'input-missing' });
	});
});

test('projhome is the project’s folder where the address of the server has none', async () => {
	const file = path.join(dir, 'boinc2docker.yml');
	await writeFile(file, `projhome: ${dir}/project\n`);
	const said = vi.spyOn(console, 'log').mockReturnValue();
	const install = (server: string): Promise<number> =>
		runProgram(['install', '--json', '--server', server, '--file', file], '0.0.0');
	expect([await install('local:'), await install(`local:${dir}/other`)]).toEqual([1, 1]);
	const answers = said.mock.calls.map(([text]) => JSON.parse(String(text)) as { error: { code: string; message: string } });
	expect(answers.map(({ error }) => error.code)).toEqual(['project-not-found', 'project-not-found']);
	expect(answers[0]?.error.message).toContain(`${dir}/project`);
	expect(answers[1]?.error.message).toContain(`${dir}/other`);
	said.mockRestore();
});
