import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { contentOfBytes } from '../../../src/common/content.js';
import { FileCache } from '../../../src/common/fileCache.js';
import { quietContext } from '../../../src/common/ports.js';
import type { Connection } from '../../../src/connection/connection.js';
import { localConnection } from '../../../src/connection/localConnection.js';
import { type ImageToPublish, publishImage } from '../../../src/job/publishImage.js';
import { askForImages, type ImageQuestion, type ImageRecord, type RecentImages } from '../../../src/project/imageStore.js';
import { openProject } from '../../../src/project/openProject.js';
import type { Project } from '../../../src/project/project.js';
import { makeBareProject } from '../../support/bareProject.js';

const ctx = quietContext();
const ID = 'a'.repeat(64);

let dir: string;
let connection: Connection;
let project: Project;

beforeEach(async () => {
	dir = await mkdtemp(path.join(os.tmpdir(), 'b2d publish-'));
	await makeBareProject(path.join(dir, 'root'));
	connection = localConnection();
	project = await openProject(connection, path.join(dir, 'root'), ctx);
});
afterEach(async () => {
	project.dispose();
	await connection.close();
	await rm(dir, { recursive: true, force: true });
});

type Enclosed = ImageToPublish['enclosed'][number];

function packOf(text: string): Enclosed {
	const content = contentOfBytes(text);
	return { name: `b2d_pack_${content.sha256.slice(0, 32)}.tar.gz`, ...content, content };
}

const imageOf = (packs: readonly Enclosed[], more: Partial<ImageToPublish> = {}): ImageToPublish => ({
	names: [ID, 'k1'],
	packs,
	description: { packs: packs.map(({ name }) => name) },
	manifests: new Map(packs.map(({ name }) => [name, Buffer.from(`manifest of ${name}`)])),
	enclosed: packs,
	checked: packs.map(({ name }) => name),
	...more,
});

const NO_CACHE = new FileCache(undefined, 0);
const publish = (image: ImageToPublish, cache = NO_CACHE): Promise<number> =>
	publishImage(project, Promise.resolve(image), cache, ctx);
const store = (...parts: string[]): string => path.join(project.root, '.boinc2docker', ...parts);

/** What lies in the project and is neither the image's nor the project's own. */
async function leftovers(): Promise<string[]> {
	const names = await readdir(project.root, { recursive: true });
	return names.filter((name) => /incoming-|\.part/.test(name));
}

async function ask(question: ImageQuestion, cache = NO_CACHE): Promise<{ named: ImageRecord | undefined; recent: RecentImages }> {
	const { named, recent } = askForImages(project, question, cache, ctx);
	return { named: await named, recent: await recent };
}

describe('an image and its packs', () => {
	test('arrive together, and are found under each name', async () => {
		const packs = [packOf('one'), packOf('two')];
		expect(await publish(imageOf(packs))).toBeGreaterThan(1_000);
		for (const { name, md5, size, content } of packs) {
			const file = project.downloadPath(name);
			expect(
				createHash('sha256')
					.update(await readFile(file))
					.digest('hex'),
			).toBe(content.sha256);
			expect(await readFile(`${file}.md5`, 'utf8')).toBe(`${md5} ${String(size)}\n`);
			expect((await stat(file)).mode & 0o777).toBe(0o644);
			expect((await stat(`${file}.md5`)).mtimeMs).toBeGreaterThanOrEqual((await stat(file)).mtimeMs);
			expect(await readFile(store('packs', name), 'utf8')).toBe(`manifest of ${name}`);
			expect(await readdir(store('checked'))).toContain(name);
		}
		expect(await leftovers()).toEqual([]);
		const description = { packs: packs.map(({ name }) => name) };
		expect(await ask({ name: 'k1', recent: 5 })).toEqual({
			named: { name: 'k1', description, damaged: [] },
			recent: { records: [], isAll: true },
		});
		expect((await ask({ recent: 5 })).recent.records).toEqual([{ name: ID, description, damaged: [] }]);
	});

	test('are not there when something else arrives than was sent', async () => {
		const pack = packOf('one');
		const other = { ...pack, content: contentOfBytes('two') };
		await expect(publish(imageOf([pack], { enclosed: [other] }))).rejects.toMatchObject({ code: 'transfer-corrupt' });
		expect((await ask({ name: ID, recent: 5 })).named).toBeUndefined();
		expect(
			(await readdir(path.join(project.root, 'download'), { recursive: true })).filter((name) => name.includes('b2d')),
		).toEqual([]);
		expect(await leftovers()).toEqual([]);
	});

	test('are not there when the making of them fails, and nothing is left', async () => {
		const failed = new Error('no more disk');
		await expect(publishImage(project, Promise.reject(failed), NO_CACHE, ctx)).rejects.toBe(failed);
		await expect.poll(leftovers).toEqual([]);
		expect((await ask({ name: ID, recent: 5 })).named).toBeUndefined();
	});

	test('tidy up after one that was killed days ago, and remove nothing else', async () => {
		const [pack, next] = [packOf('one'), packOf('two')];
		await publish(imageOf([pack]));
		const file = project.downloadPath(pack.name);
		const part = path.join(path.dirname(file), '.b2d-99-killed.part');
		const fresh = path.join(path.dirname(file), '.b2d-98-busy.part');
		for (const [incoming, named, days] of [
			['incoming-old', [part, file, path.dirname(file)], 3],
			['incoming-new', [fresh], 1],
		] as const) {
			await mkdir(store(incoming));
			await writeFile(store(incoming, 'parts'), named.map((name) => `${name}\n`).join(''));
			await utimes(store(incoming), new Date(), new Date(Date.now() - days * 86_400_000));
		}
		for (const name of [part, `${part}.md5`, fresh]) {
			await writeFile(name, 'half');
		}
		await publish(imageOf([next]));
		expect((await leftovers()).map((name) => path.basename(name)).sort()).toEqual(['.b2d-98-busy.part', 'incoming-new', 'parts']);
		expect(await readFile(file, 'utf8')).toBe('one');
	});

	test('replace a pack that is damaged, but no folder', async () => {
		const pack = packOf('one');
		await publish(imageOf([pack]));
		await writeFile(project.downloadPath(pack.name), 'eno');
		await publish(imageOf([pack]));
		expect(await readFile(project.downloadPath(pack.name), 'utf8')).toBe('one');
		const next = packOf('two');
		await mkdir(project.downloadPath(next.name), { recursive: true });
		await expect(publish(imageOf([next]))).rejects.toThrow(/is a directory/);
		expect(await leftovers()).toEqual([]);
	});

	test('are not recorded when another pack of the image is gone', async () => {
		const [pack, gone] = [packOf('one'), packOf('gone')];
		await expect(publish(imageOf([pack, gone], { enclosed: [pack] }))).rejects.toThrow(/not there any longer/);
		expect((await ask({ name: ID, recent: 5 })).named).toBeUndefined();
	});

	test('do not come when nobody may write there', async () => {
		await writeFile(path.join(project.root, '.boinc2docker'), 'a file');
		await expect(publish(imageOf([packOf('one')]))).rejects.toThrow(/record the image/);
	});
});

describe('the question what a server has', () => {
	const name = (digit: string): string => digit.repeat(64);

	test('has one answer for an image that is not known: those that were used last, the latest first', async () => {
		for (const [index, digit] of ['1', '2', '3'].entries()) {
			await publish(imageOf([packOf(digit)], { names: [name(digit), `k${digit}`] }));
			const time = new Date(Date.now() - 100_000 + index * 1000);
			await utimes(store('images', name(digit)), time, time);
		}
		const { named, recent } = await ask({ name: Promise.resolve('k4'), recent: 2 });
		expect(named).toBeUndefined();
		expect(recent.records.map((record) => record.name)).toEqual([name('3'), name('2')]);
		expect(recent.isAll).toBe(false);
		expect((await ask({ name: 'k4', recent: 4 })).recent.isAll).toBe(true);
		expect((await ask({ name: 'k2', recent: 2 })).named?.description).toEqual({ packs: [packOf('2').name] });
	});

	/** The answers to a question, and how many bytes came with them. */
	async function counted(
		question: ImageQuestion,
		cache: FileCache,
	): Promise<{ answer: [ImageRecord | undefined, RecentImages]; bytes: number }> {
		let bytes = 0;
		const watching: Connection = {
			...connection,
			name: connection.name,
			exec: (argv, options) =>
				connection.exec(argv, {
					...options,
					onStdout: (piece) => {
						bytes += piece.length;
						return options?.onStdout?.(piece);
					},
				}),
		};
		const watched = await openProject(connection, project.root, ctx);
		Object.defineProperty(watched, 'connection', { value: watching });
		try {
			const { named, recent } = askForImages(watched, question, cache, ctx);
			return { answer: [await named, await recent], bytes };
		} finally {
			watched.dispose();
		}
	}

	test('is answered briefly where this computer has the answer', async () => {
		await publish(imageOf([packOf('1')], { names: [name('1'), 'k1'] }));
		await publish(imageOf([packOf('2')], { names: [name('2'), 'k2'] }));
		const cache = new FileCache(path.join(dir, 'cache'), 1_000_000);
		const first = await ask({ name: 'k3', recent: 5 }, cache);
		const { answer, bytes } = await counted({ name: 'k3', recent: 5 }, cache);
		expect(answer).toEqual([first.named, first.recent]);
		expect(bytes).toBeLessThan(300);
	});

	test('is answered briefly of what was published from here', async () => {
		const cache = new FileCache(path.join(dir, 'cache'), 1_000_000);
		for (let number = 1; number <= 14; number++) {
			await publish(imageOf([packOf(String(number))], { names: [String(number).padStart(64, '0'), `k${number}`] }), cache);
		}
		for (const question of [
			{ name: 'k14', recent: 0 },
			{ name: 'k15', recent: 3 },
		]) {
			const { answer, bytes } = await counted(question, cache);
			const { named, recent } = await ask(question);
			expect(answer).toEqual([named, recent]);
			expect(bytes).toBeLessThan(400);
		}
		// Not more than are asked for.
		const [kept] = (await readdir(path.join(dir, 'cache'))).filter((file) => file.startsWith('recent-'));
		const records = (await readFile(path.join(dir, 'cache', kept ?? ''), 'latin1')).match(/record \d{64} /g);
		expect(records).toHaveLength(12);
	});

	test('names the packs that are not as they should be, for each image that has them', async () => {
		const [common, own] = [packOf('common'), packOf('own')];
		await publish(imageOf([common], { names: [name('1'), 'k1'] }));
		await publish(imageOf([common, own], { names: [name('2'), 'k2'] }));
		await truncate(project.downloadPath(own.name), 1);
		expect((await ask({ name: 'k1', recent: 5 })).named?.damaged).toEqual([]);
		await writeFile(`${project.downloadPath(common.name)}.md5`, `${'0'.repeat(32)} 1\n`);
		const { named, recent } = await ask({ name: 'k2', recent: 5 });
		expect([...(named?.damaged ?? [])].sort()).toEqual([common.name, own.name].sort());
		expect(Object.fromEntries(recent.records.map((record) => [record.name, record.damaged.length]))).toEqual({
			[name('1')]: 1,
			[name('2')]: 2,
		});
	});

	test('has the answer that nothing is known from a server without a store, and from a key that cannot be found out none', async () => {
		expect(await ask({ name: 'k1', recent: 5 })).toEqual({ named: undefined, recent: { records: [], isAll: true } });
		await publish(imageOf([packOf('1')]));
		const failed = new Error('no engine');
		await expect(ask({ name: Promise.reject(failed), recent: 5 })).rejects.toBe(failed);
	});
});
