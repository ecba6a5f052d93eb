import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { jobToml } from '../../../src/job/jobToml.js';

const SCRIPT = path.resolve(import.meta.dirname, '../../../templates/host/start.sh');
const SHELLS: readonly (readonly [string, ...string[]])[] = [['dash'], ['bash', '--posix'], ['busybox', 'sh']];
const PROJECT = 'projects/example.org_proj';

/** Lists the images in the file `images`, takes names away from it, and writes down how it was called. */
const FAKE_ENGINE = `#!/bin/sh
cd "\${0%/*}" || exit 1
echo "\${0##*/} $*" >> calls
case "$1 $2" in
'image inspect') grep -qxF "$5" images ;;
'image ls') cat images ;;
'image rm')
	if grep -qxF "$3" in_use 2>/dev/null; then
		echo 'Error: conflict: unable to remove' >&2
		exit 1
	fi
	grep -vxF "$3" images > rest
	mv rest images
	;;
esac
`;

/** Says what it was given, and which process it is. */
const FAKE_WRAPPER = '#!/bin/sh\nprintf "%s|" "${0##*/}" "$@"; printf "%s %s %s\\n" "$PWD" "$$" "$DOCKER_BUILDKIT"\n';

/** Builds the image as the real one does where it is missing: it takes a while, and in the slot \`broken\` it fails. */
const BUILDING_WRAPPER = `#!/bin/sh
image=$(sed -n 's/^image_name = "\\(.*\\)"$/\\1/p' job.toml)
images=../../bin/images
if ! grep -qxF "$image" $images; then
	touch building
	sleep 0.1
	if [ -e broken ]; then
		rm broken
		exit 1
	fi
	echo "$image" >> $images
	echo built
fi
echo ran
`;

let root: string;
const at = (...parts: string[]): string => path.join(root, ...parts);
const image = (letter: string): string => `boinc__b2d_${letter.repeat(32)}`;

async function slot(number: number, name: string): Promise<void> {
	await mkdir(at('slots', String(number)), { recursive: true });
	await writeFile(at('slots', String(number), 'job.toml'), jobToml(name, { network: 'none' }));
}

/** Images as Docker lists them, built last first. */
const images = (...names: string[]): Promise<void> => writeFile(at('bin/images'), names.map((name) => `${name}\n`).join(''));

async function left(): Promise<string[]> {
	return (await readFile(at('bin/images'), 'utf8')).split('\n').slice(0, -1);
}

const calls = async (): Promise<string[]> => (await readFile(at('bin/calls'), 'utf8')).split('\n').slice(0, -1);

const engine = (type: number, version = '20.10.24'): Promise<void> =>
	writeFile(
		at('slots/0/init_data.xml'),
		`<app_init_data>\n<host_info>\n    <docker_version>${version}</docker_version>\n    <docker_type>${String(type)}</docker_type>\n</host_info>\n</app_init_data>\n`,
	);

async function program(file: string, text: string): Promise<void> {
	await writeFile(file, text);
	await chmod(file, 0o755);
}

beforeEach(async () => {
	root = await mkdtemp(path.join(os.tmpdir(), 'b2d start-'));
	await mkdir(at(PROJECT), { recursive: true });
	await mkdir(at('bin'));
	const script = await readFile(SCRIPT, 'utf8');
	await program(
		at(PROJECT, 'b2d_start_1'),
		script.replaceAll('@WRAPPER@', 'docker_wrapper_22').replace('pause=1\n', 'pause=0.05\n'),
	);
	await program(at(PROJECT, 'docker_wrapper_22'), FAKE_WRAPPER);
	await program(at('bin/docker'), FAKE_ENGINE);
	// With what Podman puts in front of names, which may be left out.
	await program(at('bin/podman'), FAKE_ENGINE.replace('cat images', "sed 's,^boinc,localhost/&,' images"));
	await slot(0, image('a'));
	await engine(1);
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe.each(SHELLS)('in %s', (...shell: readonly [string, ...string[]]) => {
	const [interpreter, ...options] = shell;

	const start = (...args: string[]): ReturnType<typeof startIn> => startIn(0, ...args);

	/** Starts a task as the client does: the path of the main program is relative to the slot. */
	async function startIn(
		number: number,
		...args: string[]
	): Promise<{ stdout: string; stderr: string; pid: number | undefined }> {
		const child = promisify(execFile)(interpreter, [...options, `../../${PROJECT}/b2d_start_1`, ...args], {
			cwd: at('slots', String(number)),
			env: { ...process.env, PATH: `${at('bin')}:${process.env.PATH ?? ''}`, DOCKER_BUILDKIT: '' },
		});
		const { pid } = child.child;
		return { ...(await child), pid };
	}

	test('becomes the wrapper beside it: same process, folder and arguments', async () => {
		await images();
		const { stdout, stderr, pid } = await start('--nthreads', '4', 'two  words', '');
		expect(stdout).toBe(`docker_wrapper_22|--nthreads|4|two  words||${at('slots/0')} ${String(pid)} 0\n`);
		expect(stderr).toBe('');
	});

	test.each([
		['docker', 1],
		['podman', 2],
	])('keeps what slots name and three more, and says what it removes, with %s', async (program_, type) => {
		await engine(type);
		await slot(3, image('h'));
		await images(...'bcdefgh'.split('').map(image));
		const { stdout, stderr } = await start();
		expect(await left()).toEqual('bcdh'.split('').map(image));
		expect(new Set((await calls()).map((call) => call.split(' ')[0]))).toEqual(new Set([program_]));
		expect(stderr.split('\n').slice(0, -1)).toEqual(
			'efg'.split('').map((letter) => `Removed ${image(letter)}, the image of earlier jobs.`),
		);
		expect(stdout).toContain('docker_wrapper_22|');
	});

	test('asks for our images only, and never takes one that has another name or is in use', async () => {
		await images(...'bcde'.split('').map(image), 'somebody/else', 'boinc__proj__wu', image('f'), '<none>');
		await writeFile(at('bin/in_use'), `${image('e')}\n`);
		const { stderr } = await start();
		expect(await left()).toEqual([...'bcde'.split('').map(image), 'somebody/else', 'boinc__proj__wu', '<none>']);
		expect(stderr).toBe(`Removed ${image('f')}, the image of earlier jobs.\n`);
		expect((await calls()).filter((call) => !call.includes('inspect'))).toEqual([
			'docker image ls --filter label=org.boinc.boinc2docker.image --format {{.Repository}}',
			`docker image rm ${image('e')}`,
			`docker image rm ${image('f')}`,
			'docker image prune --force --filter label=org.boinc.boinc2docker.image --filter until=1h',
		]);
	});

	test('looks for nothing but its image when that is there', async () => {
		await images(...'bcdefga'.split('').map(image));
		await start();
		expect(await calls()).toEqual([`docker image inspect --format . ${image('a')}`]);
		expect(await left()).toHaveLength(7);
	});

	test('lets one of several jobs build their image, and the next one if that fails', async () => {
		await program(at(PROJECT, 'docker_wrapper_22'), BUILDING_WRAPPER);
		for (const number of [0, 1, 2]) {
			await slot(number, image('a'));
			await writeFile(at('slots', String(number), 'init_data.xml'), '<docker_type>2</docker_type>\n');
		}
		await images();
		const said = await Promise.all([0, 1, 2].map(async (number) => (await startIn(number)).stdout));
		expect(said.sort()).toEqual(['built\nran\n', 'ran\n', 'ran\n']);
		expect(await left()).toEqual([image('a')]);

		await images();
		await rm(at('slots/0/building'), { force: true });
		await writeFile(at('slots/0/broken'), '');
		const broken = startIn(0);
		broken.catch(() => undefined);
		await vi.waitFor(() => expect(existsSync(at('slots/0/building'))).toBe(true), { timeout: 20_000 });
		const second = await startIn(1);
		await expect(broken).rejects.toMatchObject({ code: 1 });
		expect(second.stdout).toBe('built\nran\n');
	});

	test.each([
		['20.10.24+dfsg1', '0'],
		['28.5.2', '0'],
		['29.0.0', ''],
		['101.1', ''],
		['?', ''],
	])('lets Docker %s build with DOCKER_BUILDKIT=%s', async (version, expected) => {
		await images(image('a'));
		await engine(1, version);
		expect((await start()).stdout.split(' ').at(-1)).toBe(`${expected}\n`);
		await engine(2, version);
		expect((await start()).stdout.split(' ').at(-1)).toBe('\n');
	});

	test('calls no engine where it is unknown, or the job has an image of another kind', async () => {
		await images(...'bcdefgh'.split('').map(image));
		await engine(7);
		await start();
		await engine(1);
		await slot(0, 'boinc__proj__wu');
		await start();
		await rm(at('slots/0/init_data.xml'));
		const { stdout, stderr } = await start();
		expect([stdout.startsWith('docker_wrapper_22|'), stderr]).toEqual([true, '']);
		expect(await left()).toHaveLength(7);
		await expect(calls()).rejects.toThrow('ENOENT');
	});

	test.each([
		['fails', 'exit 1'],
		['is killed', 'kill -9 $$'],
		['talks nonsense', 'echo "-x --all"; echo; echo "* ?"; echo "boinc__b2d_\\$(touch hurt) x"; [ "$2" != inspect ]'],
	])('starts the job when Docker %s', async (_how, body) => {
		await program(at('bin/docker'), `#!/bin/sh\n${body}\n`);
		const { stdout } = await start('arg');
		expect(stdout).toContain('docker_wrapper_22|arg|');
		await expect(readFile(at('slots/0/hurt'))).rejects.toThrow('ENOENT');
	});

	test('takes what a container wrote into its slot for nothing but names', async () => {
		await images(...'bcdef'.split('').map(image));
		await mkdir(at('slots/1'));
		await promisify(execFile)('mkfifo', [at('slots/1/job.toml')]);
		await slot(2, '$(touch ../../hurt)`touch ../../hurt`');
		await slot(4, '.*');
		await start();
		expect(await left()).toEqual('bcd'.split('').map(image));
		await expect(readFile(at('hurt'))).rejects.toThrow('ENOENT');
	});
});

test('a Docker that does not answer holds the job up for a bounded time', async () => {
	await program(at('bin/docker'), '#!/bin/sh\nexec sleep 600\n');
	const script = await readFile(at(PROJECT, 'b2d_start_1'), 'utf8');
	await writeFile(at(PROJECT, 'b2d_start_1'), script.replace(/^seconds=\d+$/m, 'seconds=1'));
	const { stdout } = await promisify(execFile)(`../../${PROJECT}/b2d_start_1`, [], {
		cwd: at('slots/0'),
		env: { ...process.env, PATH: `${at('bin')}:${process.env.PATH ?? ''}` },
		timeout: 20_000,
	});
	expect(stdout).toContain('docker_wrapper_22|');
});
