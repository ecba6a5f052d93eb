import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { BoincError } from '../../../src/common/errors.js';
import { quietContext } from '../../../src/common/ports.js';
import type { Connection } from '../../../src/connection/connection.js';
import { localConnection } from '../../../src/connection/localConnection.js';
import { createBatch, setBatchState } from '../../../src/project/batches.js';
import { databaseAddresses, parseDatabaseHost } from '../../../src/project/databaseAddress.js';
import { openProject } from '../../../src/project/openProject.js';
import type { Project } from '../../../src/project/project.js';
import { installSchema, openDatabase } from '../../../src/sandbox/database.js';
import { type Mariadb, startMariadb } from '../../../src/sandbox/mariadb.js';

let dir: string;
let mariadb: Mariadb;
let connection: Connection;
const opened: Project[] = [];

beforeAll(async () => {
	dir = await mkdtemp(path.join(os.tmpdir(), 'b2d-db-'));
	mariadb = await startMariadb({ dir: path.join(dir, 'mariadb') });
	const database = await openDatabase(mariadb);
	await installSchema(database);
	await database.end();
	connection = localConnection();
});
afterAll(async () => {
	for (const project of opened) {
		project.dispose();
	}
	await connection.close();
	await mariadb.stop();
	await rm(dir, { recursive: true, force: true });
});

/** A project whose config.xml names the database in the given way. */
async function projectWith(login: { host?: string; password?: string; name?: string }): Promise<Project> {
	const root = await mkdtemp(path.join(dir, 'project-'));
	await mkdir(path.join(root, 'bin'));
	await writeFile(
		path.join(root, 'config.xml'),
		`<boinc><config><master_url>http://x/</master_url><db_name>${login.name ?? mariadb.database}</db_name><db_user>${mariadb.user}</db_user>
		<db_passwd>${login.password ?? mariadb.password}</db_passwd><db_host>${login.host ?? `127.0.0.1:${String(mariadb.port)}`}</db_host></config></boinc>`,
	);
	const project = await openProject(connection, root, quietContext());
	opened.push(project);
	return project;
}

describe('a session', () => {
	test('reads in UTC, numbers as numbers, blobs as bytes', async () => {
		const database = await (await projectWith({})).database();
		const rows = await database.select(
			"SELECT @@session.time_zone AS zone, CAST(2.5 AS DECIMAL(3,1)) AS number, SUM(1) AS sum, CAST(x'00ff' AS BINARY) AS bytes, ? AS text, COUNT(*) AS n FROM platform",
			["it's \\ ü 🙂"],
		);
		expect(rows).toEqual([{ zone: '+00:00', number: 2.5, sum: null, bytes: Buffer.from([0, 255]), text: "it's \\ ü 🙂", n: 0 }]);
	});

	test('fills lists of IN', async () => {
		const database = await (await projectWith({})).database();
		expect(
			await database.select('SELECT 2 IN (?) AS yes, 3 IN (?) AS no', [
				[1, 2],
				[1, 2],
			]),
		).toEqual([{ yes: 1, no: 0 }]);
	});

	test('cannot write', async () => {
		const database = await (await projectWith({})).database();
		await expect(
			database.select("INSERT INTO platform (create_time, name, user_friendly_name) VALUES (1, 'x', 'x')"),
		).rejects.toMatchObject({ code: 'database-refused' });
		expect(await database.select('SELECT COUNT(*) AS n FROM platform')).toEqual([{ n: 0 }]);
	});

	test('ends statements that take too long', async () => {
		const database = await (await projectWith({})).database();
		const [limit] = await database.select<{ seconds: number }>('SELECT @@session.max_statement_time AS seconds');
		expect(Number(limit?.seconds)).toBeGreaterThan(0);
		await expect(
			database.select('SET STATEMENT max_statement_time=0.05 FOR SELECT SLEEP(30) FROM information_schema.tables LIMIT 1'),
		).rejects.toMatchObject({ code: 'timeout' });
	});

	test('is opened again after it was lost', async () => {
		const project = await projectWith({});
		const database = await project.database();
		const [before] = await database.select<{ id: number }>('SELECT CONNECTION_ID() AS id');
		const admin = await openDatabase(mariadb);
		await admin.execute(`KILL ${String(before?.id)}`);
		await admin.end();
		const [after] = await database.select<{ id: number; zone: string }>(
			'SELECT CONNECTION_ID() AS id, @@session.time_zone AS zone',
		);
		expect(after?.id).not.toBe(before?.id);
		expect(after?.zone).toBe('+00:00');
	});

	test('serves several callers at once over one connection', async () => {
		const database = await (await projectWith({})).database();
		const ids = await Promise.all(
			Array.from({ length: 20 }, () => database.select<{ id: number }>('SELECT CONNECTION_ID() AS id')),
		);
		expect(new Set(ids.map((rows) => rows[0]?.id)).size).toBe(1);
	});

	test('can be cancelled', async () => {
		const database = await (await projectWith({})).database();
		const controller = new AbortController();
		const slow = database.select('SELECT SLEEP(5)', [], controller.signal);
		controller.abort();
		await expect(slow).rejects.toMatchObject({ name: 'AbortError' });
	});

	test('does not come back after the project was closed', async () => {
		const project = await projectWith({});
		const database = await project.database();
		await database.select('SELECT 1');
		project.dispose();
		await expect(database.select('SELECT 1')).rejects.toMatchObject({ code: 'database-unreachable' });
	});
});

describe('a database that does not want us', () => {
	test.each([
		['a wrong password', { password: 'Wr0ng-secret' }, 'database-refused'],
		['another name', { name: 'nonesuch' }, 'database-refused'],
		['a port where nobody listens', { host: '127.0.0.1:1' }, 'database-unreachable'],
		['a socket that does not exist', { host: 'localhost:/nonexistent/mysql.sock' }, 'database-unreachable'],
	] as const)('%s is told without the password', async (_what, login, code) => {
		const project = await projectWith(login);
		const database = await project.database();
		const error: unknown = await database.select('SELECT 1').catch((cause: unknown) => cause);
		expect(BoincError.is(error, code)).toBe(true);
		const shown = `${String(error)} ${JSON.stringify(error)} ${(error as BoincError).remedy ?? ''}`;
		expect(shown).not.toContain('Wr0ng-secret');
		expect(shown).not.toContain(mariadb.password);
		expect(shown).toContain(connection.name);
		expect((error as BoincError).remedy).toBeTruthy();
	});

	test('a statement with a mistake is told as such', async () => {
		const database = await (await projectWith({})).database();
		await expect(database.select('SELECT nonsense FROM nowhere')).rejects.toMatchObject({
			code: 'database-refused',
			detail: { code: 'ER_NO_SUCH_TABLE' },
		});
	});
});

describe('the place of the database', () => {
	test('a socket in db_host is used', async () => {
		const database = await (await projectWith({ host: `localhost:${mariadb.socket}` })).database();
		expect(await database.select('SELECT 1 AS one')).toEqual([{ one: 1 }]);
	});

	test.each([
		['', { host: '', port: undefined, socket: undefined }],
		['localhost', { host: 'localhost', port: undefined, socket: undefined }],
		['db.example.org:3307', { host: 'db.example.org', port: 3307, socket: undefined }],
		['[::1]:3307', { host: '::1', port: 3307, socket: undefined }],
		['localhost:/run/x.sock', { host: '', port: undefined, socket: '/run/x.sock' }],
		['/run/x.sock', { host: '', port: undefined, socket: '/run/x.sock' }],
	])('reads db_host %j', (text, expected) => {
		expect(parseDatabaseHost(text)).toEqual(expected);
	});

	test('the server’s own name means its socket or loopback, as for BOINC; other names are dialled', async () => {
		const login = { name: 'x', user: 'x', password: 'x' };
		const own = await databaseAddresses(connection, { ...login, host: os.hostname() });
		expect(own.at(-1)).toEqual({ host: '127.0.0.1', port: 3306 });
		expect((await databaseAddresses(connection, { ...login, host: '' })).at(-1)).toEqual({ host: '127.0.0.1', port: 3306 });
		expect((await databaseAddresses(connection, { ...login, host: 'localhost:3399' }))[0]).toEqual({
			host: '127.0.0.1',
			port: 3399,
		});
		expect(await databaseAddresses(connection, { ...login, host: 'db.example.org' })).toEqual([
			{ host: 'db.example.org', port: 3306 },
		]);
	});
});

describe('batch rows', () => {
	test('begin in preparation and get their state and number of jobs', async () => {
		const project = await projectWith({});
		const id = await createBatch(project, { name: "Robert'); DROP TABLE batch;-- 🙂", appId: 7, description: 'x'.repeat(300) });
		const database = await project.database();
		const read = (): Promise<unknown[]> =>
			database.select('SELECT name, app_id, state, njobs, user_id, LENGTH(description) AS length FROM batch WHERE id = ?', [id]);
		expect(await read()).toMatchObject([{ app_id: 7, state: 0, njobs: 0, user_id: 0, length: 255 }]);
		await setBatchState(project, id, 'in-progress', 42);
		await setBatchState(project, id, 'in-progress', 42);
		expect(await read()).toMatchObject([{ state: 1, njobs: 42 }]);
		await setBatchState(project, id, 'aborted');
		expect(await read()).toMatchObject([{ state: 3, njobs: 42 }]);
	});

	test('that do not exist cannot be changed', async () => {
		await expect(setBatchState(await projectWith({}), 999_999, 'complete')).rejects.toMatchObject({ code: 'batch-missing' });
	});
});
