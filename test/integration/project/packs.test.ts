import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';

import { contentOfFile } from '../../../src/common/content.js';
import { FileCache } from '../../../src/common/fileCache.js';
import { quietContext } from '../../../src/common/ports.js';
import type { Connection } from '../../../src/connection/connection.js';
import { cancelBatch } from '../../../src/job/cancel.js';
import { ManifestCache } from '../../../src/job/manifestCache.js';
import { publishImage } from '../../../src/job/publishImage.js';
import { submitContainer } from '../../../src/job/submitImage.js';
import type { SubmittedBatch } from '../../../src/job/types.js';
import { daemonStatus } from '../../../src/project/daemons.js';
import type { SqlValue } from '../../../src/project/database.js';
import { askForImages } from '../../../src/project/imageStore.js';
import { openProject } from '../../../src/project/openProject.js';
import { type ListedPack, listPacks } from '../../../src/project/packList.js';
import { neededPacks, packUse } from '../../../src/project/packUse.js';
import type { Project } from '../../../src/project/project.js';
import { removePacks } from '../../../src/project/removePacks.js';
import { stageFiles } from '../../../src/project/staging.js';
import { type Database, openDatabase } from '../../../src/sandbox/database.js';
import { runProgram } from '../../../src/terminal/program.js';
import { installTestApp } from '../../support/installTestApp.js';
import { eventually, startTestSandbox, type TestSandbox } from '../../support/sandbox.js';
import { file, savedImage, tarOf } from '../../support/savedImages.js';

const APP = 'boinc2docker';
const DAY = 86_400;
const ctx = quietContext();
const REMOVE = path.resolve(import.meta.dirname, '../../../templates/server/remove-packs.sh');
const LIST = path.resolve(import.meta.dirname, '../../../templates/server/list-packs.sh');

let sandbox: TestSandbox;
let connection: Connection;
let project: Project;
let database: Database;
let images = 0;
let assimilator: number;

beforeAll(async () => {
	sandbox = await startTestSandbox();
	connection = sandbox.connectLocally();
	database = await openDatabase(sandbox.database);
	await installTestApp(sandbox, connection, APP);
	project = await openProject(connection, sandbox.projectRoot, ctx);
	const found = (await daemonStatus(project)).find(({ command }) => command.startsWith('script_assimilator'));
	project.dispose();
	assimilator = found!.pid!;
	// The tests write the states that it would change.
	process.kill(assimilator, 'SIGSTOP');
});
afterAll(async () => {
	process.kill(assimilator, 'SIGCONT');
	await connection.close();
	await database.end();
	await sandbox.remove();
});
beforeEach(async () => {
	project = await openProject(connection, sandbox.projectRoot, ctx);
});
afterEach(() => project.dispose());

/** Submits an image that no other test has; with `of`, that one's again. */
async function submit(of = ++images): Promise<SubmittedBatch> {
	const archive = path.join(sandbox.dir, `image${of}.tar`);
	const layer = tarOf([file('app', `#!/bin/sh\necho ${of}\n`, { mode: 0o755 })]);
	await writeFile(archive, savedImage('docker 25', [layer], { config: { Cmd: ['/app'] } }));
	const request = { name: 'packs', app: APP, image: { kind: 'archive' as const, file: archive }, count: 3 };
	return submitContainer(project, request, { engine: undefined }, ctx);
}

/** Records an image of these packs. */
function record(name: string, packs: readonly string[]): Promise<number> {
	const image = { names: [name], description: {}, manifests: new Map(), enclosed: [], checked: [] };
	const facts = packs.map((pack) => ({ name: pack, size: 1, md5: '' }));
	return publishImage(project, Promise.resolve({ ...image, packs: facts }), new FileCache(undefined, 0), ctx);
}

/** The packs of a batch as they are listed. */
async function packsOf({ id }: SubmittedBatch): Promise<ListedPack[]> {
	return (await listPacks(project, ctx)).filter(({ batches }) => batches.includes(id));
}

const namesOf = (packs: readonly ListedPack[]): string[] => packs.map(({ name }) => name);

/** Sets jobs and instances of a batch as its end leaves them. */
async function finish({ id }: SubmittedBatch): Promise<void> {
	await database.execute('UPDATE workunit SET assimilate_state = 2, transition_time = 2147483647 WHERE batch = ?', [id]);
	await database.execute('UPDATE result SET server_state = 5, outcome = 5 WHERE batch = ?', [id]);
}

const store = (...parts: string[]): string => path.join(sandbox.projectRoot, '.boinc2docker', ...parts);

/** Makes packs, and the images that have them, look as if they came `days` ago. */
async function age(packs: readonly ListedPack[], days: number): Promise<void> {
	const time = Date.now() / 1000 - days * DAY;
	for (const { name, images: records } of packs) {
		const data = project.downloadPath(name);
		for (const each of [data, `${data}.md5`, store('packs', name), ...records.map((record) => store('images', record))]) {
			if (existsSync(each)) {
				await utimes(each, time, time);
			}
		}
	}
}

/** Submits, finishes and ages: packs that can be removed. */
async function unusedPacks(): Promise<{ batch: SubmittedBatch; packs: ListedPack[]; image: number }> {
	const batch = await submit();
	await instancesOf(batch);
	await finish(batch);
	await age(await packsOf(batch), 3);
	return { batch, packs: await packsOf(batch), image: images };
}

/** Waits until the transitioner has made the instances of a batch. */
async function instancesOf({ id }: SubmittedBatch): Promise<number[]> {
	for (;;) {
		const rows = await database.select('SELECT id FROM result WHERE batch = ?', [id]);
		if (rows.length >= 3) {
			return rows.map((row) => Number(row.id));
		}
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
}

describe('a pack', () => {
	test('is needed while a job is unfinished, then recent, then unused, then gone, and comes again with its image', async () => {
		const batch = await submit();
		const fresh = await packsOf(batch);
		expect(fresh.length).toBeGreaterThan(0);
		for (const pack of fresh) {
			expect(pack).toMatchObject({ batches: [batch.id], state: 'needed' });
			expect(pack.ageSeconds).toBeLessThan(600);
			expect(pack.lastUseSeconds).toBeLessThan(600);
			expect(pack.images.length).toBeGreaterThan(0);
			const { size } = await stat(project.downloadPath(pack.name));
			const side = await stat(`${project.downloadPath(pack.name)}.md5`);
			expect(pack.bytes).toBe(size + side.size + (await stat(store('packs', pack.name))).size);
		}
		await age(fresh, 3);
		await instancesOf(batch);
		expect((await packsOf(batch)).map(({ state }) => state)).toEqual(fresh.map(() => 'needed'));
		expect(await removePacks(project, namesOf(fresh), ctx)).toMatchObject({
			removed: [],
			kept: namesOf(fresh).map((name) => ({ name, why: 'needed' })),
		});
		await finish(batch);
		const unused = await packsOf(batch);
		expect(unused.map(({ state }) => state)).toEqual(fresh.map(() => 'unused'));
		expect(unused[0]!.lastUseSeconds).toBeGreaterThan(2.9 * DAY);

		const records = unused.flatMap((pack) => pack.images);
		const report = await removePacks(project, namesOf(unused), ctx);
		expect(report).toEqual({
			removed: namesOf(unused),
			bytesFreed: unused.reduce((sum, { bytes }) => sum + bytes, 0),
			kept: [],
		});
		for (const name of namesOf(unused)) {
			const folder = path.dirname(project.downloadPath(name));
			expect((await readdir(folder)).filter((each) => each.startsWith(name))).toEqual([]);
			expect(existsSync(store('packs', name))).toBe(false);
		}
		expect((await readdir(store('images'))).filter((name) => records.some((record) => name.startsWith(record)))).toEqual([]);
		expect(await packsOf(batch)).toEqual([]);
		expect(await removePacks(project, namesOf(unused), ctx)).toEqual({ removed: [], bytesFreed: 0, kept: [] });

		const again = await submit(1);
		expect(again.bytesSent).toBeGreaterThan(0);
		expect(namesOf(await packsOf(again)).sort()).toEqual(namesOf(unused).sort());
		for (const name of namesOf(unused)) {
			expect(await readFile(`${project.downloadPath(name)}.md5`, 'utf8')).toMatch(/^[0-9a-f]{32} \d+\n$/);
		}
		await finish(again);
	});

	test('of a cancelled job is needed as long as an instance is on a host', async () => {
		const batch = await submit();
		const [instance] = await instancesOf(batch);
		await database.execute('UPDATE result SET server_state = 4 WHERE id = ?', [instance!]);
		await cancelBatch(project, batch.id, ctx);
		await eventually('the transitioner has seen the cancellation', async () => {
			const rows = await database.select('SELECT id FROM workunit WHERE batch = ? AND assimilate_state = 0', [batch.id]);
			return rows.length === 0;
		});
		await age(await packsOf(batch), 3);
		await database.execute('UPDATE workunit SET assimilate_state = 2, transition_time = 2147483647 WHERE batch = ?', [batch.id]);
		await database.execute('UPDATE result SET server_state = IF(id = ?, 4, 5), outcome = 0 WHERE batch = ?', [
			instance!,
			batch.id,
		]);
		const packs = await packsOf(batch);
		expect(packs.map(({ state }) => state)).toEqual(packs.map(() => 'needed'));
		expect((await removePacks(project, namesOf(packs), ctx)).removed).toEqual([]);
		await database.execute('UPDATE result SET server_state = 5 WHERE batch = ?', [batch.id]);
		expect((await packsOf(batch)).map(({ state }) => state)).toEqual(packs.map(() => 'unused'));
	});

	test.each([
		['waits for its instances', 0],
		['waits for the assimilator', 1],
	])('of a job that %s is needed', async (_what, state) => {
		const { batch, packs } = await unusedPacks();
		await database.execute('UPDATE workunit SET assimilate_state = ? WHERE batch = ? LIMIT 1', [state, batch.id]);
		expect((await packsOf(batch)).map((pack) => pack.state)).toEqual(packs.map(() => 'needed'));
		await finish(batch);
	});

	test('of a job without a batch, or in a batch of somebody else, is needed', async () => {
		const { batch, packs } = await unusedPacks();
		const [first] = await database.select('SELECT MAX(id) AS id FROM workunit WHERE batch = ?', [batch.id]);
		for (const number of [0, 4_000_000]) {
			await database.execute(
				"UPDATE workunit SET batch = ?, name = CONCAT('foreign_', id, '_', ?), assimilate_state = 0 WHERE id = ?",
				[number, number, Number(first!.id)],
			);
			expect([...(await neededPacks(project, ctx))].sort()).toEqual(expect.arrayContaining(namesOf(packs).sort()));
		}
		await database.execute('UPDATE workunit SET assimilate_state = 2 WHERE id = ?', [Number(first!.id)]);
		expect([...(await neededPacks(project, ctx))].filter((name) => namesOf(packs).includes(name))).toEqual([]);
	});

	test('that came within a day stays, whoever lists it', async () => {
		const { packs } = await unusedPacks();
		await age(packs, 0.9);
		expect(await removePacks(project, namesOf(packs), ctx)).toMatchObject({
			removed: [],
			kept: namesOf(packs).map((name) => ({ name, why: 'recent' })),
		});
		for (const name of namesOf(packs)) {
			expect(existsSync(`${project.downloadPath(name)}.md5`)).toBe(true);
		}
	});

	test.each<[string, (packs: readonly ListedPack[], image: number) => Promise<unknown>]>([
		['its image was submitted', async (_packs, image) => finish(await submit(image))],
		[
			'a new image was compared with its image',
			() => askForImages(project, { recent: 12 }, new ManifestCache(undefined), ctx).recent,
		],
		[
			'it was to be sent',
			async ([pack]) =>
				stageFiles(project, [{ name: pack!.name, content: await contentOfFile(project.downloadPath(pack!.name)) }], ctx),
		],
		[
			'an image with it was recorded',
			(packs) =>
				record(
					'k1',
					packs.map(({ name }) => name),
				),
		],
	])('stays when %s', async (_what, use) => {
		const { batch, packs, image } = await unusedPacks();
		const [pack] = packs;
		expect(pack!.state).toBe('unused');
		await use(packs, image);
		expect(await removePacks(project, [pack!.name], ctx)).toMatchObject({
			removed: [],
			kept: [{ name: pack!.name, why: 'recent' }],
		});
		expect((await packsOf(batch)).find(({ name }) => name === pack!.name)?.state).toBe('recent');
	});

	test('that is gone makes the record of a new image fail', async () => {
		const missing = `b2d_pack_${'1'.repeat(32)}.tar.gz`;
		await expect(record('k2', [missing])).rejects.toThrow(/not there any longer/);
		expect((await readdir(store('images'))).filter((name) => name.startsWith('k2'))).toEqual([]);
	});

	test('that only lies there is unused after a day, also half of it', async () => {
		const names = ['2', '3', '4'].map((digit) => `b2d_pack_${digit.repeat(32)}.tar.gz`);
		const [whole, bare, hidden] = names.map((name) => project.downloadPath(name));
		const written = [whole!, `${whole!}.md5`, bare!, `${hidden!}.gone`];
		for (const each of written) {
			await mkdir(path.dirname(each), { recursive: true });
			await writeFile(each, 'content');
		}
		const own = async (): Promise<ListedPack[]> => (await listPacks(project, ctx)).filter(({ name }) => names.includes(name));
		expect((await own()).map(({ state }) => state)).toEqual(['recent', 'recent', 'recent']);
		expect((await removePacks(project, names, ctx)).removed).toEqual([]);
		const old = Date.now() / 1000 - 2 * DAY;
		await Promise.all(written.map((each) => utimes(each, old, old)));
		expect((await own()).map(({ state }) => state)).toEqual(['unused', 'unused', 'unused']);
		expect([...(await removePacks(project, names, ctx)).removed].sort()).toEqual(names);
		expect(written.filter((each) => existsSync(each))).toEqual([]);
	});
});

describe('nothing but packs can be removed', () => {
	const hostile = (outside: string): string[] => [
		'../config.xml',
		'/etc/hostname',
		outside,
		`../b2d_pack_${'5'.repeat(32)}.tar.gz`,
		`x/../b2d_pack_${'5'.repeat(32)}.tar.gz`,
		`b2d_pack_${'5'.repeat(32)}.tar.gz.md5`,
		`b2d_pack_${'5'.repeat(31)}.tar.gz`,
		`b2d_pack_${'5'.repeat(31)}*.tar.gz`,
		`b2d_pack_${'5'.repeat(32)}.tar.gz;touch x`,
		`$(touch x)b2d_pack_${'5'.repeat(32)}.tar.gz`,
		'-rf',
		'*',
		'',
	];

	test('by name', async () => {
		for (const name of hostile('/etc/hostname')) {
			await expect(removePacks(project, [name], ctx)).rejects.toMatchObject({ code: 'usage' });
		}
	});

	test.each([['dash'], ['busybox sh'], ['sh']])('by the script under %s, which removes what it should', async (shell) => {
		const root = path.join(sandbox.dir, `hostile ${shell}`);
		const download = path.join(root, 'down load');
		const pack = `b2d_pack_${'5'.repeat(32)}.tar.gz`;
		const files = [
			'config.xml',
			pack,
			'down load/3d8/infile',
			`down load/x/${pack}`,
			`down load/${pack}`,
			`down load/${pack}.md5`,
			`down load/b2d_pack_${'5'.repeat(31)}.tar.gz`,
			`.boinc2docker/packs/${pack}`,
		];
		const old = Date.now() / 1000 - 2 * DAY;
		for (const name of files) {
			await mkdir(path.dirname(path.join(root, name)), { recursive: true });
			await writeFile(path.join(root, name), 'x');
			await utimes(path.join(root, name), old, old);
		}
		const [program, ...args] = shell.split(' ');
		const call = (script: string, input = ''): Promise<{ stdout: string }> => {
			const running = promisify(execFile)(program!, [...args, script, root, download]);
			running.child.stdin?.end(input);
			return running;
		};
		const before = (await readdir(root, { recursive: true })).sort();
		const refused = hostile(path.join(root, 'config.xml')).map((line) => `${line}\n`);
		expect((await call(REMOVE, refused.join(''))).stdout).toBe('');
		expect((await readdir(root, { recursive: true })).sort()).toEqual(before);
		expect((await call(LIST)).stdout.replaceAll(/\b\d{10}\b/g, 'T')).toBe(
			`now T\nfile T 1 ${pack}\nfile T 1 ${pack}.md5\nmanifest T 1 ${pack}\nend\n`,
		);
		expect((await call(REMOVE, `${pack}\n`)).stdout).toBe(`removed ${pack}\n`);
		const removed = [`down load/${pack}`, `down load/${pack}.md5`, `.boinc2docker/packs/${pack}`];
		expect((await readdir(root, { recursive: true })).sort()).toEqual(before.filter((name) => !removed.includes(name)));
	});
});

describe('a pack that is asked for while it is removed', () => {
	/** Runs the script on one old pack, with `meanwhile` just before the first move of what ends in `ending`. */
	async function race(name: string, ending: string, meanwhile: string): Promise<{ said: string; left: string[] }> {
		const root = path.join(sandbox.dir, name);
		const pack = `b2d_pack_${'6'.repeat(32)}.tar.gz`;
		const old = Date.now() / 1000 - 2 * DAY;
		for (const each of [`download/${pack}`, `download/${pack}.md5`]) {
			await mkdir(path.join(root, path.dirname(each)), { recursive: true });
			await writeFile(path.join(root, each), 'x');
			await utimes(path.join(root, each), old, old);
		}
		await mkdir(path.join(root, 'bin'));
		const mv = `#!/bin/sh\ncase $2 in *${ending}) [ -e "$0.ran" ] || { touch "$0.ran"; cd '${root}/download'; ${meanwhile}; } ;; esac\nexec /bin/mv "$@"\n`;
		await writeFile(path.join(root, 'bin/mv'), mv, { mode: 0o755 });
		const running = promisify(execFile)('sh', [REMOVE, root, path.join(root, 'download')], {
			env: { ...process.env, PATH: `${path.join(root, 'bin')}:${process.env.PATH ?? ''}` },
		});
		running.child.stdin?.end(`${pack}\n`);
		return { said: (await running).stdout.replace(pack, 'PACK'), left: (await readdir(path.join(root, 'download'))).sort() };
	}
	const both = [`b2d_pack_${'6'.repeat(32)}.tar.gz`, `b2d_pack_${'6'.repeat(32)}.tar.gz.md5`];

	test('stays when its side file was touched before that is hidden', async () => {
		expect(await race('touched', '.md5', 'touch -c *.md5')).toEqual({ said: 'kept PACK\n', left: both });
	});

	test('stays when it got a new side file before the data are hidden', async () => {
		expect(await race('finished', '.tar.gz', 'echo new >"${2##*/}.md5"')).toEqual({ said: 'kept PACK\n', left: both });
	});

	test('goes when nobody asked', async () => {
		expect(await race('alone', '.md5', 'true')).toEqual({ said: 'removed PACK\n', left: [] });
	});
});

describe('the command line', () => {
	const call = async (...words: string[]): Promise<{ code: number; said: string }> => {
		const log = vi.spyOn(console, 'log').mockReturnValue();
		vi.spyOn(console, 'error').mockReturnValue();
		const code = await runProgram(['--server', `local:${sandbox.projectRoot}`, 'packs', ...words], '0');
		const said = log.mock.calls.map(([line]) => String(line)).join('\n');
		vi.restoreAllMocks();
		return { code, said };
	};

	test('lists packs and removes unused ones only when it may', async () => {
		const { batch, packs } = await unusedPacks();
		const name = packs[0]!.name;
		const list = await call();
		expect(list.code).toBe(0);
		expect(list.said).toMatch(/^PACK +SIZE +AGE +LAST USE +BATCHES +NEEDED BY UNFINISHED JOBS\n/);
		expect(list.said).toMatch(new RegExp(`^${name.slice(9, 21)} +\\S+ .?B +3 d +3 d ago +${batch.id} +no$`, 'm'));
		const { said } = await call('--json');
		expect((JSON.parse(said) as { packs: ListedPack[] }).packs).toContainEqual(
			expect.objectContaining({ name, state: 'unused', batches: [batch.id] }),
		);
		expect(await call('--remove-unused', '--older-than', '30d')).toEqual({
			code: 0,
			said: expect.stringMatching(/^There is nothing to remove\./) as string,
		});
		expect((await call('--remove-unused')).code).toBe(130);
		expect((await call('--older-than', '30d')).code).toBe(2);
		expect((await call('--remove-unused', '--older-than', 'soon')).code).toBe(2);
		expect(existsSync(project.downloadPath(name))).toBe(true);
		const removal = await call('--remove-unused', '--only', name.slice(9, 21), '--yes', '--json');
		expect(JSON.parse(removal.said)).toMatchObject({ removed: [name], kept: [] });
		expect(existsSync(project.downloadPath(name))).toBe(false);
	});
});

test('no table of jobs or instances is read as a whole', async () => {
	await database.execute(
		`INSERT INTO workunit (create_time, appid, name, xml_doc, batch, rsc_fpops_est, rsc_fpops_bound, rsc_memory_bound, rsc_disk_bound, need_validate,
			canonical_resultid, canonical_credit, transition_time, delay_bound, error_mask, file_delete_state, assimilate_state, hr_class, opaque, min_quorum,
			target_nresults, max_error_results, max_total_results, max_success_results, result_template_file, priority, rsc_bandwidth_bound, fileset_id,
			app_version_id, transitioner_flags, keywords, app_version_num)
		SELECT 1, 77, CONCAT('other_', seq), '<workunit/>', 100 + seq % 7, 1, 1, 1, 1, 0, 0, 0, 2147483647, 1, 0, 0, 2, 0, 0, 1, 1, 1, 1, 1, '', 0, 0, 0, 0, 0, '', 0 FROM seq_1_to_5000`,
	);
	await database.execute('ANALYZE TABLE workunit, result');
	const reader = await project.database();
	const spy = vi.spyOn(reader, 'select');
	await packUse(project, ctx);
	const asked = spy.mock.calls.map(([sql, params]) => ({ sql, params: params ?? [] }));
	spy.mockRestore();
	expect(asked.length).toBeGreaterThan(8);
	for (const { sql, params } of asked) {
		const plan = await reader.select<Record<string, SqlValue>>(`EXPLAIN ${sql}`, params);
		for (const { table, type, key, Extra: extra } of plan) {
			if (!['workunit', 'w', 'r'].includes(String(table))) {
				continue;
			}
			expect([sql, type]).toEqual([sql, expect.stringMatching(/^(ref|range|eq_ref|const)$/)]);
			expect([sql, key]).toEqual([sql, expect.stringMatching(/^(PRIMARY|wu_assim|wu_batch|res_app_state)$/)]);
			if (sql.includes('GROUP BY batch ORDER')) {
				expect(extra).toContain('Using index for group-by');
			}
		}
	}
});
