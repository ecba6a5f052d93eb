import { text } from 'node:stream/consumers';

import { describe, expect, test } from 'vitest';

import { contentOfBytes } from '../../../src/common/content.js';
import { architecturesOf, equipmentOfApp, runtimeOf, usesMachines, versionNumFor } from '../../../src/project/apps.js';
import { complaint, unsignedFiles } from '../../../src/project/install/registerVersions.js';
import { checkSpec, formatVersion, type InstallSpec, parseVersion } from '../../../src/project/install/spec.js';
import { type VersionFile, wantedNames } from '../../../src/project/install/versionFiles.js';
import { equipmentFor, type ExistingVersion, filesOfXmlDoc, planVersions } from '../../../src/project/install/versions.js';
import type { InstalledApp, Runtime } from '../../../src/project/types.js';

const LINUX = {
	platform: 'x86_64-pc-linux-gnu',
	fileName: 'docker_wrapper_22_x86_64-pc-linux-gnu',
	content: contentOfBytes('linux'),
} as const;
const WINDOWS = {
	platform: 'windows_x86_64',
	fileName: 'docker_wrapper_22_windows_x86_64.exe',
	content: contentOfBytes('windows'),
} as const;
const ARM = {
	platform: 'aarch64-unknown-linux-gnu',
	fileName: 'docker_wrapper_22_arm64-pc-linux-gnu',
	content: contentOfBytes('arm'),
} as const;
const SPEC: InstallSpec = {
	app: 'mysci',
	friendlyName: 'My science',
	wrappers: [LINUX],
	busybox: [
		{ architecture: 'amd64', content: contentOfBytes('busybox amd64') },
		{ architecture: 'arm64', content: contentOfBytes('busybox arm64') },
	],
	runner: contentOfBytes('runner'),
};

const VBOX = {
	platform: 'x86_64-pc-linux-gnu',
	fileName: 'vboxwrapper_26212_x86_64-pc-linux-gnu',
	content: contentOfBytes('vboxwrapper'),
} as const;
const VM = { wrappers: [VBOX], iso: contentOfBytes('iso'), disk: contentOfBytes('disk') };

const APP: InstalledApp = { id: 1, name: 'mysci', friendlyName: 'My science', deprecated: false, versions: [] };
const version = (planClass: string, runtime: Runtime | undefined): InstalledApp['versions'][number] => ({
	...{ versionNum: 100, platform: 'x86_64-pc-linux-gnu', planClass, runtime },
});

/** The rows that installing a plan leaves behind. */
function installed(spec: InstallSpec, before: readonly ExistingVersion[] = []): ExistingVersion[] {
	const { create } = planVersions(spec, before, new Map());
	return [
		...before,
		...create.map((version) => ({
			versionNum: version.versionNum,
			platform: version.platform,
			planClass: version.planClass,
			deprecated: false,
			files: new Map(version.files.map((file) => [file.physicalName, file.content.size])),
		})),
	];
}

const numbers = (spec: InstallSpec, existing: readonly ExistingVersion[]): Record<string, number> =>
	Object.fromEntries(planVersions(spec, existing, new Map()).create.map((version) => [version.platform, version.versionNum]));

describe('app versions', () => {
	test('begin at 1.00 for amd64 and 1.01 for arm64', () => {
		expect(numbers({ ...SPEC, wrappers: [LINUX, WINDOWS, ARM] }, [])).toEqual({
			'x86_64-pc-linux-gnu': 100,
			windows_x86_64: 100,
			'aarch64-unknown-linux-gnu': 101,
		});
	});

	test('begin with our script on Linux, which names the wrapper; busybox and runner are copies', () => {
		const wrappers = [{ ...LINUX, apiVersion: '8.3.0' }];
		const [version] = planVersions({ ...SPEC, wrappers }, [], new Map()).create;
		expect(version?.directory).toBe('1.00/x86_64-pc-linux-gnu__docker');
		expect(version?.files.map((file) => [file.physicalName.replace(/[0-9a-f]{8}/, 'HASH'), file.logicalName])).toEqual([
			['b2d_start_HASH', undefined],
			['docker_wrapper_22_x86_64-pc-linux-gnu', undefined],
			['b2d_busybox_HASH_amd64', 'busybox'],
			['b2d_runner_HASH', 'runner'],
		]);
		expect(version?.versionXml).toMatch(
			/<physical_name>b2d_start_[0-9a-f]{8}<\/physical_name>\s*<main_program\/>\s*<\/file>\s*<file>\s*<physical_name>docker_wrapper_22_x86_64-pc-linux-gnu<\/physical_name>\s*<\/file>/,
		);
		expect(version?.versionXml.match(/<main_program\/>/g)).toHaveLength(1);
		expect(version?.versionXml.match(/<copy_file\/>/g)).toHaveLength(2);
		expect(version?.versionXml).toContain('<is_wrapper/>');
		// `update_versions` would look for it in the script.
		expect(version?.versionXml).toContain('<api_version>8.3.0</api_version>');
	});

	test('begin with the wrapper itself on Windows and macOS', () => {
		const mac = {
			platform: 'arm64-apple-darwin',
			fileName: 'docker_wrapper_22_arm64-apple-darwin',
			content: contentOfBytes('mac'),
		} as const;
		const versions = planVersions({ ...SPEC, wrappers: [WINDOWS, mac] }, [], new Map()).create;
		expect(versions.map(({ files }) => files[0]?.physicalName)).toEqual([WINDOWS.fileName, mac.fileName]);
	});

	test('of Linux that begin with the wrapper, as earlier ones did, get a new number and stay for their jobs', () => {
		const earlier = installed(SPEC).map((version) => ({
			...version,
			files: new Map([...version.files].filter(([name]) => !name.startsWith('b2d_start_'))),
		}));
		expect(numbers(SPEC, earlier)).toEqual({ 'x86_64-pc-linux-gnu': 102 });
		expect(planVersions(SPEC, installed(SPEC, earlier), new Map()).create).toEqual([]);
	});

	test('of Linux have another script for another wrapper', async () => {
		const script = (fileName: string): VersionFile =>
			planVersions({ ...SPEC, wrappers: [{ ...LINUX, fileName }] }, [], new Map()).create[0]!.files[0]!;
		const { physicalName, content } = script('docker_wrapper_22_x86_64-pc-linux-gnu');
		expect(await text(content.open(0))).toContain('\nwrapper=${0%/*}/docker_wrapper_22_x86_64-pc-linux-gnu\n');
		expect(await text(content.open(0))).not.toContain('@WRAPPER@');
		expect(script('docker_wrapper_23_x86_64-pc-linux-gnu').physicalName).not.toBe(physicalName);
	});

	test('for several processors are in classes of their own, and an app is for one number of them', () => {
		const spec = { ...SPEC, vm: VM, cpus: 4 };
		const rows = installed(spec);
		expect(rows.map(({ planClass }) => planClass)).toEqual(['docker_cpu4', 'vbox64_cpu4']);
		expect(equipmentFor(SPEC, [])).toEqual({ cpus: 1 });
		expect(equipmentFor(SPEC, rows)).toEqual({ cpus: 4 });
		expect(equipmentFor(spec, rows)).toEqual({ cpus: 4 });
		expect(() => equipmentFor({ ...SPEC, cpus: 2 }, rows)).toThrow(/4 processors, and 2 are asked for/);
		expect(() => checkSpec({ ...spec, cpus: 33 })).toThrow(/33 processors/);
		expect(equipmentOfApp({ ...APP, versions: [version('docker_cpu4', 'docker'), version('sse2', undefined)] })).toEqual({
			cpus: 4,
		});
		expect(equipmentOfApp({ ...APP, versions: [version('docker', 'docker')] })).toEqual({ cpus: 1 });
	});

	test('for jobs with a GPU are in a class of their own, never in virtual machines, and an app is for one kind', () => {
		const spec = { ...SPEC, gpu: { type: 'nvidia', cuda: 12_040 } } as const;
		const rows = installed(spec);
		expect(rows.map(({ planClass }) => planClass)).toEqual(['docker_nvidia_cuda12040']);
		expect(equipmentFor(spec, [])).toEqual({ cpus: 1, gpu: spec.gpu });
		expect(equipmentFor(SPEC, rows)).toEqual({ cpus: 1, gpu: spec.gpu });
		expect(() => equipmentFor(spec, installed(SPEC))).toThrow(
			/gives each job no GPU, and a GPU of NVIDIA with CUDA 12\.4 is asked/,
		);
		expect(() => equipmentFor({ ...spec, gpu: { type: 'nvidia' } }, rows)).toThrow(
			/with CUDA 12\.4, and a GPU of NVIDIA is asked/,
		);
		expect(() => checkSpec(spec)).not.toThrow();
		expect(() => checkSpec({ ...spec, vm: VM })).toThrow(/VirtualBox gives a virtual machine none/);
	});

	test('are not made again when they are installed', () => {
		const spec = { ...SPEC, wrappers: [LINUX, WINDOWS, ARM] };
		const plan = planVersions(spec, installed(spec), new Map());
		expect(plan.create).toEqual([]);
		expect(plan.upToDate).toHaveLength(3);
	});

	test('of one architecture keep one number when one of them changes', () => {
		const spec = { ...SPEC, wrappers: [LINUX, WINDOWS, ARM] };
		const changed = { ...WINDOWS, fileName: 'docker_wrapper_23_windows_x86_64.exe', content: contentOfBytes('new') };
		expect(numbers({ ...spec, wrappers: [LINUX, changed, ARM] }, installed(spec))).toEqual({
			'x86_64-pc-linux-gnu': 102,
			windows_x86_64: 102,
		});
	});

	test('of a further platform join the number of the others', () => {
		expect(numbers({ ...SPEC, wrappers: [LINUX, WINDOWS] }, installed(SPEC))).toEqual({ windows_x86_64: 100 });
	});

	test('all get a new number when the runner changes', () => {
		const spec = { ...SPEC, wrappers: [LINUX, ARM] };
		expect(numbers({ ...spec, runner: contentOfBytes('runner 2') }, installed(spec))).toEqual({
			'x86_64-pc-linux-gnu': 102,
			'aarch64-unknown-linux-gnu': 103,
		});
	});

	test('of a further platform with a new runner take the others along', () => {
		const plan = planVersions({ ...SPEC, wrappers: [WINDOWS], runner: contentOfBytes('runner 2') }, installed(SPEC), new Map());
		expect(plan.create.map((version) => version.versionNum)).toEqual([102]);
		expect(plan.warnings.join()).toContain('x86_64-pc-linux-gnu');
	});

	test('never take a number that was withdrawn, nor one of another class', () => {
		const withdrawn = installed(SPEC).map((version) => ({ ...version, deprecated: true }));
		expect(numbers(SPEC, withdrawn)).toEqual({ 'x86_64-pc-linux-gnu': 102 });
		const vm = { versionNum: 107, platform: 'windows_x86_64', planClass: 'vbox64_mt', deprecated: false, files: new Map() };
		expect(numbers(SPEC, [vm])).toEqual({ 'x86_64-pc-linux-gnu': 108 });
	});

	test('take the number that is asked for, if it is free', () => {
		expect(numbers({ ...SPEC, version: '2.10' }, [])).toEqual({ 'x86_64-pc-linux-gnu': 210 });
		expect(() => planVersions({ ...SPEC, version: '1.00', runner: contentOfBytes('other') }, installed(SPEC), new Map())).toThrow(
			/1\.00 or a later one/,
		);
		expect(planVersions({ ...SPEC, version: '1.00' }, installed(SPEC), new Map()).create).toEqual([]);
	});

	test('rename a wrapper whose name is taken by another program', () => {
		const taken = new Map([
			[LINUX.fileName, 'another md5'],
			[WINDOWS.fileName, 'another md5'],
		]);
		const names = planVersions({ ...SPEC, wrappers: [LINUX, WINDOWS] }, [], taken).create.map(
			(version) => version.files.find((file) => file.physicalName.startsWith('docker_wrapper'))?.physicalName,
		);
		expect(names[0]).toMatch(/^docker_wrapper_22_x86_64-pc-linux-gnu_[0-9a-f]{8}$/);
		expect(names[1]).toMatch(/^docker_wrapper_22_windows_x86_64_[0-9a-f]{8}\.exe$/);
		expect(planVersions(SPEC, [], new Map([[LINUX.fileName, LINUX.content.md5]])).create[0]?.files[1]?.physicalName).toBe(
			LINUX.fileName,
		);
	});

	test('need a busybox of their architecture', () => {
		expect(() => wantedNames({ ...SPEC, wrappers: [ARM], busybox: SPEC.busybox.slice(0, 1) })).toThrow(/arm64/);
	});
});

describe('app versions for VirtualBox', () => {
	const both = { ...SPEC, wrappers: [LINUX, ARM], vm: VM };

	test('share number, busybox and runner with those for containers', () => {
		const versions = planVersions(both, [], new Map()).create;
		expect(versions.map(({ directory }) => directory)).toEqual([
			'1.00/x86_64-pc-linux-gnu__docker',
			'1.00/x86_64-pc-linux-gnu__vbox64_mt',
			'1.01/aarch64-unknown-linux-gnu__docker',
		]);
		const [docker, machine] = versions;
		expect(machine?.files.map((file) => [file.physicalName.replace(/[0-9a-f]{8}/, 'HASH'), file.logicalName])).toEqual([
			['vboxwrapper_26212_x86_64-pc-linux-gnu', undefined],
			['b2d_busybox_HASH_amd64', 'busybox'],
			['b2d_runner_HASH', 'runner'],
			['b2d_vm_HASH.iso', 'vm_isocontext.iso'],
			['b2d_disk_HASH.vdi', 'vm_cache.vdi'],
		]);
		expect(machine?.files.slice(1, 3)).toEqual(docker?.files.slice(2, 4));
		expect(machine?.versionXml.match(/<main_program\/>/g)).toHaveLength(1);
		expect(machine?.versionXml.match(/<copy_file\/>/g)).toHaveLength(4);
	});

	test('can be the only ones', () => {
		const only = { ...SPEC, wrappers: [], vm: VM };
		checkSpec(only);
		expect(numbers(only, [])).toEqual({ 'x86_64-pc-linux-gnu': 100 });
		expect(planVersions(only, installed(only), new Map()).create).toEqual([]);
	});

	test('join an app that has versions for containers, and stay when those are looked at alone', () => {
		const before = installed({ ...SPEC, wrappers: [LINUX, ARM] });
		const plan = planVersions(both, before, new Map());
		expect(plan.create.map(({ directory }) => directory)).toEqual(['1.00/x86_64-pc-linux-gnu__vbox64_mt']);
		expect(plan.upToDate).toHaveLength(2);
		expect(planVersions(both, installed(both, before), new Map())).toMatchObject({ create: [], warnings: [] });
		expect(planVersions(SPEC, installed(both), new Map())).toMatchObject({ create: [], warnings: [] });
	});

	test('take those for containers along when the ISO changes, and tell who is left behind', () => {
		const changed = { ...both, vm: { ...VM, iso: contentOfBytes('iso 2') } };
		expect(planVersions(changed, installed(both), new Map()).create.map(({ directory }) => directory)).toEqual([
			'1.02/x86_64-pc-linux-gnu__docker',
			'1.02/x86_64-pc-linux-gnu__vbox64_mt',
		]);
		const alone = planVersions({ ...SPEC, runner: contentOfBytes('runner 2') }, installed(both), new Map());
		expect(alone.warnings.join()).toContain('x86_64-pc-linux-gnu (vbox64_mt)');
	});

	test('of another system get no number of ours, and are warned of', () => {
		const old = { versionNum: 107, platform: 'x86_64-pc-linux-gnu', planClass: 'vbox64_mt', deprecated: false, files: new Map() };
		const plan = planVersions(both, [old], new Map());
		expect(plan.create.map(({ versionNum }) => versionNum)).toEqual([108, 108, 109]);
		expect(plan.warnings.join()).toContain('1.07 for x86_64-pc-linux-gnu (vbox64_mt), which is not ours');
		expect(planVersions(both, [{ ...old, deprecated: true }], new Map()).warnings).toEqual([]);
	});

	test('are for x86-64 hosts only, one for each platform', () => {
		expect(() => checkSpec({ ...both, vm: { ...VM, wrappers: [{ ...VBOX, platform: 'windows_arm64' }] } })).toThrow(/x86-64/);
		expect(() => checkSpec({ ...both, vm: { ...VM, wrappers: [VBOX, VBOX] } })).toThrow(/Two wrappers/);
		expect(() => checkSpec({ ...SPEC, wrappers: [] })).toThrow(/no wrapper/);
	});
});

describe('what is asked for', () => {
	test.each(['', "a'b", 'a b', '../x', 'ü', '-a', 'a.b', 'x'.repeat(65)])('refuses the app name %j', (app) => {
		expect(() => checkSpec({ ...SPEC, app })).toThrow(/cannot be the name of an app/);
	});

	test.each(["Marie's app", 'a"b', 'back\\slash', ' ', 'line\nbreak', 'x'.repeat(255)])(
		'refuses the friendly name %j, which xadd would write unescaped',
		(friendlyName) => {
			expect(() => checkSpec({ ...SPEC, friendlyName })).toThrow(/friendly name/);
		},
	);

	test.each(['1', '1.1', '1.01', '0.00', '1.2.3', 'x', '1.000'])('refuses the version %j', (version) => {
		expect(() => checkSpec({ ...SPEC, version })).toThrow(/version/);
	});

	test('refuses scripts with arguments, which BOINC loses', () => {
		expect(() => checkSpec({ ...SPEC, validator: { initScript: 'check files' } })).toThrow(/script of the validator/);
		expect(() => checkSpec({ ...SPEC, assimilator: { script: 'keep best' } })).toThrow(/script of the assimilator/);
		expect(() => checkSpec({ ...SPEC, validator: { initScript: 'check.py' } })).not.toThrow();
	});

	test('reads and writes version numbers', () => {
		expect(parseVersion('1.02')).toBe(102);
		expect(formatVersion(102)).toBe('1.02');
		expect(formatVersion(1210)).toBe('12.10');
	});
});

test('a job is pinned to the newest number of its architecture', () => {
	const version = (
		platform: string,
		versionNum: number,
		planClass = 'docker',
		runtime: 'docker' | 'vm' | undefined = 'docker',
	): InstalledApp['versions'][number] => ({ platform, versionNum, planClass, runtime });
	const app: InstalledApp = {
		id: 1,
		name: 'a',
		friendlyName: 'A',
		deprecated: false,
		versions: [
			version('x86_64-pc-linux-gnu', 104),
			version('windows_x86_64', 104),
			version('windows_arm64', 105),
			version('i686-pc-linux-gnu', 300),
			version('x86_64-pc-linux-gnu', 400, 'vbox64_mt', 'vm'),
		],
	};
	const machines = { ...app, versions: app.versions.slice(-1) };
	expect(versionNumFor(machines, 'amd64')).toBe(400);
	expect(architecturesOf(machines)).toEqual(['amd64']);
	expect([usesMachines(app), usesMachines({ ...app, versions: app.versions.slice(0, 3) })]).toEqual([true, false]);
	expect([
		runtimeOf('docker_gpu', false),
		runtimeOf('vbox64_mt', true),
		runtimeOf('vbox64_mt', false),
		runtimeOf('mt', true),
	]).toEqual(['docker', 'vm', undefined, undefined]);
	expect(versionNumFor(app, 'amd64')).toBe(104);
	expect(versionNumFor(app, 'arm64')).toBe(105);
	expect(architecturesOf(app)).toEqual(['amd64', 'arm64']);
	expect(versionNumFor({ ...app, versions: [] }, 'arm64')).toBeUndefined();
});

describe('the answer of update_versions', () => {
	const [version] = planVersions(SPEC, [], new Map()).create;
	const info = (name: string, signature: string): string =>
		`<file_info>\n    <name>${name}</name>\n    <executable/>\n    <file_signature>\n${signature}\n.\n    </file_signature>\n    <nbytes>7</nbytes>\n</file_info>\n`;
	const signature = `${'0123456789abcdef'.repeat(4)}\n${'0123456789abcdef'.repeat(4)}`;

	test('files without signature are found', () => {
		const names = version!.files.map((file) => file.physicalName);
		const whole = names.map((name) => info(name, signature)).join('');
		expect(unsignedFiles(whole, version!)).toEqual([]);
		expect(unsignedFiles(whole.replace(signature, ''), version!)).toEqual([names[0]]);
		expect(unsignedFiles(info(names[0]!, signature), version!)).toEqual(names.slice(1));
		expect(filesOfXmlDoc(whole)).toEqual(new Map(names.map((name) => [name, 7])));
	});

	test('the telling lines are kept, the chatter is not', () => {
		const output =
			'\nPHP Deprecated: something\nFound app version directory for: mysci 1.00 x\nError: files a and b differ.\nBOINC files are immutable.\n';
		expect(complaint(output)).toBe('Error: files a and b differ. BOINC files are immutable.');
		expect(complaint('\n\n')).toBe('nothing');
	});
});
