import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { contentOfBytes } from '../../../src/common/content.js';
import { type Progress, quietContext } from '../../../src/common/ports.js';
import type { Connection } from '../../../src/connection/connection.js';
import { type FlatImage, flattenImage } from '../../../src/image/flattenImage.js';
import type { Pack } from '../../../src/image/types.js';
import { type ImageCost, imageCost } from '../../../src/job/imageCost.js';
import { ManifestCache } from '../../../src/job/manifestCache.js';
import { sendPacks } from '../../../src/job/sendPacks.js';
import { shipImage, type Shipment } from '../../../src/job/shipImage.js';
import { openProject } from '../../../src/project/openProject.js';
import type { Project } from '../../../src/project/project.js';
import { connectLoopback } from '../../support/loopback.js';
import { eventually, startTestSandbox, type TestSandbox } from '../../support/sandbox.js';
import { directory, file, savedImage, tarOf, type TestEntry } from '../../support/savedImages.js';
import { SlowLink } from '../../support/slowLink.mjs';

const ctx = quietContext();
const MIB = 1 << 20;

let sandbox: TestSandbox;
let connection: Connection;
let project: Project;
let number = 0;

beforeAll(async () => {
	sandbox = await startTestSandbox();
	connection = sandbox.connectLocally();
	project = await openProject(connection, sandbox.projectRoot, ctx);
});
afterAll(async () => {
	project.dispose();
	await connection.close();
	await sandbox.remove();
});

/** A new image each time: a big file, a middling one, small ones. */
let entries: TestEntry[];
beforeEach(() => {
	entries = [
		directory('app'),
		file('app/big', randomBytes(5 * MIB)),
		...Array.from({ length: 30 }, (_, index) => file(`app/part${String(index)}`, randomBytes(100_000))),
		file('app/main', 'one'),
	];
});

interface Opened {
	count: number;
}

async function ship(
	layers: readonly TestEntry[][],
	options: { key?: string; cache?: string; opened?: Opened; signal?: AbortSignal; project?: Project; progress?: Progress } = {},
): Promise<Shipment> {
	const archive = path.join(sandbox.dir, `image-${String(number++)}.tar`);
	await writeFile(archive, savedImage('docker 25', layers.map(tarOf)));
	const open = (): Promise<FlatImage> => {
		if (options.opened) {
			options.opened.count++;
		}
		return flattenImage({ file: archive }, quietContext(options.signal), { tempDir: sandbox.dir });
	};
	const cache = new ManifestCache(options.cache);
	const ctx = { ...quietContext(options.signal), ...(options.progress && { progress: options.progress }) };
	return shipImage(options.project ?? project, { key: options.key, open }, cache, ctx);
}

/** A connection by SSH that can be slowed down and counted. */
async function overLink(): Promise<{ readonly far: Connection; readonly link: SlowLink }> {
	const { target, identityFile } = sandbox;
	if (target.kind !== 'ssh') {
		throw new Error('the sandbox is reached by SSH');
	}
	const link = await SlowLink.start(target.port ?? 22, 1e9);
	const sshd = { user: target.user ?? '', userKeyFile: identityFile };
	return { link, far: await connectLoopback(sshd, link.port, path.join(sandbox.dir, 'trust')) };
}

/** Something that is sent like a pack. */
function packOf(bytes: Buffer): Pack {
	const content = contentOfBytes(bytes);
	const facts = {
		name: `b2d_pack_${content.sha256.slice(0, 32)}.tar.gz`,
		size: bytes.length,
		sha256: content.sha256,
		md5: content.md5,
	};
	return { ...facts, unpackedSize: bytes.length, entries: 1, kind: 'files', generation: 1, times: 0, content, manifest: content };
}

const FIND = path.resolve(import.meta.dirname, '../../../templates/server/find-images.sh');

const md5 = (bytes: Buffer): string => createHash('md5').update(bytes).digest('hex');

const namesOf = ({ packs }: Shipment): string[] => packs.map(({ name }) => name).sort();

/** Every pack of an image is on the server with its content and side file. */
async function expectIntact({ packs }: Shipment): Promise<void> {
	for (const pack of packs) {
		const bytes = await readFile(project.downloadPath(pack.name));
		expect(md5(bytes)).toBe(pack.md5);
		expect(await readFile(`${project.downloadPath(pack.name)}.md5`, 'utf8')).toBe(`${pack.md5} ${String(pack.size)}\n`);
	}
}

describe('an image that the server has', () => {
	test('is not even read when its key is known', async () => {
		const first = await ship([entries], { key: 'aa11' });
		expect(first.bytesSent).toBeGreaterThan(8_000_000);
		await expectIntact(first);
		const opened = { count: 0 };
		const again = await ship([entries], { key: 'aa11', opened });
		expect(again).toEqual({ ...first, bytesSent: 0 });
		expect(opened.count).toBe(0);
	});

	test('costs next to nothing when this computer has its record, whatever became of that', async () => {
		const cache = path.join(sandbox.dir, 'records');
		const first = await ship([entries], { key: 'aa12', cache });
		const again = await ship([entries], { key: 'aa12', cache });
		expect(again).toEqual({ ...first, bytesSent: 0 });
		const record = await readFile(path.join(project.root, '.boinc2docker/images/kaa12'));
		const asking = promisify(execFile)('sh', [FIND, project.root, project.config.downloadDir, '12']);
		asking.child.stdin?.end(`had ${md5(record)}\nname kaa12\n`);
		expect((await asking).stdout).toBe(`same kaa12 0 ${md5(record)}\nend\n`);
		const names = (await readdir(cache)).filter((name) => name.startsWith('record-'));
		expect(names.length).toBeGreaterThan(0);
		for (const name of names) {
			await writeFile(path.join(cache, name), 'damaged');
		}
		expect(await ship([entries], { key: 'aa12', cache })).toEqual(again);
	});

	test('costs less than 10 KB on a connection that is there, both directions together', async () => {
		const { far, link } = await overLink();
		try {
			const there = await openProject(far, sandbox.projectRoot, ctx);
			const options = { key: 'aa13', cache: path.join(sandbox.dir, 'far'), project: there };
			const first = await ship([entries], options);
			expect(link.passed).toBeGreaterThan(8_000_000);
			const before = link.passed;
			expect(await ship([entries], options)).toEqual({ ...first, bytesSent: 0 });
			expect(link.passed - before).toBeGreaterThan(100);
			expect(link.passed - before).toBeLessThan(10_000);
			there.dispose();
		} finally {
			await far.close();
			await link.stop();
		}
	});

	test('is recognised by its tree under another key, which is known from then on', async () => {
		const first = await ship([entries], { key: 'bb11' });
		const second = await ship(
			[
				[file('app/main', 'old'), file('gone', '')],
				[...entries, file('.wh.gone', '')],
			],
			{ key: 'bb22' },
		);
		expect(second.packs).toEqual(first.packs);
		expect(second.bytesSent).toBeLessThan(4_200);
		const opened = { count: 0 };
		await ship([entries], { key: 'bb22', opened });
		expect(opened.count).toBe(0);
	});

	test('costs little when a file of it changed, on this computer and on another', async () => {
		const first = await ship([entries]);
		for (const cache of [path.join(sandbox.dir, 'cache'), undefined]) {
			const changed = [...entries, file('app/main', `two ${String(cache)}`)];
			const second = await ship([changed], cache === undefined ? {} : { cache });
			// Mostly blocks of the archive that a record travels in.
			expect(second.bytesSent).toBeLessThan(7_000);
			expect(second.packs.length).toBeGreaterThan(first.packs.length);
			await expectIntact(second);
		}
	});
});

describe('what an image costs', () => {
	async function cost(contents: readonly TestEntry[], former?: string): Promise<ImageCost> {
		const archive = path.join(sandbox.dir, `image-${String(number++)}.tar`);
		await writeFile(archive, savedImage('docker 25', [tarOf(contents)]));
		const flat = await flattenImage({ file: archive }, ctx, { tempDir: sandbox.dir });
		return imageCost(flat, { project, cache: new ManifestCache(undefined) }, ctx, { former });
	}

	test('is told before anything is sent, and is right', async () => {
		const before = await cost(entries);
		// Other images have the same folders.
		expect(before.onServer.filter(({ kind }) => kind !== 'directories')).toEqual([]);
		expect(before.sendBytes + before.onServer.reduce((sum, { size }) => sum + size, 0)).toBe(before.downloadBytes);
		const first = await ship([entries]);
		const packed = first.packs.reduce((sum, { size }) => sum + size, 0);
		expect(Math.abs(before.sendBytes - packed)).toBeLessThan(0.02 * packed);
		const after = await cost(entries);
		expect(after).toMatchObject({ sendBytes: 0, toSend: [], downloadBytes: packed });
		expect(after.onServer.map(({ name }) => name).sort()).toEqual(namesOf(first));
	});

	test('is little for a volunteer with the former version', async () => {
		const first = await ship([entries]);
		const changed = await cost([...entries, file('app/main', 'changed')], first.id);
		expect(changed.updateBytes).toBe(changed.sendBytes);
		expect(changed.updateBytes).toBeLessThan(10_000);
		expect(changed.downloadBytes).toBeGreaterThan(8_000_000);
		expect((await readdir(sandbox.dir)).filter((name) => name.startsWith('b2d-image-'))).toEqual([]);
	});
});

describe('a pack on the server that is not what it should be is never used, and is sent again:', () => {
	test.each<[string, (file: string) => Promise<void>]>([
		['gone', (name) => rm(name)],
		['without its side file', (name) => rm(`${name}.md5`)],
		['cut off', (name) => truncate(name, 1000)],
		['with another side file', (name) => writeFile(`${name}.md5`, `${'0'.repeat(32)} 5\n`)],
		[
			'changed after it was sent',
			async (name) => {
				await writeFile(name, randomBytes((await readFile(name)).length));
				await utimes(name, new Date(), new Date(Date.now() + 5_000));
			},
		],
		[
			'changed without a trace, found by the weekly look',
			async (name) => {
				await writeFile(name, randomBytes((await readFile(name)).length));
				await utimes(name, new Date(0), new Date(0));
				const checked = path.join(sandbox.projectRoot, '.boinc2docker/checked', path.basename(name));
				const old = new Date(Date.now() - 8 * 86_400_000);
				await utimes(checked, old, old);
			},
		],
	])('%s', async (_, damage) => {
		const key = `cc${String(number).padStart(4, '0')}`;
		const first = await ship([entries], { key });
		await ship([entries], { key });
		const victim = first.packs.find(({ size }) => size > 5 * MIB)!;
		await damage(project.downloadPath(victim.name));
		const again = await ship([entries], { key });
		await expectIntact(again);
		expect(namesOf(again)).toEqual(namesOf(first));
		const opened = { count: 0 };
		await ship([entries], { key, opened });
		expect(opened.count).toBe(0);
	});

	test('and a damaged manifest or record only costs time', async () => {
		const first = await ship([entries], { key: 'dd11' });
		const store = path.join(sandbox.projectRoot, '.boinc2docker');
		for (const { name } of first.packs) {
			await writeFile(path.join(store, 'packs', name), 'no manifest');
		}
		await writeFile(path.join(store, 'images', 'kdd11'), 'no record');
		await writeFile(path.join(store, 'images', first.id), 'no record');
		const again = await ship([entries], { key: 'dd11' });
		expect(namesOf(again)).toEqual(namesOf(first));
		// The packs are there; what is known of them was not.
		expect(again.bytesSent).toBeLessThan(20_000);
		const opened = { count: 0 };
		await ship([entries], { key: 'dd11', opened });
		expect(opened.count).toBe(0);
	});
});

describe('an image is sent', () => {
	test('by several streams, and no more of it is packed meanwhile than a few wait for', async () => {
		const packs = Array.from({ length: 40 }, () => packOf(randomBytes(200_000)));
		let made = 0;
		const image = {
			write: async function* (): AsyncGenerator<Pack, void, undefined> {
				for (const pack of packs) {
					await Promise.resolve();
					made++;
					yield pack;
				}
			},
			discard: () => Promise.resolve(),
		} as unknown as FlatImage;
		const { far, link } = await overLink();
		try {
			const there = await openProject(far, sandbox.projectRoot, ctx);
			link.mend(50);
			const planning = { kept: [], fresh: [], generation: 1, staleBytes: 0 };
			const sending = sendPacks(there, image, planning, new Set(), ctx);
			sending.catch(() => undefined);
			await eventually('packs wait', () => Promise.resolve(made >= 9));
			await new Promise((resolve) => setTimeout(resolve, 300));
			// Three are being sent, six wait, and one is at hand.
			expect(made).toBeLessThanOrEqual(10);
			link.mend(1e9);
			const { bytesSent } = await sending;
			expect(bytesSent).toBeGreaterThanOrEqual(40 * 200_000);
			for (const pack of packs) {
				expect(md5(await readFile(project.downloadPath(pack.name)))).toBe(pack.md5);
			}
			there.dispose();
		} finally {
			await far.close();
			await link.stop();
		}
	});

	test('twice at the same time without harm', async () => {
		const other = await openProject(sandbox.connectLocally(), sandbox.projectRoot, ctx);
		const [one, two] = await Promise.all([ship([entries], { key: 'ee11' }), ship([entries], { key: 'ee11', project: other })]);
		other.dispose();
		expect(namesOf(one)).toEqual(namesOf(two));
		await expectIntact(one);
	});

	test('or not, when it is cancelled: nothing says that the server has it, and the next try goes on', async () => {
		const abort = new AbortController();
		const progress: Progress = {
			report: ({ message, current = 0 }) => {
				if (message === 'Sending the image' && current > 0) {
					abort.abort();
				}
			},
		};
		const outcome: unknown = await ship([entries], { key: 'ff11', signal: abort.signal, progress }).catch(
			(error: unknown) => error,
		);
		expect(outcome).toMatchObject({ name: 'AbortError' });
		expect(await readdir(path.join(sandbox.projectRoot, '.boinc2docker/images')).catch(() => [])).not.toContain('kff11');
		expect((await readdir(sandbox.dir)).filter((name) => name.startsWith('b2d-image-'))).toEqual([]);
		await expectIntact(await ship([entries], { key: 'ff11' }));
	});
});
