import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { installSchema, openDatabase } from '../../../src/sandbox/database.js';
import { mariadbPid, startMariadb, stopMariadb } from '../../../src/sandbox/mariadb.js';
import { commandLine } from '../../../src/sandbox/processes.js';

describe('the sandbox database server', () => {
	let dir: string;
	beforeEach(async () => {
		dir = await mkdtemp(path.join(os.tmpdir(), 'b2d-mariadb-'));
	});
	afterEach(async () => {
		await stopMariadb(dir);
		await rm(dir, { recursive: true, force: true });
	});

	it('keeps data and port over a restart, and leaves no process', async () => {
		const first = await startMariadb({ dir });
		const connection = await openDatabase(first);
		await installSchema(connection);
		await connection.execute('INSERT INTO app (create_time, name, user_friendly_name) VALUES (?, ?, ?)', [1, 'a', 'A']);
		await connection.end();
		await first.stop();
		expect(commandLine(first.pid)).toEqual([]);
		expect(mariadbPid(dir)).toBeUndefined();

		const second = await startMariadb({ dir, port: first.port });
		expect(second.port).toBe(first.port);
		const again = await openDatabase(second);
		expect(await again.select('SELECT name, weight, deprecated FROM app')).toEqual([{ name: 'a', weight: 1, deprecated: 0 }]);
		await again.end();
	});

	it('takes another port when the wanted one is taken', async () => {
		const other = await mkdtemp(path.join(os.tmpdir(), 'b2d-mariadb-'));
		try {
			const [a, b] = await Promise.all([startMariadb({ dir }), startMariadb({ dir: other })]);
			expect(a.port).not.toBe(b.port);
			await b.stop();
			const c = await startMariadb({ dir: other, port: a.port });
			expect(c.port).not.toBe(a.port);
		} finally {
			await stopMariadb(other);
			await rm(other, { recursive: true, force: true });
		}
	});
});
