import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { quietContext } from '../../../src/common/ports.js';
import { flattenImage } from '../../../src/image/flattenImage.js';
import { byOrder } from '../../../src/image/pack/choosePacks.js';
import { openManifest } from '../../../src/image/pack/manifest.js';
import { packArchive } from '../../../src/image/packImage.js';
import { dockerfileFor, imageName } from '../../../src/image/recipe.js';
import type { Pack } from '../../../src/image/types.js';
import { bytesOf } from '../../support/assemble.js';
import { startTestEngine, type TestEngine } from '../../support/engines.js';
import { listImage } from '../../support/engineTrees.js';
import type { TreeListing } from '../../support/fileTrees.js';
import { engineRun } from '../../support/images.js';
import { NASTY_CONFIG, nastyLayers } from '../../support/nastyImage.js';
import { directory, file, hardlink, savedImage, symlink, tarOf, type TestEntry } from '../../support/savedImages.js';

const engines = new Map<string, TestEngine>();
const disposers: (() => Promise<void>)[] = [];
let dir: string;

beforeAll(async () => {
	dir = await mkdtemp(join(tmpdir(), 'b2d-reuse-'));
	for (const kind of ['podman', 'docker'] as const) {
		engines.set(kind, await startTestEngine(kind));
	}
});
afterAll(async () => {
	await Promise.all(disposers.map((dispose) => dispose()));
	await Promise.all([...engines.values()].map((engine) => engine.remove()));
	await rm(dir, { recursive: true, force: true });
});

const layers = nastyLayers();
/** All entries with other times. */
const later = (entries: readonly TestEntry[], by: number): TestEntry[] =>
	entries.map((entry) => ({ ...entry, mtime: (entry.mtime ?? 1_000) + by }));

/** The versions of an image, each with what the packs of the former ones must be turned into. */
const VERSIONS: readonly TestEntry[][][] = [
	layers,
	// Other times for everything: set-uid files, capabilities, hard links and odd names with them.
	layers.map((entries) => later(entries, 100_000)),
	// Files replaced by files, links and folders, a group of hard links taken apart, another joined.
	[
		...layers.map((entries) => later(entries, 100_000)),
		[
			file('setuid', 'other', { mode: 0o4711, uid: 3, gid: 4 }),
			file('capable', 'other', { mode: 0o755 }),
			symlink('setgid', 'setuid'),
			file('dangling', 'a file now'),
			directory('pair'),
			file('pair/two', 'by itself now', { mtime: 77 }),
			directory('deep'),
			directory('deep/er'),
			hardlink('deep/er/more', 'setuid', { mode: 0o4711, uid: 3, gid: 4 }),
			directory('empty', { mode: 0o700, mtime: 5 }),
			directory('new'),
			file('new/file', 'x'.repeat(10_000)),
		],
	],
	layers,
];

interface Version {
	/** Name of the image as the engines loaded it. */
	readonly original: string;
	/** Name of the image as the packs make it. */
	readonly assembled: string;
	readonly slot: string;
	readonly made: readonly Pack[];
	readonly kept: number;
}

const versions: Version[] = [];

beforeAll(async () => {
	const known = new Map<string, Pack>();
	for (const [index, each] of VERSIONS.entries()) {
		const archive = join(dir, `${index}.tar`);
		await writeFile(archive, savedImage('docker before 25', each.map(tarOf), NASTY_CONFIG));
		const original = `b2d-version-${index}`;
		for (const engine of engines.values()) {
			const { stdout } = await engineRun(engine, ['load', '--input', archive]);
			const id = /sha256:([0-9a-f]{64})|(\S+)\s*$/.exec(stdout.trim())!;
			await engineRun(engine, ['tag', id[1] ?? id[2]!, original]);
		}
		const image = await flattenImage({ file: archive }, quietContext(), { tempDir: dir });
		disposers.push(() => image.dispose());
		const manifests = await Promise.all(
			[...known.values()].map(async ({ name, manifest }) => openManifest(name, await bytesOf({ content: manifest }))),
		);
		const planning = await image.plan(manifests);
		const made: Pack[] = [];
		for await (const pack of image.write(planning, quietContext())) {
			made.push(pack);
			known.set(pack.name, pack);
		}
		const packs = [...planning.kept, ...made].sort(byOrder).map(({ name }) => known.get(name)!);
		const slot = await mkdtemp(join(dir, 'slot-'));
		for (const { name, content } of packs) {
			await writeFile(join(slot, name), content.open(0));
		}
		await writeFile(
			join(slot, 'Dockerfile'),
			dockerfileFor({ id: image.id, config: image.config, packs: packs.map(({ name }) => name) }),
		);
		versions.push({ original, assembled: `${imageName(image.id)}_${index}`, slot, made, kept: planning.kept.length });
	}
});

/** Without the root, which is the engine's own, and with the link to the job's folder that every image gets. */
function comparable(tree: TreeListing): TreeListing {
	return Object.fromEntries(
		Object.entries(tree)
			.filter(([name]) => name !== '' && name !== 'dangling-twin')
			.map(([name, line]) => [name, line.replace(/^((?:\S+ ){2,3}\d+)\.\d+ /, '$1 ')]),
	);
}

async function expectSame(engine: TestEngine, version: Version, env: Record<string, string> = {}): Promise<void> {
	const { stdout, stderr } = await engineRun({ ...engine, env: { ...engine.env, ...env } }, [
		'build',
		'--network',
		'none',
		'--tag',
		version.assembled,
		`--file=${join(version.slot, 'Dockerfile')}`,
		'--no-cache',
		version.slot,
	]);
	expect(stdout + stderr).not.toContain('Error');
	const original = comparable(await listImage(engine, version.original));
	expect(Object.keys(original).length).toBeGreaterThan(40);
	const root = original.root?.startsWith('directory') ? {} : { root: 'directory 700 0:0 0 0' };
	expect(comparable(await listImage(engine, version.assembled))).toEqual({
		...root,
		...original,
		'root/shared': 'symlink 0:0 0 0 /boinc/shared',
	});
}

it('later versions take packs of former ones, and the first comes back for nothing', () => {
	const bytes = versions.map(({ made }) => made.reduce((sum, { size }) => sum + size, 0));
	expect(versions.map(({ kept }) => kept > 0)).toEqual([false, true, true, true]);
	expect(versions[1]!.made.some(({ times }) => times > 20)).toBe(true);
	expect(bytes[1]).toBeLessThan(bytes[0]! / 50);
	expect(bytes[2]).toBeLessThan(bytes[0]! / 20);
	expect(bytes[3]).toBe(0);
});

describe.each(['podman', 'docker'])('put together by %s from packs of several versions', (kind) => {
	it.each(VERSIONS.map((_, index) => index))('version %d has the same tree as the original', async (index) => {
		await expectSame(engines.get(kind)!, versions[index]!);
	});
});

it('and by BuildKit', async () => {
	// Docker 20.10 has it built in; newer command lines need a plugin for it.
	const docker = { ...engines.get('docker')!, command: '/usr/bin/docker' };
	for (const index of [1, 2]) {
		await expectSame(docker, versions[index]!, { DOCKER_BUILDKIT: '1' });
	}
});

it('equal images have equal ids, whatever packs they are in', async () => {
	const packed = await packArchive({ file: join(dir, '2.tar') }, quietContext(), { tempDir: dir });
	disposers.push(() => packed.dispose());
	expect(versions[2]!.assembled).toContain(imageName(packed.id));
});
