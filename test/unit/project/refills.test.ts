import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, realpath, rm, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { quietContext } from '../../../src/common/ports.js';
import { localConnection } from '../../../src/connection/localConnection.js';
import type { Project } from '../../../src/project/project.js';
import { checkRefills } from '../../../src/project/refillCheck.js';
import { findRefills, programFolder, refillFiles, removeLeftRefills } from '../../../src/project/refills.js';

let project: Project;
/** `batch.state` by number; a batch that is not here is gone. */
const STATES: Readonly<Record<number, number>> = { 1: 0, 2: 0, 3: 1 };

beforeEach(async () => {
	const root = await realpath(await mkdtemp(path.join(os.tmpdir(), 'b2d-refills-')));
	const select = (sql: string, [id]: readonly number[]): Promise<unknown[]> => {
		const state = sql.includes('FROM batch') ? STATES[id ?? 0] : undefined;
		return Promise.resolve(state === undefined ? [] : [{ state }]);
	};
	const database = (): Promise<unknown> => Promise.resolve({ select });
	const config = { database: { name: 'p' } };
	project = { root, name: 'p', connection: localConnection(), config, database } as unknown as Project;
});
afterEach(async () => {
	await project.connection.close();
	await rm(project.root, { recursive: true, force: true });
});

async function place(version: string, isOld: boolean): Promise<string> {
	const folder = programFolder(project, version);
	await mkdir(folder, { recursive: true });
	await writeFile(`${folder}/cli.js`, "console.log('begun'); setInterval(() => undefined, 1000);");
	if (isOld) {
		await utimes(folder, 1, 1);
	}
	return `${folder}/cli.js`;
}

it('tells what runs, what stopped and what is over, and removes what nothing needs', async () => {
	expect(await findRefills(project)).toEqual({ programs: [], refills: [] });
	const main = await place('aa11', true);
	await place('bb22', true);
	await place('cc33', true);
	await place('dd44', false);
	await mkdir(path.dirname(refillFiles(project, 1).spec), { recursive: true });
	for (const batch of [1, 2, 3, 4]) {
		await writeFile(refillFiles(project, batch).spec, '{}\n');
	}
	const running = spawn(process.execPath, [main, '--server', `local:${project.root}`, 'refill', '1', '--unsent', '5']);
	try {
		await new Promise((resolve) => running.stdout.once('data', resolve));
		const { programs, refills } = await findRefills(project);
		expect(programs.map(({ version, running: runs, young }) => [version, runs, young])).toEqual([
			['aa11', true, false],
			['bb22', false, false],
			['cc33', false, false],
			['dd44', false, true],
		]);
		expect(refills.map(({ batch, state }) => [batch, state])).toEqual([
			[1, 'running'],
			[2, 'stopped'],
			[3, 'over'],
			[4, 'over'],
		]);
		expect((await checkRefills(project, quietContext())).map(({ level, what }) => `${level}: ${what}`)).toEqual([
			'ok: The server makes the jobs of batch 1.',
			'warning: Jobs of batch 2 are missing, and the program on the server that made them has ended.',
			expect.stringMatching(/^warning: .*refill\/3\.jsonl .* is left of batch 3/),
			expect.stringMatching(/^warning: .*refill\/4\.jsonl .* is left of batch 4/),
			expect.stringMatching(/^warning: 3 former versions of this program/),
		]);
		expect(await removeLeftRefills(project, 'cc33')).toEqual([
			programFolder(project, 'bb22'),
			refillFiles(project, 3).spec,
			refillFiles(project, 4).spec,
		]);
		expect(['aa11', 'bb22', 'cc33', 'dd44'].map((version) => existsSync(programFolder(project, version)))).toEqual([
			true,
			false,
			true,
			true,
		]);
		expect([1, 2, 3, 4].map((batch) => existsSync(refillFiles(project, batch).spec))).toEqual([true, true, false, false]);
	} finally {
		running.kill('SIGKILL');
	}
});
