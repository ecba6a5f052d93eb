import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { quietContext } from '../../../src/common/ports.js';
import { findEngine } from '../../../src/image/engine.js';
import { packArchive } from '../../../src/image/packImage.js';
import { dockerfileFor, imageName } from '../../../src/image/recipe.js';
import type { PackedImage } from '../../../src/image/types.js';
import { makeDebianTree } from '../../support/debianTree.js';
import { startTestEngine, type TestEngine } from '../../support/engines.js';
import { listFolder, listImage } from '../../support/engineTrees.js';
import type { TreeListing } from '../../support/fileTrees.js';
import { engineRun, makeBusyboxImage } from '../../support/images.js';
import { nastyImage } from '../../support/nastyImage.js';

const engines = new Map<string, TestEngine>();
let dir: string;
const images: PackedImage[] = [];

beforeAll(async () => {
	dir = await mkdtemp(join(tmpdir(), 'b2d-fidelity-'));
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

describe('Debian with python3, as debootstrap unpacks it', () => {
	let original: TreeListing;
	let packed: PackedImage;

	beforeAll(async () => {
		const root = await mkdtemp(join(dir, 'debian-'));
		await makeDebianTree(root);
		original = await listFolder(root);
		const archive = join(dir, 'debian.tar');
		await engineRun({ command: 'tar', env: {} }, ['--numeric-owner', '-C', root, '-cf', archive, '.']);
		await rm(root, { recursive: true });
		await engineRun(engineOf('docker'), ['import', archive, 'b2d-debian']);
		packed = await pack('docker', 'b2d-debian');
	});

	it.each(['podman', 'docker'])('has the same tree when %s assembled it, and Python runs', async (kind) => {
		expect(packed.warnings).toEqual([]);
		const name = await assemble(engineOf(kind), packed);
		const tree = await treeOf(engineOf(kind), name);
		expect(tree).toEqual(expectedTree(original));
		expect(tree['usr/bin/passwd']).toMatch(/^file 4755 0:0 /);
		expect(Object.keys(tree).length).toBeGreaterThan(2_000);
		const python = ['run', '--rm', '--network', 'none', '--entrypoint', '/usr/bin/python3', name];
		const { stdout, stderr } = await engineRun(engineOf(kind), [...python, '-v', '-c', 'import argparse; print(6 * 7)']);
		expect(stdout).toBe('42\n');
		// The time and size in the compiled file are those of the source.
		expect(stderr).toMatch(/__pycache__\/argparse\.\S+\.pyc matches \/usr\/lib\/python3/);
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
			const packed = await packArchive({ save, stored: () => engine.stored('b2d-nasty', ctx) }, ctx, { tempDir: dir });
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
