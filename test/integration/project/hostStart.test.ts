import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { contentOfBytes } from '../../../src/common/content.js';
import { dockerfileFor, imageName } from '../../../src/image/recipe.js';
import { jobToml } from '../../../src/job/jobToml.js';
import { wantedVersions } from '../../../src/project/install/versionFiles.js';
import { startTestEngine, type TestEngine } from '../../support/engines.js';
import { engineRun } from '../../support/images.js';

const run = promisify(execFile);
const PROJECT = 'projects/example.org_proj';

/**
 * Does with its slot what docker_wrapper does: builds the image if it is not there, and runs a container of it. Where the slot has
 * nothing for that, it is left out, for it takes a second.
 */
const wrapper = (engine: string): string => `#!/bin/sh
name=$(sed -n 's/^image_name = "\\(.*\\)"$/\\1/p' job.toml)
container=boinc__proj__slot\${PWD##*/}
if ! ${engine} images | grep -q "$name "; then
	echo building
	${engine} build . -t "$name" -f Dockerfile || exit 1
fi
[ -e own ] || exit 0
${engine} create --name $container -v "$PWD/":/boinc --network none "$name" >/dev/null || exit 1
${engine} start $container >/dev/null || exit 1
${engine} wait $container
${engine} logs $container
${engine} container rm $container >/dev/null
`;

const id = (number: number): string => contentOfBytes(`image ${String(number)}`).sha256;
const IDS = Array.from({ length: 10 }, (_, number) => id(number));

describe.each(['docker', 'podman'] as const)('images of jobs on a host with %s', (kind) => {
	let engine: TestEngine;
	let dir: string;

	beforeAll(async () => {
		engine = await startTestEngine(kind);
		dir = await mkdtemp(path.join(tmpdir(), 'b2d-start-'));
		await mkdir(path.join(dir, PROJECT), { recursive: true });
		const [version] = wantedVersions(
			{
				app: 'app',
				friendlyName: 'App',
				wrappers: [{ platform: 'x86_64-pc-linux-gnu', fileName: 'docker_wrapper_22', content: contentOfBytes(wrapper(kind)) }],
				busybox: [{ architecture: 'amd64', content: contentOfBytes('busybox') }],
				runner: contentOfBytes('runner'),
			},
			new Map(),
		);
		for (const [name, { content }] of ['start', 'docker_wrapper_22'].map(
			(name, index) => [name, version!.files[index]!] as const,
		)) {
			await writeFile(path.join(dir, PROJECT, name), await text(content.open(0)), { mode: 0o755 });
		}
	});
	afterAll(async () => {
		await engine.remove();
		await rm(dir, { recursive: true, force: true });
	});

	const slot = (number: number): string => path.join(dir, 'slots', String(number));

	/** Sets up a slot for a job whose container shows what it finds in the image and in the slot. */
	async function setUp(number: number, image: string): Promise<void> {
		await mkdir(slot(number), { recursive: true });
		await copyFile('/bin/busybox', path.join(slot(number), 'busybox'));
		await writeFile(path.join(slot(number), 'marker'), image);
		await run('tar', ['-czf', 'pack_1', 'busybox', 'marker'], { cwd: slot(number) });
		const entrypoint = ['/busybox', 'cat', '/marker', '/boinc/own'];
		const recipe = { id: image, config: { env: [], workingDir: '' }, packs: ['pack_1'] };
		await writeFile(path.join(slot(number), 'Dockerfile'), dockerfileFor(recipe, { entrypoint }));
		await writeFile(path.join(slot(number), 'job.toml'), jobToml(imageName(image), { network: 'none' }));
		const type = kind === 'docker' ? 1 : 2;
		await writeFile(
			path.join(slot(number), 'init_data.xml'),
			`<host_info>\n    <docker_type>${type}</docker_type>\n</host_info>\n`,
		);
	}

	/** Starts a job in a slot; resolves to what it said. */
	async function job(number: number, image: string, program = 'start'): Promise<string> {
		await setUp(number, image);
		const { stdout, stderr } = await run(`../../${PROJECT}/${program}`, [], {
			cwd: slot(number),
			env: { ...process.env, ...engine.env },
		});
		return stdout + stderr;
	}

	/** The same with a container, which must see its image and its slot. */
	async function wholeJob(number: number, image: string, program?: string): Promise<string> {
		await mkdir(slot(number), { recursive: true });
		await writeFile(path.join(slot(number), 'own'), ` ${String(number)}\n`);
		const said = await job(number, image, program);
		expect(said).toContain(`0\n${image} ${String(number)}\n`);
		return said;
	}

	async function images(...options: string[]): Promise<string[]> {
		const { stdout } = await engineRun(engine, ['image', 'ls', ...options, '--format', '{{.Repository}}']);
		return stdout.split('\n').flatMap((name) => (name === '' ? [] : [name.replace(/^localhost\//, '')]));
	}

	it('are built once when jobs start at the same time, which all run', async () => {
		const said = await Promise.all([3, 4, 5].map((number) => wholeJob(number, IDS[8]!)));
		expect(said.filter((each) => each.includes('building'))).toHaveLength(1);
		expect(await images('--filter', 'dangling=true')).toEqual([]);
		expect(await wholeJob(3, IDS[8]!)).not.toContain('building');
	});

	it('may be built side by side where nobody has jobs wait: all run', async () => {
		const said = await Promise.all([3, 4].map((number) => wholeJob(number, IDS[9]!, 'docker_wrapper_22')));
		expect(said.join('')).toContain('building');
		expect(await images()).toContain(imageName(IDS[9]!));
		await Promise.all([3, 4, 5].map((number) => rm(slot(number), { recursive: true, force: true })));
		await engineRun(engine, ['image', 'rm', imageName(IDS[8]!), imageName(IDS[9]!)]);
	});

	it('do not pile up, and those that something needs stay', async () => {
		await job(0, IDS[0]!);
		// An old image with a container, one that a waiting job names, and images of others.
		await engineRun(engine, ['create', '--name', 'boinc__x', imageName(IDS[0]!)]);
		await rm(slot(0), { recursive: true });
		await job(1, IDS[1]!);
		await engineRun(engine, ['tag', imageName(IDS[1]!), 'somebody/else']);
		await writeFile(path.join(dir, 'Dockerfile'), 'FROM scratch\nLABEL other=1\n');
		await engineRun(engine, ['build', dir, '-t', 'boinc__b2d_without_label']);

		for (const image of IDS.slice(2, 7)) {
			await job(2, image);
		}
		const ours = (await images()).filter((name) => /^boinc__b2d_[0-9a-f]{32}$/.test(name));
		// That of the last job and three before it, the one in use, and the one of the other slot.
		expect(new Set(ours)).toEqual(new Set([...IDS.slice(3, 7), IDS[0]!, IDS[1]!].map(imageName)));
		expect(await images()).toEqual(expect.arrayContaining(['somebody/else', 'boinc__b2d_without_label']));

		// The next job finds an image of before ready.
		expect(await job(2, IDS[6]!)).not.toContain('building');
		await engineRun(engine, ['rm', 'boinc__x']);
		await rm(slot(1), { recursive: true });
		const said = await job(2, IDS[7]!);
		expect(said).toContain(`Removed ${imageName(IDS[0]!)}, the image of earlier jobs.`);
		expect(await images()).not.toContain(imageName(IDS[0]!));
		expect(await readFile(path.join(slot(2), 'marker'), 'utf8')).toBe(IDS[7]);
	});
});
