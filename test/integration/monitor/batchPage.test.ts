import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, expect, it } from 'vitest';

import { tableIds, tableRows } from '../../../src/monitor/batchPage/jobTable.js';
import { BatchReader } from '../../../src/monitor/batchPage/summary.js';
import { batchEta } from '../../../src/monitor/eta/history.js';
import { emptyCounts } from '../../../src/monitor/jobState.js';
import type { Queries } from '../../../src/monitor/queries.js';
import { type Database, installSchema, numberOf, openDatabase, type Parameter } from '../../../src/sandbox/database.js';
import { type Mariadb, startMariadb } from '../../../src/sandbox/mariadb.js';

/** The data of a batch's page from a real MariaDB with the stock indexes: 4,000 jobs of ours among as many others. */
const JOBS = 4000;
let folder: string;
let server: Mariadb;
let db: Database;
let batch: number;
const statements: { readonly sql: string; readonly params: readonly Parameter[] }[] = [];
const queries: Queries = {
	select: (sql, params = []) => {
		statements.push({ sql, params: params as Parameter[] });
		return db.select(sql, params as Parameter[]);
	},
};

beforeAll(async () => {
	folder = await mkdtemp(path.join(tmpdir(), 'b2d-page-'));
	server = await startMariadb({ dir: path.join(folder, 'db') });
	db = await openDatabase(server);
	await installSchema(db);
	await db.execute("SET sql_mode = ''");
	await db.execute('CREATE TABLE n (i INT PRIMARY KEY)');
	await db.execute(`INSERT INTO n SELECT seq - 1 FROM seq_1_to_${String(JOBS)}`);
	for (const name of ['other', 'ours']) {
		const { insertId } = await db.execute(
			'INSERT INTO batch (create_time, name, app_id, state) VALUES (UNIX_TIMESTAMP() - 30000000, ?, 1, 1)',
			[name],
		);
		batch = insertId;
		// The first 3,000 are done, 200 failed twice, 300 are on hosts, the rest waits.
		await db.execute(
			`INSERT INTO workunit (create_time, appid, name, batch, rsc_fpops_est, delay_bound, max_total_results, target_nresults, transition_time, canonical_resultid, assimilate_state, error_mask)
				SELECT UNIX_TIMESTAMP() - 8000, 1, CONCAT('b2d_', ?, '_', LPAD(i, 6, '0')), ?, 4e12, 86400, 3, 1, 2147483647, IF(i < 3000, 1, 0), IF(i < 3000, 2, 0), IF(i >= 3000 AND i < 3200, 2, 0) FROM n`,
			[insertId, insertId],
		);
		const instance = `INSERT INTO result (create_time, workunitid, appid, batch, name, server_state, outcome, client_state, validate_state, exit_status, hostid, sent_time, received_time, report_deadline, elapsed_time, stderr_out)
			SELECT 0, w.id, 1, w.batch, CONCAT(w.name, ?), `;
		const from = ` FROM workunit w JOIN n ON w.name = CONCAT('b2d_', ?, '_', LPAD(n.i, 6, '0')) WHERE w.batch = ? AND `;
		const columns = (state: string, times: string): string => `${state}, 1 + n.i % 30, ${times}`;
		await db.execute(
			`${instance}${columns('5, 1, 5, 1, 0', 'UNIX_TIMESTAMP() - 7000 + n.i * 2 - 600, UNIX_TIMESTAMP() - 7000 + n.i * 2, UNIX_TIMESTAMP() + 80000, 500 + n.i % 100, NULL')}${from} n.i < 3000`,
			['_0', insertId, insertId],
		);
		for (const suffix of ['_0', '_1']) {
			await db.execute(
				`${instance}${columns('5, 3, 3, 2, 3', "UNIX_TIMESTAMP() - 5000, UNIX_TIMESTAMP() - 4000 + n.i % 100, UNIX_TIMESTAMP() + 80000, 10, CONCAT('<stderr_txt>stderr from container:\\nValueError: row ', n.i, '\\nstderr end</stderr_txt>')")}${from} n.i >= 3000 AND n.i < 3200`,
				[suffix, insertId, insertId],
			);
		}
		await db.execute(
			`${instance}${columns('4, 0, 0, 0, 0', 'UNIX_TIMESTAMP() - 300, 0, UNIX_TIMESTAMP() + 80000, 0, NULL')}${from} n.i >= 3200 AND n.i < 3500`,
			['_0', insertId, insertId],
		);
		await db.execute(`${instance} 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL ${from} n.i >= 3500`, ['_0', insertId, insertId]);
	}
	await db.execute(
		"INSERT INTO host (id, create_time, userid, rpc_time, os_name, p_vendor, p_ncpus, p_fpops, misc) SELECT i, 0, 1, UNIX_TIMESTAMP(), IF(i % 3 = 0, 'Microsoft Windows', 'Linux'), 'GenuineIntel', 4, 4e9, '{\"docker\":{\"version\":\"24\"}}' FROM n WHERE i BETWEEN 1 AND 30",
	);
	await db.execute('ANALYZE TABLE result, workunit, host');
});
afterAll(async () => {
	await db.end();
	await server.stop();
	await rm(folder, { recursive: true, force: true });
});

it('shows the counts first', async () => {
	statements.length = 0;
	const outline = await new BatchReader(batch).outline(queries);
	expect(outline).toMatchObject({ extent: 'counts', batch: { counts: { done: 3000, running: 300 } }, hosts: [] });
	expect(await new BatchReader(batch).outline(queries, outline.batch)).toMatchObject({ batch: outline.batch });
	expect(statements.filter(({ sql }) => sql.includes('elapsed_time'))).toEqual([]);
});

it('sums a batch up exactly', async () => {
	statements.length = 0;
	const { batch: found, now, eta, timeline, runTime, turnaround, failures, hosts } = await new BatchReader(batch).read(queries);
	// Submitted long before the first instance was sent, and still every instance was summed up once.
	expect(statements.filter(({ sql }) => sql.includes('SUM(r.elapsed_time)'))).toHaveLength(1);
	expect(found).toMatchObject({ name: 'ours', total: JOBS, counts: { done: 3000, failed: 200, running: 300, queued: 500 } });
	const sum = (values: readonly number[] | undefined): number => (values ?? []).reduce((all, n) => all + n, 0);
	expect(sum(timeline?.succeeded)).toBe(3000);
	expect(sum(timeline?.failed)).toBe(400);
	expect(timeline?.running.at(-1)).toBe(300);
	expect(sum(runTime?.counts)).toBe(3000);
	expect(runTime?.median).toBeGreaterThan(500);
	expect(runTime?.p90).toBeLessThan(660);
	expect(turnaround!.median / 600).toBeCloseTo(1, 0);
	expect(failures).toMatchObject([
		{
			kind: 'program-failed',
			instances: 400,
			jobs: 200,
			examples: [{ line: expect.stringMatching(/^ValueError: row \d+$/) }, {}, {}],
		},
	]);
	expect(hosts).toMatchObject([
		{ os: 'linux', runtime: 'container', hosts: 20, processors: 80 },
		{ os: 'windows', hosts: 10 },
	]);
	expect(hosts.reduce((all, { succeeded }) => all + succeeded, 0)).toBe(3000);
	expect(eta?.basis).toBe('history');
	// 800 instances on 300 places of ten minutes: about half an hour.
	expect(eta!.p50 - now).toBeGreaterThan(600);
	expect(eta!.p90 - now).toBeLessThan(4 * 3600);
});

it('finds rows by range, state, part of a name and order, and leaves out what was purged', async () => {
	const ids = await tableIds(queries, batch, { filter: 'all', text: '', order: 'ascending' });
	expect(ids).toHaveLength(JOBS);
	const rows = await tableRows(queries, batch, ids.slice(3190, 3210));
	expect(rows.map(({ job }) => job.state)).toEqual([...Array<string>(10).fill('failed'), ...Array<string>(10).fill('running')]);
	expect(rows[0]).toMatchObject({ tries: 2, latest: { exitStatus: 3, state: 'failed' } });
	const count = async (filter: 'open' | 'done' | 'failed' | 'cancelled'): Promise<number> =>
		(await tableIds(queries, batch, { filter, text: '', order: 'ascending' })).length;
	expect([await count('open'), await count('done'), await count('failed'), await count('cancelled')]).toEqual([
		800, 3000, 200, 0,
	]);
	const text = await tableIds(queries, batch, { filter: 'all', text: '_00012', order: 'descending' });
	expect(text).toEqual([129, 128, 127, 126, 125, 124, 123, 122, 121, 120].map((i) => ids[i]));
	expect(await tableIds(queries, batch, { filter: 'all', text: "%' OR 1=1 -- ", order: 'ascending' })).toEqual([]);
	await db.execute('DELETE FROM workunit WHERE id = ?', [ids[5]!]);
	expect((await tableRows(queries, batch, ids.slice(4, 7))).map(({ job }) => job.id)).toEqual([ids[4], ids[6]]);
	expect(await tableRows(queries, batch, [])).toEqual([]);
});

it('is missing when the batch is', async () => {
	await expect(new BatchReader(99_999).read(queries)).rejects.toMatchObject({ code: 'batch-missing' });
	expect(await batchEta(queries, { id: 99_999, counts: emptyCounts() })).toBeUndefined(); // nothing is left to be done
});

it('expects of a new batch what the newest jobs that were said to be as long took, and nothing of a cancelled one', async () => {
	const jobs = 10;
	const etaOf = async (fpops: number): ReturnType<typeof batchEta> => {
		const { insertId } = await db.execute(
			"INSERT INTO batch (create_time, name, app_id, state) VALUES (UNIX_TIMESTAMP(), 'new', 1, 1)",
			[],
		);
		await db.execute(
			`INSERT INTO workunit (create_time, appid, name, batch, rsc_fpops_est, delay_bound, max_total_results, target_nresults, transition_time)
				SELECT UNIX_TIMESTAMP(), 1, CONCAT('b2d_', ?, '_', i), ?, ?, 86400, 3, 1, 2147483647 FROM n WHERE i < ?`,
			[insertId, insertId, fpops, jobs],
		);
		return batchEta(queries, { id: insertId, counts: { ...emptyCounts(), created: jobs } });
	};
	const now = Date.now() / 1000;
	// The hosts' records let expect 2,060 s of one, twice 1,000 s and a minute, and of the other twice as much.
	const like = await etaOf(4e12);
	expect(like?.basis).toBe('earlier');
	expect(like!.p50 - now).toBeLessThan(1500);
	const other = await etaOf(8e12);
	expect(other?.basis).toBe('records');
	expect(other!.p50 - now).toBeGreaterThan(3000);
	expect(await batchEta(queries, { id: batch, counts: { ...emptyCounts(), cancelling: 3, done: 7 } })).toBeUndefined();
});

it('never reads all jobs or instances of the project', async () => {
	expect(statements.length).toBeGreaterThan(20);
	for (const { sql, params } of new Map(statements.map((statement) => [statement.sql, statement])).values()) {
		const plan = await db.select(`EXPLAIN ${sql}`, [...params]);
		// Our batch is half of these tables, so a scan may be chosen; in a project the index on batches is there to be taken.
		const scans = plan.filter(
			({ type, table, possible_keys }) =>
				type === 'ALL' && ['r', 'w', 'result', 'workunit'].includes(String(table)) && possible_keys === null,
		);
		expect(scans, sql).toEqual([]);
	}
	expect(numberOf((await db.select('SELECT COUNT(*) AS n FROM result'))[0]!, 'n')).toBeGreaterThan(2 * JOBS);
});
