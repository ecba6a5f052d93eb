import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { quietContext } from '../../../src/common/ports.js';
import { findEngine } from '../../../src/image/engine.js';
import { packArchive } from '../../../src/image/packImage.js';
import { dockerfileFor, imageName } from '../../../src/image/recipe.js';
import type { PackedImage } from '../../../src/image/types.js';
import { withDebianTree } from '../../support/debianTree.js';
import { startTestEngine, type TestEngine } from '../../support/engines.js';
import { listFolder, listImage } from '../../support/engineTrees.js';
import type { TreeListing } from '../../support/fileTrees.js';
import { engineRun, makeBusyboxImage } from '../../support/images.js';
import { CAPABILITY, nastyImage } from '../../support/nastyImage.js';
import { directory, file, savedImage, tarOf } from '../../support/savedImages.js';

const engines = new Map<string, TestEngine>();
let dir: string;
const images: PackedImage[] = [];

/** Debian takes a minute or two, in which the other tests wait for engines. */
let debian: Promise<TreeListing>;

/** The tree of Debian, which is then in a build context. */
async function makeDebian(): Promise<TreeListing> {
	const root = join(dir, 'debian');
	const context = join(dir, 'debian-context');
	await mkdir(context);
	await writeFile(join(context, 'Dockerfile'), 'FROM scratch\nADD debian.tar /\n');
	return withDebianTree(root, async () => {
		await engineRun({ command: 'tar', env: {} }, ['--numeric-owner', '-C', root, '-cf', join(context, 'debian.tar'), '.']);
		return listFolder(root);
	});
}

beforeAll(async () => {
	dir = await mkdtemp(join(tmpdir(), 'b2d-fidelity-'));
	debian = makeDebian();
	debian.catch(() => undefined);
	await writeFile(join(dir, 'nasty.tar'), nastyImage());
	for (const kind of ['podman', 'docker'] as const) {
		engines.set(kind, await startTestEngine(kind));
	}
	for (const engine of engines.values()) {
		await engineRun(engine, ['load', '--input', join(dir, 'nasty.tar')]);
		const { stdout } = await engineRun(engine, ['images', '--quiet', '--no-trunc']);
		await engineRun(engine, ['tag', stdout.trim().split('\n')[0]!, 'b2d-nasty']);
		await makeBusyboxImage(engine, {
			tag: 'b2d-busybox',
			files: { 'app/main.sh': 'echo hi\n' },
			lines: ['COPY app /app', 'RUN ["/bin/busybox", "rm", "/bin/wget"]', 'WORKDIR /app', 'CMD ["sh", "main.sh"]'],
		});
	}
});

afterAll(async () => {
	await debian.catch(() => undefined);
	await Promise.all([...engines.values()].map((engine) => engine.remove()));
	await Promise.all(images.map((image) => image.dispose()));
	await rm(dir, { recursive: true, force: true });
});

const engineOf = (kind: string): TestEngine => engines.get(kind)!;

async function pack(kind: string, image: string): Promise<PackedImage> {
	const ctx = quietContext();
	const engine = await findEngine(ctx, { command: engineOf(kind).command, env: engineOf(kind).env });
	const packed = await packArchive(engine.save(image, ctx), ctx, { tempDir: dir });
	images.push(packed);
	return packed;
}

/** Does what a host does: the packs and the recipe in one folder, built without a network. */
async function assemble(engine: TestEngine, packed: PackedImage, env: Readonly<Record<string, string>> = {}): Promise<string> {
	const slot = await mkdtemp(join(dir, 'slot-'));
	for (const { name, content } of packed.packs) {
		await writeFile(join(slot, name), content.open(0));
	}
	const text = dockerfileFor({ id: packed.id, config: packed.config, packs: packed.packs.map(({ name }) => name) });
	await writeFile(join(slot, 'Dockerfile'), text);
	const name = imageName(packed.id);
	const built = await engineRun({ ...engine, env: { ...engine.env, ...env } }, [
		'build',
		'--network',
		'none',
		'--tag',
		name,
		`--file=${join(slot, 'Dockerfile')}`,
		'--no-cache',
		slot,
	]);
	// docker_wrapper takes this word for a failure.
	expect(built.stdout + built.stderr).not.toContain('Error');
	return name;
}

/** The tree that is expected of the original: the root is the engine's own, and the link to the job's folder is added. */
function expectedTree(original: TreeListing): TreeListing {
	const added = { root: 'directory 700 0:0 0 0', 'root/shared': 'symlink 0:0 0 0 /boinc/shared' };
	const expected: TreeListing = { ...added, ...original };
	delete expected[''];
	return Object.fromEntries(Object.entries(expected).map(([name, line]) => [name, wholeSeconds(line)]));
}

/** Layers have whole seconds; the overlay of the engine that made the image may still know more. */
const wholeSeconds = (line: string): string => line.replace(/^((?:\S+ ){2,3}\d+)\.\d+ /, '$1 ');

async function assembledTree(engine: TestEngine, packed: PackedImage, env?: Record<string, string>): Promise<TreeListing> {
	return treeOf(engine, await assemble(engine, packed, env));
}

async function treeOf(engine: TestEngine, image: string): Promise<TreeListing> {
	const tree = await listImage(engine, image);
	delete tree[''];
	return Object.fromEntries(Object.entries(tree).map(([name, line]) => [name, wholeSeconds(line)]));
}

/** Hard links to a symbolic link become links of their own: Podman's builder would follow them. */
function withoutTwins(tree: TreeListing): TreeListing {
	const { 'dangling-twin': twin, ...rest } = tree;
	expect(twin).toBeDefined();
	return rest;
}

const PAIRS = ['podman', 'docker'].flatMap((from) => ['podman', 'docker'].map((to) => [from, to] as const));

describe.each(PAIRS)('an image saved by %s and assembled by %s', (from, to) => {
	it('has the same tree: busybox', async () => {
		const original = expectedTree(await listImage(engineOf(from), 'b2d-busybox'));
		expect(Object.keys(original).length).toBeGreaterThan(200);
		const packed = await pack(from, 'b2d-busybox');
		expect(packed.warnings).toEqual([]);
		expect(await assembledTree(engineOf(to), packed)).toEqual(original);
	});

	it('has the same tree: everything nasty', async () => {
		const original = expectedTree(await listImage(engineOf(from), 'b2d-nasty'));
		expect(original['split/two']).not.toMatch(/^=/);
		expect(original.capable).toContain('security.capability');
		const packed = await pack(from, 'b2d-nasty');
		expect(packed.warnings).toEqual([]);
		const tree = await assembledTree(engineOf(to), packed);
		expect(withoutTwins(tree)).toEqual(withoutTwins(original));
		expect(tree['dangling-twin']).toBe(tree.dangling);
	});
});

describe('what a builder cannot keep', () => {
	// What rootless Podman does besides was tried by hand.
	it.each([
		['podman', ' user.a=62'],
		['docker', ''],
	])('is told before, and nothing else is lost with %s', async (kind, kept) => {
		const entries = [
			directory('.', { mode: 0o700, uid: 5 }),
			{ name: 'null', kind: 'character', deviceMajor: 1, deviceMinor: 3, mode: 0o666 } as const,
			{ name: 'disk', kind: 'block', deviceMajor: 7, deviceMinor: 300, gid: 6 } as const,
			file('far', 'x', { uid: 70_000, gid: 4_000_000 }),
			file('attributes', 'x', {
				xattrs: new Map([...CAPABILITY, ['user.a', Buffer.from('b')], ['trusted.a', Buffer.from('c')]]),
			}),
		];
		const archive = join(dir, 'lossy.tar');
		await writeFile(archive, savedImage('docker 25', [tarOf(entries)]));
		const packed = await packArchive({ file: archive }, quietContext(), { tempDir: dir });
		images.push(packed);
		expect(packed.warnings).toEqual([
			expect.stringContaining('2 device files (/disk, /null): hosts with rootless Podman'),
			expect.stringContaining('1 file belongs to an account above 65535 (/far): hosts with rootless Podman'),
			expect.stringContaining('1 file has extended attributes (/attributes): only user.* and security.capability travel'),
			expect.stringContaining('1 file has user.* attributes (/attributes): hosts with Docker drop them'),
			expect.stringContaining('The root directory has owner 5:0 and mode 700'),
		]);
		const built = await listImage(engineOf(kind), await assemble(engineOf(kind), packed));
		expect(built).toMatchObject({
			'': expect.stringMatching(/^directory [57]55 0:0 /),
			null: expect.stringMatching(/^character 666 0:0 1000 0 1:3$/),
			disk: expect.stringMatching(/^block 644 0:6 1000 0 7:300$/),
			far: expect.stringMatching(/^file 644 70000:4000000 1000 1 /),
			attributes: expect.stringMatching(new RegExp(`^file 644 0:0 1000 1 [0-9a-f]{8} security.capability=[0-9a-f]{40}${kept}$`)),
		});
	});
});

describe('the same image', () => {
	it('has the same packs and id in every archive that engines write', async () => {
		const podman = engineOf('podman');
		const expected = (await pack('podman', 'b2d-nasty')).packs.map(({ name }) => name);
		expect((await pack('docker', 'b2d-nasty')).packs.map(({ name }) => name)).toEqual(expected);
		for (const format of ['oci-archive', 'docker-archive']) {
			const path = join(dir, `${format}.tar`);
			await engineRun(podman, ['save', '--format', format, '--output', path, 'b2d-nasty']);
			const packed = await packArchive({ file: path }, quietContext(), { tempDir: dir });
			images.push(packed);
			expect(packed.packs.map(({ name }) => name)).toEqual(expected);
		}
	});

	it.each(['podman', 'docker'])(
		'has them when its layers are read in the folders of %s, which need not save it',
		async (kind) => {
			const expected = (await pack('podman', 'b2d-nasty')).packs.map(({ name }) => name);
			const ctx = quietContext();
			const engine = await findEngine(ctx, { command: engineOf(kind).command, env: engineOf(kind).env });
			const save = (): never => {
				throw new Error('the engine saves the image');
			};
			const packed = await packArchive({ save, stored: async () => (await engine.describe('b2d-nasty', ctx))?.stored() }, ctx, {
				tempDir: dir,
			});
			images.push(packed);
			expect(packed.packs.map(({ name }) => name)).toEqual(expected);
		},
	);

	it('is assembled by BuildKit as well, all packs in one layer', async () => {
		const docker = engineOf('docker');
		const packed = await pack('docker', 'b2d-nasty');
		// Docker 20.10 has it built in; newer command lines need a plugin for it.
		const command = '/usr/bin/docker';
		const tree = await assembledTree({ ...docker, command }, packed, { DOCKER_BUILDKIT: '1' });
		expect(withoutTwins(tree)).toEqual(withoutTwins(expectedTree(await listImage(docker, 'b2d-nasty'))));
		const { stdout } = await engineRun(docker, ['image', 'inspect', '--format', '{{len .RootFS.Layers}}', imageName(packed.id)]);
		// The other one is the working folder's.
		expect(Number(stdout)).toBe(2);
	});
});

describe.each(['podman', 'docker'])('the recipe, built by %s', (kind) => {
	it('carries the environment unchanged', async () => {
		const packed = await pack(kind, 'b2d-nasty');
		const name = await assemble(engineOf(kind), packed);
		const { stdout } = await engineRun(engineOf(kind), ['image', 'inspect', '--format', '{{json .Config}}', name]);
		const config = JSON.parse(stdout) as Record<string, unknown>;
		expect((config.Env as string[]).toSorted()).toEqual(packed.config.env.toSorted());
		expect(config).toMatchObject({ WorkingDir: '/meta', Entrypoint: ['/boinc/busybox', 'sh', '/boinc/runner'] });
	});

	it('carries any printable value', async () => {
		const characters = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index));
		const values = [
			...characters,
			...characters.map((character) => `x${character}${character}y`),
			...characters.map((character) => `\\${character}`),
			...characters.map((character) => `$${character}`),
			' both ends ',
			'<<EOF',
			'tab\there',
			'\u00a0\u3000',
		];
		const env = values.map((value, index) => `V${index}=${value}`);
		const slot = await mkdtemp(join(dir, 'env-'));
		await writeFile(join(slot, 'file'), 'x');
		const recipe = dockerfileFor({ id: 'ab'.repeat(32), config: { env, workingDir: '' }, packs: ['file'] });
		await writeFile(join(slot, 'Dockerfile'), recipe);
		await engineRun(engineOf(kind), ['build', '--tag', 'b2d-env', slot]);
		const { stdout } = await engineRun(engineOf(kind), ['image', 'inspect', '--format', '{{json .Config.Env}}', 'b2d-env']);
		const built = new Set(JSON.parse(stdout) as string[]);
		expect(env.filter((pair) => !built.has(pair))).toEqual([]);
	});

	it('starts a runner that is mounted, with the shared folder where programs look for it', async () => {
		const packed = await pack(kind, 'b2d-busybox');
		const name = await assemble(engineOf(kind), packed);
		const slot = await mkdtemp(join(dir, 'job-'));
		await engineRun(engineOf(kind), ['create', '--name', 'b2d-take', 'b2d-busybox', 'true']);
		await engineRun(engineOf(kind), ['cp', 'b2d-take:/bin/busybox', join(slot, 'busybox')]);
		await engineRun(engineOf(kind), ['rm', 'b2d-take']);
		await writeFile(join(slot, 'runner'), 'echo "as $(/boinc/busybox id -u)"; cat /root/shared/input\n');
		await engineRun({ command: 'mkdir', env: {} }, [join(slot, 'shared')]);
		await writeFile(join(slot, 'shared', 'input'), 'from the slot\n');
		const { stdout } = await engineRun(engineOf(kind), ['run', '--rm', '--network', 'none', '-v', `${slot}:/boinc`, name]);
		expect(stdout).toBe('as 0\nfrom the slot\n');
	});
});

describe.each(['podman', 'docker'])('Debian with python3, made by debootstrap, an image of %s', (kind) => {
	it('has the same tree when it was assembled, and Python runs', async () => {
		const original = expectedTree(await debian);
		await engineRun(engineOf(kind), ['build', '--tag', 'b2d-debian', join(dir, 'debian-context')]);
		expect(await treeOf(engineOf(kind), 'b2d-debian')).toEqual(withoutShared(original));
		const packed = await pack(kind, 'b2d-debian');
		expect(packed.warnings).toEqual([expect.stringMatching(/^\d+ device files /)]);
		const name = await assemble(engineOf(kind), packed);
		const tree = await treeOf(engineOf(kind), name);
		expect(tree).toEqual(original);
		expect(tree['usr/bin/passwd']).toMatch(/^file 4755 0:0 /);
		expect(tree['dev/null']).toMatch(/^character 666 0:0 /);
		expect(Object.keys(tree).length).toBeGreaterThan(2_000);
		const python = ['run', '--rm', '--network', 'none', '--entrypoint', '/usr/bin/python3', name];
		const { stdout, stderr } = await engineRun(engineOf(kind), [...python, '-v', '-c', 'import argparse; print(6 * 7)']);
		expect(stdout).toBe('42\n');
		// The time and size in the compiled file are those of the source.
		expect(stderr).toMatch(/__pycache__\/argparse\.\S+\.pyc matches \/usr\/lib\/python3/);
	}, 600_000);
});

function withoutShared({ 'root/shared': link, ...rest }: TreeListing): TreeListing {
	expect(link).toBeDefined();
	return rest;
}
