import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';

import { silentLog, systemClock } from '../../../src/common/ports.js';
import type { JobPage } from '../../../src/monitor/jobPages.js';
import { ProjectMonitor } from '../../../src/monitor/projectMonitor.js';
import type { Queries } from '../../../src/monitor/queries.js';
import type { Batch } from '../../../src/monitor/types.js';
import { type Database, installSchema, openDatabase, type Parameter } from '../../../src/sandbox/database.js';
import { type Mariadb, startMariadb } from '../../../src/sandbox/mariadb.js';

let folder: string;
let server: Mariadb;
let db: Database;
let queries: Queries & { count: number };

beforeAll(async () => {
	folder = await mkdtemp(path.join(tmpdir(), 'b2d-monitor-'));
	server = await startMariadb({ dir: path.join(folder, 'db') });
	db = await openDatabase(server);
	await installSchema(db);
	await db.execute("SET time_zone = '+00:00'");
});
afterAll(async () => {
	await db.end();
	await server.stop();
	await rm(folder, { recursive: true, force: true });
});

beforeEach(async () => {
	for (const table of ['batch', 'workunit', 'result']) {
		await db.execute(`TRUNCATE TABLE ${table}`);
	}
	queries = {
		count: 0,
		select: (sql, params = []) => {
			queries.count += 1;
			return db.select(sql, params as Parameter[]);
		},
	};
});

const monitor = (): ProjectMonitor =>
	new ProjectMonitor({ log: silentLog, clock: systemClock, database: () => Promise.resolve(queries) });

async function insert(table: string, values: Record<string, Parameter>): Promise<number> {
	const columns = await db.select(
		`SELECT column_name AS name, data_type AS type FROM information_schema.columns
		WHERE table_schema = DATABASE() AND table_name = ? AND is_nullable = 'NO' AND column_default IS NULL AND extra NOT LIKE '%auto_increment%'`,
		[table],
	);
	const defaults: Record<string, Parameter> = Object.fromEntries(
		columns.map(({ name, type }) => [name, /char|blob|text/.test(String(type)) ? '' : 0]),
	);
	const row: Record<string, Parameter> = { ...defaults, ...values };
	const names = Object.keys(row);
	const { insertId } = await db.execute(
		`INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`,
		Object.values(row),
	);
	return insertId;
}

/** Jobs that wait, made in two statements. Returns the first id less one. */
async function insertMany(batch: number, count: number): Promise<number> {
	const first = await addJob(batch, 0);
	await addInstance(batch, first, { server_state: 2 });
	for (const [table, own] of [
		['workunit', {}],
		['result', { workunitid: `${String(first)} + seq` }],
	] as const) {
		const rows = await db.select(
			'SELECT column_name AS name FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ?',
			[table],
		);
		const names = rows.map(({ name }) => String(name)).filter((name) => name !== 'id');
		const values = names.map((name) =>
			name === 'name' ? "CONCAT('many_', seq)" : ((own as Record<string, string>)[name] ?? name),
		);
		await db.execute(
			`INSERT INTO ${table} (${names.join(', ')}) SELECT ${values.join(', ')} FROM ${table}, seq_1_to_${String(count - 1)} WHERE batch = ?`,
			[batch],
		);
	}
	return first;
}

const addBatch = (values: Record<string, Parameter> = {}): Promise<number> =>
	insert('batch', { name: 'pi', app_id: 1, state: 1, create_time: 1_700_000_000, ...values });
const addJob = (batch: number, index: number, values: Record<string, Parameter> = {}): Promise<number> =>
	insert('workunit', { name: `b2d_${String(batch)}_${String(index)}`, batch, appid: 1, ...values });
const addInstance = (batch: number, workunitid: number, values: Record<string, Parameter> = {}): Promise<number> =>
	insert('result', { name: `r_${String(workunitid)}_${String(Math.random())}`, batch, workunitid, appid: 1, ...values });

it('counts the jobs of each batch by state, newest batch first', async () => {
	const first = await addBatch();
	const second = await addBatch({ name: 'second', state: 0 });
	await addJob(first, 0, { canonical_resultid: 5, assimilate_state: 2 });
	const running = await addJob(first, 1);
	await addInstance(first, running, { server_state: 4 });
	const retried = await addJob(first, 2);
	await addInstance(first, retried, { server_state: 5, outcome: 3 });
	await addInstance(first, retried, { server_state: 2 });
	await addJob(first, 3);
	await addJob(first, 4, { error_mask: 16 });

	const watched = monitor();
	await watched.refresh();
	expect(watched.batches().map(({ id, name, state, total }) => ({ id, name, state, total }))).toEqual([
		{ id: second, name: 'second', state: 'preparing', total: 0 },
		{ id: first, name: 'pi', state: 'running', total: 5 },
	]);
	expect(watched.batch(first)?.counts).toMatchObject({
		done: 1,
		running: 1,
		retrying: 1,
		created: 1,
		cancelled: 1,
		queued: 0,
		failed: 0,
	});
});

it('reports a change once, with the jobs that it touched', async () => {
	const batch = await addBatch();
	const job = await addJob(batch, 0);
	const instance = await addInstance(batch, job, { server_state: 2 });
	const watched = monitor();
	const changes: unknown[] = [];
	watched.onDidChange((change) => changes.push(change));
	await watched.refresh();
	expect(changes).toEqual([
		{ batchIds: [], jobIds: [] },
		{ batchIds: [batch], jobIds: [] },
	]);

	await db.execute('UPDATE result SET server_state = 4, hostid = 3 WHERE id = ?', [instance]);
	await watched.refresh();
	expect(watched.batch(batch)?.counts.running).toBe(1);
	expect(changes.slice(2)).toEqual([{ batchIds: [batch], jobIds: [job] }]);

	await watched.refresh(); // inside the overlap: the same rows come again
	expect(changes).toHaveLength(3);
});

it('tells the end of a batch exactly once and does not ask about it again', async () => {
	const batch = await addBatch();
	const job = await addJob(batch, 0);
	const watched = monitor();
	const ended: Batch[] = [];
	watched.onDidFinish((done) => ended.push(done));
	await watched.refresh();
	await db.execute('UPDATE workunit SET canonical_resultid = 9, assimilate_state = 2 WHERE id = ?', [job]);
	await watched.refresh();
	await watched.refresh();
	expect(ended.map(({ id, state }) => ({ id, state }))).toEqual([{ id: batch, state: 'done' }]);
	const before = queries.count;
	await watched.refresh();
	expect(queries.count - before).toBe(1); // the clock, and whether there are new batches
});

it('says nothing about batches that were over before it looked', async () => {
	const batch = await addBatch();
	await addJob(batch, 0, { canonical_resultid: 9, assimilate_state: 2 });
	const watched = monitor();
	const ended: Batch[] = [];
	watched.onDidFinish((done) => ended.push(done));
	await watched.refresh();
	expect(watched.batch(batch)?.state).toBe('done');
	expect(ended).toEqual([]);
});

it('sees jobs that appear in a batch that is being filled, and drops batches that are deleted', async () => {
	const batch = await addBatch({ state: 0 });
	const watched = monitor();
	await watched.refresh();
	await addJob(batch, 0);
	await addJob(batch, 1);
	await watched.refresh();
	expect(watched.batch(batch)).toMatchObject({ state: 'preparing', total: 2 });
	await db.execute('UPDATE batch SET state = 1 WHERE id = ?', [batch]);
	await watched.refresh();
	expect(watched.batch(batch)?.state).toBe('running');
	await db.execute('DELETE FROM batch WHERE id = ?', [batch]);
	await watched.refresh();
	expect(watched.batches()).toEqual([]);
});

it.each([0, 1])(
	'sees the jobs of a submission that ends between two looks, of which %i were there at the first',
	async (known) => {
		const batch = await addBatch({ state: 0 });
		for (let index = 0; index < known; index++) {
			await addJob(batch, index, { canonical_resultid: 5, assimilate_state: 2 });
		}
		const watched = monitor();
		const ended: Batch[] = [];
		watched.onDidFinish((over) => ended.push(over));
		await watched.refresh();
		const instances: number[] = [];
		for (let index = known; index < 3; index++) {
			instances.push(await addInstance(batch, await addJob(batch, index), { server_state: 2 }));
		}
		await db.execute('UPDATE batch SET state = 1, njobs = 3 WHERE id = ?', [batch]);
		await watched.poll();
		expect(watched.batch(batch)).toMatchObject({ state: 'running', total: 3, counts: { queued: 3 - known, done: known } });
		expect(watched.batch(batch)).not.toHaveProperty('purged');
		await db.execute('UPDATE result SET server_state = 4, hostid = 3 WHERE id = ?', [instances[0] ?? 0]);
		await watched.poll();
		expect(watched.batch(batch)?.counts).toMatchObject({ running: 1, queued: 2 - known });
		expect(ended).toEqual([]);
	},
);

it('pages through jobs and lists the instances of one', async () => {
	const batch = await addBatch();
	const ids: number[] = [];
	for (let i = 0; i < 5; i++) {
		ids.push(await addJob(batch, i));
	}
	await addInstance(batch, ids[1]!, { server_state: 5, outcome: 3, exit_status: 7, client_state: 3, hostid: 4 });
	await addInstance(batch, ids[1]!, { server_state: 2 });
	const watched = monitor();
	const first = await watched.jobs(batch, { limit: 3 });
	const rest = await watched.jobs(batch, { after: first.at(-1)!.id, limit: 3 });
	expect([...first, ...rest].map(({ id }) => id)).toEqual(ids);
	expect(first[1]?.state).toBe('retrying');
	const instances = await watched.instances(ids[1]!);
	expect(instances.map(({ state, exitStatus }) => ({ state, exitStatus }))).toEqual([
		{ state: 'failed', exitStatus: 7 },
		{ state: 'unsent', exitStatus: 0 },
	]);
	expect(instances[0]?.explanation).toContain('host 4');
});

it('keeps its rows through trouble and goes on afterwards', async () => {
	const batch = await addBatch();
	await addJob(batch, 0);
	let broken = false;
	const watched = new ProjectMonitor({
		log: silentLog,
		clock: systemClock,
		database: () => (broken ? Promise.reject(new Error('gone')) : Promise.resolve(queries)),
	});
	const trouble: unknown[] = [];
	watched.onDidChangeTrouble((error) => trouble.push(error));
	await watched.refresh();
	broken = true;
	await expect(watched.refresh()).rejects.toThrow('gone');
	await expect(watched.refresh()).rejects.toThrow('gone');
	expect(watched.batches()).toHaveLength(1);
	expect(watched.trouble).toBeInstanceOf(Error);
	broken = false;
	await watched.refresh();
	expect(trouble).toEqual([new Error('gone'), undefined]);
});

it('keeps counts exact while jobs move, without counting again', async () => {
	const batch = await addBatch({ njobs: 60 });
	const ids: number[] = [];
	for (let i = 0; i < 60; i++) {
		const job = await addJob(batch, i);
		ids.push(job);
		await addInstance(batch, job, { server_state: 2 });
	}
	const watched = monitor();
	await watched.refresh();
	const statements: string[] = [];
	const { select } = queries;
	queries.select = (sql, params) => {
		statements.push(sql);
		return select(sql, params);
	};
	await db.execute('UPDATE result SET server_state = 4, hostid = 1 WHERE workunitid <= ?', [ids[29]!]);
	await db.execute('UPDATE workunit SET error_mask = 2 WHERE id <= ?', [ids[9]!]);
	const late = await addJob(batch, 60);
	await watched.poll();
	expect(watched.batch(batch)?.counts).toMatchObject({ failed: 10, running: 20, queued: 30, created: 1 });
	await db.execute('UPDATE workunit SET canonical_resultid = 1, assimilate_state = 2 WHERE id > ? AND id < ?', [ids[9]!, late]);
	await watched.poll();
	expect(watched.batch(batch)?.counts).toMatchObject({ failed: 10, done: 50, created: 1 });
	expect(statements.filter((sql) => sql.includes('NULL AS id'))).toEqual([]);
});

it('follows jobs of many, found by what came to hosts and left them, and the others in turn', async () => {
	const batch = await addBatch();
	const columns = await insertMany(batch, 10_000);
	const watched = monitor();
	await watched.refresh();
	expect(watched.batch(batch)?.counts.queued).toBe(10_000);
	await watched.poll(); // from now on it knows which instances are on hosts
	await db.execute('UPDATE result SET server_state = 4, hostid = 1 WHERE workunitid BETWEEN ? AND ?', [
		columns + 5000,
		columns + 5099,
	]);
	await watched.poll();
	expect(watched.batch(batch)?.counts).toMatchObject({ queued: 9_900, running: 100 });
	await db.execute('UPDATE result SET server_state = 5, outcome = 3 WHERE workunitid BETWEEN ? AND ?', [
		columns + 5000,
		columns + 5009,
	]);
	await watched.poll();
	expect(watched.batch(batch)?.counts).toMatchObject({ running: 90, retrying: 10 });
	await db.execute('UPDATE workunit SET error_mask = 2 WHERE id = ?', [columns + 5000]);
	await db.execute('UPDATE workunit SET error_mask = 16 WHERE id = ?', [columns + 9999]); // waits: its turn comes
	await watched.poll();
	expect(watched.batch(batch)?.counts).toMatchObject({ failed: 1, retrying: 9 });
	for (let turn = 0; turn < 5; turn++) {
		await watched.poll();
	}
	expect(watched.batch(batch)?.counts).toMatchObject({ failed: 1, cancelled: 1, queued: 9_899 });
});

it('sees a change although the clock of the database was set back, and events neither twice', async () => {
	const batch = await addBatch();
	const job = await addJob(batch, 0);
	let offset = 0;
	const { select } = queries;
	queries.select = async (sql, params = []) => {
		const rows = await select(sql, params);
		return sql.includes('newest_batch')
			? rows.map((row) => ({ ...row, now: Number(row.now) + offset, changed_workunit: null }))
			: rows;
	};
	offset = 3600; // the clock runs an hour ahead…
	const watched = monitor();
	await watched.refresh();
	const changes: unknown[] = [];
	watched.onDidChange((change) => changes.push(change));
	offset = 0; // …and is set right
	await db.execute('UPDATE workunit SET error_mask = 2 WHERE id = ?', [job]);
	await watched.poll();
	await watched.poll();
	expect(watched.batch(batch)?.counts.failed).toBe(1);
	expect(changes).toHaveLength(1);
});

it('counts what is left when rows were purged, and says how many are gone', async () => {
	const batch = await addBatch({ njobs: 3 });
	const first = await addJob(batch, 0, { canonical_resultid: 1, assimilate_state: 2 });
	await addJob(batch, 1);
	await addJob(batch, 2);
	const watched = monitor();
	await watched.refresh();
	expect(watched.batch(batch)).toMatchObject({ total: 3 });
	await db.execute('DELETE FROM workunit WHERE id = ?', [first]);
	await watched.refresh();
	expect(watched.batch(batch)).toMatchObject({ total: 2, purged: 1, state: 'running' });
	await db.execute('DELETE FROM workunit');
	await watched.refresh();
	expect(watched.batch(batch)).toMatchObject({ total: 0, purged: 3, state: 'retired' });
});

it('follows only the watched batches while nobody looks', async () => {
	const [seen, unseen] = [await addBatch({ name: 'seen' }), await addBatch({ name: 'unseen' })];
	const [job, other] = [await addJob(seen, 0), await addJob(unseen, 1)];
	const watched = monitor();
	await watched.refresh();
	await db.execute('UPDATE workunit SET error_mask = 2 WHERE id IN (?, ?)', [job, other]);
	const ended: number[] = [];
	const end = new Promise<void>((resolve) =>
		watched.onDidFinish(({ id }) => {
			ended.push(id);
			resolve();
		}),
	);
	watched.start([seen]);
	await end;
	watched.stop();
	expect(ended).toEqual([seen]);
	expect(watched.batch(unseen)?.state).toBe('running');
	await db.execute("UPDATE workunit SET mod_time = '2024-01-01' WHERE id = ?", [other]); // long ago: no delta would find it
	const seenAgain = new Promise<void>((resolve) => watched.onDidFinish(() => resolve()));
	watched.start(); // somebody looks again
	await seenAgain;
	watched.stop();
	expect(watched.batch(unseen)?.state).toBe('failed');
});

it('two monitors on one database see the same', async () => {
	const batch = await addBatch();
	const ids = [await addJob(batch, 0), await addJob(batch, 1)];
	const both = [monitor(), monitor()];
	await Promise.all(both.map((one) => one.refresh()));
	const ended = both.map((one) => {
		const found: number[] = [];
		one.onDidFinish(({ id }) => found.push(id));
		return found;
	});
	for (const id of ids) {
		await db.execute('UPDATE workunit SET error_mask = 2 WHERE id = ?', [id]);
		await Promise.all(both.map((one) => one.poll()));
	}
	expect(both.map((one) => one.batch(batch)?.counts.failed)).toEqual([2, 2]);
	expect(ended).toEqual([[batch], [batch]]);
});

it('finds the jobs of each state, of a host, with an exit code, and groups', async () => {
	const batch = await addBatch();
	const failed = await addJob(batch, 0, { error_mask: 2 });
	await addInstance(batch, failed, { server_state: 5, outcome: 3, exit_status: 9, hostid: 7 });
	const running = await addJob(batch, 1);
	await addInstance(batch, running, { server_state: 4, hostid: 7 });
	const done = await addJob(batch, 2, { canonical_resultid: 1, assimilate_state: 2 });
	const created = await addJob(batch, 3);
	const watched = monitor();
	const idsOf = async (page: JobPage): Promise<number[]> => (await watched.jobs(batch, page)).map(({ id }) => id);
	for (const pass of ['asked of the database', 'from the index']) {
		expect(await idsOf({ states: ['failed'] }), pass).toEqual([failed]);
		expect(await idsOf({ states: ['running', 'created'] }), pass).toEqual([running, created]);
		expect(await idsOf({ states: ['done'] }), pass).toEqual([done]);
		for (const none of ['queued', 'validating', 'retrying', 'collecting', 'cancelling', 'cancelled'] as const) {
			expect(await idsOf({ states: [none] }), `${pass} ${none}`).toEqual([]);
		}
		await watched.refresh();
	}
	expect(await idsOf({ hostId: 7 })).toEqual([failed, running]);
	expect(await idsOf({ exitStatus: 9 })).toEqual([failed]);
	expect(await idsOf({ states: ['failed', 'done'], limit: 1, after: failed })).toEqual([done]);
	expect(await idsOf({ containing: '_2' })).toEqual([done]);
	expect(await watched.groups(batch, 'host')).toEqual([{ value: 7, jobs: 2 }]);
	expect(await watched.groups(batch, 'exitCode')).toEqual([{ value: 9, jobs: 1 }]);
});

it('polls by itself between start and stop, and not after', async () => {
	const batch = await addBatch();
	const job = await addJob(batch, 0);
	const quick = { now: () => Date.now(), sleep: (_ms: number, signal?: AbortSignal) => systemClock.sleep(5, signal) };
	const watched = new ProjectMonitor({ log: silentLog, clock: quick, database: () => Promise.resolve(queries) });
	const ended = new Promise<Batch>((resolve) => watched.onDidFinish(resolve));
	const loaded = new Promise<void>((resolve) => watched.onDidChange(({ batchIds }) => batchIds.length > 0 && resolve()));
	watched.start();
	await loaded;
	await db.execute('UPDATE workunit SET error_mask = 2 WHERE id = ?', [job]);
	expect((await ended).state).toBe('failed');
	watched.stop();
	const before = queries.count;
	await systemClock.sleep(200); // forty periods
	expect(queries.count).toBe(before);
	watched.dispose();
});
