import { expect, test } from 'vitest';

import { BoincError } from '../../../src/common/errors.js';
import { parseAppFile } from '../../../src/project/appFile.js';

test('reads the keys of the original', async () => {
	const file = await parseAppFile(`
projhome: /home/boincadm/project
appname: boinc2docker
appver: 1.10
iso: 0.46
vboxwrapper: 26171
resultsdir: /results
tmpdir: /tmp/b2d
dont_install: [template_in, template_out, assimilator]
download_only: true
`);
	expect(file).toMatchObject({
		projectHome: '/home/boincadm/project',
		app: 'boinc2docker',
		version: '1.10',
		resultsDir: '/results',
		tempDir: '/tmp/b2d',
		dontInstall: ['template_in', 'template_out', 'assimilator'],
		downloadOnly: true,
		assimilator: 'none',
	});
	expect(file).toMatchObject({ iso: undefined, vboxwrapper: undefined, runtimes: undefined });
	expect(file.notes.join()).toContain('vboxwrapper 26171 cannot run our jobs');
	expect(file.notes.join()).toContain('iso 0.46');
});

test('releases of vboxwrapper for each platform, as the original has them, are said to be too old', async () => {
	const file = await parseAppFile('vboxwrapper:\n  x86_64-pc-linux-gnu: "26198"\n  windows_x86_64: "26200"\n');
	expect(file.vboxwrapper).toBeUndefined();
	expect(file.notes.join()).toContain('26198, 26200');
});

test('takes the processors of the app from what its jobs ask for', async () => {
	expect(await parseAppFile('resources:\n  cpus: 4\n  memory: 2 GiB\n')).toMatchObject({ cpus: 4 });
	expect(await parseAppFile('resources: { memory: 2 GiB }\n')).toMatchObject({ cpus: undefined });
	await expect(parseAppFile('resources: { cpus: many }\n')).rejects.toMatchObject({ code: 'config-invalid' });
});

test('reads the keys of the VM runtime', async () => {
	expect(await parseAppFile('runtimes: [docker, vm]\niso: out/b2d.iso\nvboxwrapper: 26212\n')).toMatchObject({
		runtimes: ['docker', 'vm'],
		iso: { file: 'out/b2d.iso' },
		vboxwrapper: { release: '26212' },
		notes: [],
	});
	expect(await parseAppFile('iso: https://example.org/b2d.iso\nvboxwrapper: ./wrappers\n')).toMatchObject({
		iso: { url: 'https://example.org/b2d.iso' },
		vboxwrapper: { folder: './wrappers' },
	});
});

test('reads our own keys, leaves those of jobs alone', async () => {
	const file = await parseAppFile(`
friendly_name: My science
wrapper: 22
busybox: [/opt/busybox-amd64, https://example.org/busybox-arm64]
platforms: [x86_64-pc-linux-gnu, windows_arm64]
validator: { init_script: check, compare_script: compare }
assimilator: collect
jobs: [{ command: x }]
`);
	expect(file).toMatchObject({
		friendlyName: 'My science',
		wrapper: { release: '22' },
		busybox: ['/opt/busybox-amd64', 'https://example.org/busybox-arm64'],
		platforms: ['x86_64-pc-linux-gnu', 'windows_arm64'],
		validator: { initScript: 'check', compareScript: 'compare' },
		assimilator: 'collect',
		notes: [],
	});
	expect((await parseAppFile('wrapper: https://example.org/w/')).wrapper).toEqual({ url: 'https://example.org/w/' });
	expect((await parseAppFile('wrapper: ./wrappers')).wrapper).toEqual({ folder: './wrappers' });
	expect((await parseAppFile('dont_install: assimilator')).assimilator).toBe('none');
	expect((await parseAppFile('assimilator: { script: keep_best }')).assimilator).toEqual({ script: 'keep_best' });
});

test('an odd version of the original becomes the next even one, with a note', async () => {
	const file = await parseAppFile('appver: 1.07');
	expect(file.version).toBe('1.08');
	expect(file.notes).toHaveLength(1);
});

test('an empty file says nothing', async () => {
	expect(await parseAppFile('')).toMatchObject({ app: undefined, downloadOnly: false, busybox: [], notes: [] });
	expect(await parseAppFile('# only a comment\n')).toMatchObject({ app: undefined });
});

test.each([
	['appname: a\nappver: [1\n', 3],
	['appname: a\n\nappver: banana\n', 3],
	['dont_install:\n  - everything\n', 1],
	['\nplatforms: [amiga]\n', 2],
	['validator: strict', 1],
	['appname:\n  - a\n', 1],
	['a: b\ndownload_only: maybe\n', 2],
	['appname: it’s', 1],
	['validator: {}', 1],
	['assimilator: {}', 1],
	['assimilator: { script: keep --best }', 1],
	['validator: { init_script: ../check }', 1],
	['runtimes: [docker, lxc]', 1],
	['a: b\nvboxwrapper: { windows_x86_64: 26212 }', 2],
	['- a list', 1],
])('says in which line %j is wrong', async (text, line) => {
	const error: unknown = await parseAppFile(text).catch((cause: unknown) => cause);
	expect(BoincError.is(error, 'config-invalid')).toBe(true);
	expect((error as BoincError).detail).toMatchObject({ file: 'boinc2docker.yml', line });
});
