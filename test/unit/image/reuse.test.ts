import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { contentOfBytes } from '../../../src/common/content.js';
import { quietContext } from '../../../src/common/ports.js';
import { type FlatImage, flattenImage } from '../../../src/image/flattenImage.js';
import { byOrder } from '../../../src/image/pack/choosePacks.js';
import { openManifest, type PackManifest } from '../../../src/image/pack/manifest.js';
import type { Pack } from '../../../src/image/types.js';
import { assemblePacks, bytesOf } from '../../support/assemble.js';
import { directory, file, hardlink, savedImage, symlink, tarOf, type TestEntry } from '../../support/savedImages.js';

let dir: string;
const open: FlatImage[] = [];

beforeEach(async () => {
	dir = await mkdtemp(join(tmpdir(), 'b2d-reuse-'));
});
afterEach(async () => {
	await Promise.all(open.splice(0).map((image) => image.dispose()));
	await rm(dir, { recursive: true });
});

/** A pack that stays when its image is disposed. */
async function copyOf(pack: Pack): Promise<Pack> {
	return { ...pack, content: contentOfBytes(await bytesOf(pack)) };
}

/** A server: packs by name. */
class Server {
	readonly packs = new Map<string, Pack>();

	async manifests(): Promise<PackManifest[]> {
		return Promise.all(
			[...this.packs.values()].map(async (pack) => openManifest(pack.name, await bytesOf({ content: pack.manifest }))),
		);
	}
}

interface Sent {
	readonly image: FlatImage;
	readonly kept: readonly Pack[];
	readonly made: readonly Pack[];
	readonly staleBytes: number;
	/** All packs of the image in the order of unpacking. */
	readonly packs: readonly Pack[];
}

async function send(server: Server, ...layers: TestEntry[][]): Promise<Sent> {
	const bytes = savedImage('docker 25', layers.map(tarOf));
	const stream = (async function* () {
		await Promise.resolve();
		yield bytes;
	})();
	const image = await flattenImage(stream, quietContext(), { tempDir: dir });
	open.push(image);
	const planning = await image.plan(await server.manifests());
	const kept = planning.kept.map(({ name }) => server.packs.get(name)!);
	const made: Pack[] = [];
	for await (const written of image.write(planning, quietContext())) {
		const pack = await copyOf(written);
		made.push(pack);
		server.packs.set(pack.name, pack);
	}
	return { image, kept, made, staleBytes: planning.staleBytes, packs: [...kept, ...made].toSorted(byOrder) };
}

/** What the image is when all of it is made anew. */
async function expected(...layers: TestEntry[][]): Promise<Sent> {
	return send(new Server(), ...layers);
}

const unpacked = (packs: readonly Pack[]): number => packs.reduce((sum, { unpackedSize }) => sum + unpackedSize, 0);
const bytesSent = (packs: readonly Pack[]): number => packs.reduce((sum, { size }) => sum + size, 0);

/** Like nothing else, and quickly compressed. */
const noise = (size: number): Buffer => Buffer.alloc(size, randomBytes(1_000));
const base = [
	directory('bin', { mtime: 5 }),
	file('bin/tool', noise(2_100_000), { mode: 0o4755, mtime: 6 }),
	file('bin/other', noise(2_100_000)),
	hardlink('bin/same', 'bin/other'),
	directory('lib'),
	...Array.from({ length: 200 }, (_, index) => file(`lib/part${index}`, noise(20_000), { mtime: 7 })),
	symlink('lib/link', 'part1'),
	directory('app'),
	file('app/main.py', `print("one")\n${'# a line of the program\n'.repeat(50)}`),
];

/** `base` with some entries changed. */
const changed = (change: (entry: TestEntry) => TestEntry | undefined): TestEntry[] =>
	base.map(change).filter((entry) => entry !== undefined);

/** `base` on a server that had nothing. */
let firstOfAll: Promise<Sent> | undefined;

async function firstThen(...layers: TestEntry[][]): Promise<{ first: Sent; second: Sent; fresh: Sent }> {
	const server = new Server();
	firstOfAll ??= send(server, base);
	const first = await firstOfAll;
	first.made.forEach((pack) => server.packs.set(pack.name, pack));
	return { first, second: await send(server, ...layers), fresh: await expected(...layers) };
}

describe('an image whose former version the server has', () => {
	it('needs nothing when it is the same', async () => {
		const { first, second } = await firstThen(
			base.toReversed().toSorted((a, b) => (a.kind === 'hardlink' ? 1 : b.kind === 'hardlink' ? -1 : 0)),
		);
		expect(second.made).toEqual([]);
		expect(second.image.id).toBe(first.image.id);
		expect(second.packs).toEqual(first.packs);
	});

	it('needs a kilobyte when a line changed', async () => {
		const { first, second, fresh } = await firstThen(base, [
			directory('app'),
			file('app/main.py', 'print("two")\n', { mtime: 2_000 }),
		]);
		expect(second.kept).toHaveLength(first.packs.length);
		expect(bytesSent(second.made)).toBeLessThan(1_000);
		expect(await assemblePacks(second.packs)).toEqual(await assemblePacks(fresh.packs));
		expect(second.image.id).toBe(fresh.image.id);
	});

	it('needs little when only times changed', async () => {
		const entries = changed((entry) => ({ ...entry, mtime: 9_999 }));
		const { second, fresh } = await firstThen(entries);
		expect(bytesSent(second.made)).toBeLessThan(10_000);
		expect(second.made.some(({ times }) => times >= 200)).toBe(true);
		expect(await assemblePacks(second.packs)).toEqual(await assemblePacks(fresh.packs));
	});

	it('gives times again when they change again, and goes back', async () => {
		const server = new Server();
		await send(server, base);
		for (const mtime of [9_999, 12_345, 1_000]) {
			const entries = changed((entry) => ({ ...entry, mtime }));
			const sent = await send(server, entries);
			expect(bytesSent(sent.made)).toBeLessThan(12_000);
			expect(await assemblePacks(sent.packs)).toEqual(await assemblePacks((await expected(entries)).packs));
		}
		const back = await send(server, base);
		expect(bytesSent(back.made)).toBe(0);
	});

	it('makes only the pack anew that has a removed file', async () => {
		const { first, second, fresh } = await firstThen(changed((entry) => (entry.name === 'lib/part77' ? undefined : entry)));
		expect(second.kept.length).toBeGreaterThan(first.packs.length / 2);
		expect(unpacked(second.made)).toBeLessThan(unpacked(first.packs) / 2);
		expect(await assemblePacks(second.packs)).toEqual(await assemblePacks(fresh.packs));
	});

	it.each<[string, (entry: TestEntry) => TestEntry]>([
		['a mode', (entry) => (entry.name === 'bin/tool' ? { ...entry, mode: 0o755 } : entry)],
		['an owner', (entry) => (entry.name === 'lib/part3' ? { ...entry, uid: 7 } : entry)],
		['a link', (entry) => (entry.name === 'lib/link' ? { ...entry, linkName: 'part2' } : entry)],
		['a link that becomes a file', (entry) => (entry.name === 'lib/link' ? file('lib/link', 'x') : entry)],
		['a file that becomes a link', (entry) => (entry.name === 'lib/part3' ? symlink('lib/part3', 'part4') : entry)],
		['a file that becomes a folder', (entry) => (entry.name === 'lib/part3' ? directory('lib/part3') : entry)],
		['a folder', (entry) => (entry.name === 'app' ? { ...entry, mode: 0o700 } : entry)],
		['a hard link that becomes a file', (entry) => (entry.name === 'bin/same' ? file('bin/same', 'own') : entry)],
		['a file that becomes a hard link', (entry) => (entry.name === 'lib/part9' ? hardlink('lib/part9', 'bin/other') : entry)],
	])('is right when %s changed', async (_, change) => {
		const { first, second, fresh } = await firstThen(changed(change));
		expect(second.kept.length).toBeGreaterThan(0);
		expect(unpacked(second.made)).toBeLessThan(unpacked(first.packs));
		expect(await assemblePacks(second.packs)).toEqual(await assemblePacks(fresh.packs));
	});

	it('is not put together from packs that are mostly stale, nor from too many', async () => {
		const server = new Server();
		const names = Array.from({ length: 100 }, (_, index) => `d/f${String(index)}`);
		let version = names.map((name) => file(name, noise(10_000)));
		await send(server, version);
		let most = 0;
		let last: Sent | undefined;
		for (let round = 0; round < 40; round++) {
			version = version.map((entry, index) => (index === round * 2 ? file(entry.name, noise(10_000)) : entry));
			last = await send(server, version);
			most = Math.max(most, last.packs.length);
			expect(unpacked(last.packs)).toBeLessThan(1.35 * 1_200_000);
		}
		expect(most).toBeGreaterThan(10);
		expect(most).toBeLessThanOrEqual(20);
		expect(await assemblePacks(last!.packs)).toEqual(await assemblePacks((await expected(version)).packs));
	});

	it('takes parts from several other images', async () => {
		const server = new Server();
		const python = Array.from({ length: 120 }, (_, index) => file(`usr/lib/python/m${index}`, noise(25_000)));
		const data = Array.from({ length: 120 }, (_, index) => file(`opt/data/d${index}`, noise(25_000)));
		await send(server, python);
		await send(server, data);
		const both = await send(server, [...python, ...data]);
		expect(both.kept.length).toBeGreaterThan(1);
		expect(bytesSent(both.made)).toBeLessThan(5_000);
		expect(await assemblePacks(both.packs)).toEqual(await assemblePacks((await expected([...python, ...data])).packs));
	});
});

describe('manifests', () => {
	it('that are damaged or of another pack are refused', async () => {
		const { packs } = await expected(base);
		const [one, two] = packs;
		const bytes = await bytesOf({ content: one!.manifest });
		const damaged = Buffer.from(bytes);
		damaged.fill(0x55, 20, 60);
		for (const [name, content] of [
			[one!.name, damaged],
			[one!.name, bytes.subarray(0, 50)],
			[one!.name, Buffer.alloc(0)],
			[two!.name, bytes],
		] as const) {
			await expect(openManifest(name, content)).rejects.toMatchObject({ code: 'archive-corrupt' });
		}
		expect((await openManifest(one!.name, bytes)).facts.sha256).toBe(one!.sha256);
	});
});

describe('any sequence of versions', () => {
	const name = fc
		.array(fc.constantFrom('a', 'b', 'c\n', 'd\\', 'é'), { minLength: 1, maxLength: 3 })
		.map((parts) => Buffer.from(parts.map((part, depth) => `${part}${depth}`).join('/')).toString('latin1'));
	const entry = fc.oneof(
		fc.record({
			name,
			content: fc.constantFrom('', 'one', 'two', 'x'.repeat(5_000)),
			mtime: fc.nat(2),
			mode: fc.constantFrom(0o644, 0o755),
		}),
		fc.record({ name, kind: fc.constant('directory' as const), mtime: fc.nat(2), mode: fc.constantFrom(0o755, 0o700) }),
		fc.record({ name, kind: fc.constant('symlink' as const), linkName: fc.constantFrom('x', 'y'), mtime: fc.nat(2) }),
		fc.record({ name, kind: fc.constant('link' as const) }),
	);
	/** Entries of which none lies below a file. */
	const version = fc.uniqueArray(entry, { selector: ({ name: path }) => path, maxLength: 14 }).map((entries) => {
		const kept: TestEntry[] = [];
		for (const given of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
			const blocked = kept.some((other) => other.kind !== 'directory' && given.name.startsWith(`${other.name}/`));
			const target = kept.findLast((other) => other.content !== undefined);
			if (!blocked && 'kind' in given && given.kind === 'link') {
				if (target) {
					const { mtime, mode } = target;
					kept.push(hardlink(given.name, target.name, { mtime: mtime!, mode: mode! }));
				}
			} else if (!blocked) {
				kept.push(given as TestEntry);
			}
		}
		return [
			...kept.filter(({ kind }) => kind !== 'hardlink'),
			...kept.filter(({ kind }) => kind === 'hardlink'),
			file('always', ''),
		];
	});

	it('is put together as if each was made anew', async () => {
		await fc.assert(
			fc.asyncProperty(fc.array(version, { minLength: 2, maxLength: 6 }), async (versions) => {
				const server = new Server();
				for (const entries of versions) {
					const sent = await send(server, entries);
					const fresh = await expected(entries);
					expect(await assemblePacks(sent.packs)).toEqual(await assemblePacks(fresh.packs));
					expect(sent.image.id).toBe(fresh.image.id);
					await Promise.all(open.splice(0).map((image) => image.dispose()));
				}
			}),
			{ numRuns: 15 },
		);
	}, 90_000);
});
