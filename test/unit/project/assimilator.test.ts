import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const SCRIPT = path.resolve(import.meta.dirname, '../../../templates/assimilator.sh');
const SHELLS: readonly (readonly [string, ...string[]])[] = [['dash'], ['bash', '--posix'], ['bash'], ['busybox', 'sh']];

let root: string;

beforeEach(async () => {
	root = await mkdtemp(path.join(os.tmpdir(), 'b2d assimilator-'));
	await mkdir(path.join(root, 'bin'));
	await mkdir(path.join(root, 'tmp_host'));
	await mkdir(path.join(root, 'upload/3d8'), { recursive: true });
	await copyFile(SCRIPT, path.join(root, 'bin/b2d_assimilate_my-app_1'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function upload(name: string, content: string): Promise<string> {
	const file = path.join(root, 'upload/3d8', name);
	await writeFile(file, content);
	return file;
}

describe.each(SHELLS)('in %s', (...shell: readonly [string, ...string[]]) => {
	const [program, ...options] = shell;
	const assimilate = async (...args: string[]): Promise<{ code: number; stderr: string }> => {
		try {
			const { stderr } = await promisify(execFile)(program, [...options, '../bin/b2d_assimilate_my-app_1', ...args], {
				cwd: path.join(root, 'tmp_host'),
			});
			return { code: 0, stderr };
		} catch (error) {
			const { code, stderr } = error as { code: number; stderr: string };
			return { code, stderr };
		}
	};
	const collected = (...parts: string[]): Promise<string> => readFile(path.join(root, 'results/my-app_1', ...parts), 'utf8');

	test('stores the output of a job in the folder of its batch', async () => {
		const file = await upload('b2d_12_000003_0_r1804289383_0', 'content');
		expect(await assimilate('77', file)).toEqual({ code: 0, stderr: '' });
		expect(await collected('12', 'b2d_12_000003.tgz')).toBe('content');
		expect((await stat(path.join(root, 'results/my-app_1/12/b2d_12_000003.tgz'))).mode & 0o777).toBe(0o644);
		expect(await readFile(file, 'utf8')).toBe('content');
	});

	test('knows the job by its name also when outputs have a suffix and the instance is a later one', async () => {
		await assimilate('77', await upload('b2d_12_000003_11_r5_0.tgz', 'x'));
		expect(await readdir(path.join(root, 'results/my-app_1/12'))).toEqual(['b2d_12_000003.tgz']);
	});

	test('puts jobs with other names into batch 0', async () => {
		await assimilate('5', await upload('hand_made_0_r5_0', 'x'));
		await assimilate('6', await upload('b2d_12_x_0_r5_0', 'y'));
		await assimilate('7', await upload('no-boinc-name', 'z'));
		expect(await readdir(path.join(root, 'results/my-app_1'))).toEqual(['0']);
		expect((await readdir(path.join(root, 'results/my-app_1/0'))).sort()).toEqual([
			'b2d_12_x.tgz',
			'hand_made.tgz',
			'no-boinc-name.tgz',
		]);
	});

	test('keeps further outputs beside the first', async () => {
		await assimilate('5', await upload('b2d_1_000000_0_r5_0', 'a'), await upload('b2d_1_000000_0_r5_1', 'b'));
		expect(await collected('1', 'b2d_1_000000.tgz')).toBe('a');
		expect(await collected('1', 'b2d_1_000000_1.tgz')).toBe('b');
	});

	test('records the error mask of a failed job', async () => {
		expect(await assimilate('--error', '10', 'b2d_9_000001', '78', '9')).toEqual({ code: 0, stderr: '' });
		expect(await collected('9', 'b2d_9_000001.error')).toBe('10\n');
	});

	test('of a cancelled job nothing is kept, unless it had failed before', async () => {
		await upload('b2d_9_000001_0_r5_0', 'log');
		for (const mask of ['16', '24', '18']) {
			expect(await assimilate('--error', mask, 'b2d_9_000001', '78', '9')).toEqual({ code: 0, stderr: '' });
		}
		expect(await readdir(root)).not.toContain('results');
		expect(await assimilate('--error', '50', 'b2d_9_000001', '78', '9')).toEqual({ code: 0, stderr: '' });
		expect(await collected('9', 'b2d_9_000001.error')).toBe('50\n');
		expect(await collected('9', 'b2d_9_000001.failed')).toBe('log');
	});

	test('keeps what the newest instance of a failed job uploaded, until the job succeeds after all', async () => {
		await upload('b2d_9_000001_0_r5_0', 'first');
		await upload('b2d_9_000001_2_r77_0', 'third');
		await upload('b2d_9_000001_1_r6_0', 'second');
		await upload('b2d_9_000001_9_r6_1', 'another output');
		await upload('b2d_9_000001_x_9_r6_0', 'another job');
		await upload('b2d_9_000002_3_r6_0', 'another job');
		expect(await assimilate('--error', '2', 'b2d_9_000001', '78', '9')).toEqual({ code: 0, stderr: '' });
		expect(await collected('9', 'b2d_9_000001.failed')).toBe('third');
		await assimilate('--error', '2', 'b2d_9_000003', '79', '9');
		expect((await readdir(path.join(root, 'results/my-app_1/9'))).sort()).toEqual([
			'b2d_9_000001.error',
			'b2d_9_000001.failed',
			'b2d_9_000003.error',
		]);
		await assimilate('78', path.join(root, 'upload/3d8/b2d_9_000001_2_r77_0'));
		expect((await readdir(path.join(root, 'results/my-app_1/9'))).sort()).toEqual(['b2d_9_000001.tgz', 'b2d_9_000003.error']);
	});

	test('the only instance of a failed job is kept too', async () => {
		await upload('b2d_9_000001_0_r5_0', 'log');
		await assimilate('--error', '2', 'b2d_9_000001', '78', '9');
		expect(await collected('9', 'b2d_9_000001.failed')).toBe('log');
	});

	test('the same job presented twice changes nothing, also when its upload is gone by then', async () => {
		const file = await upload('b2d_12_000003_0_r1_0', 'content');
		await assimilate('77', file);
		const before = await stat(path.join(root, 'results/my-app_1/12/b2d_12_000003.tgz'));
		await assimilate('77', file);
		await rm(file);
		expect(await assimilate('77', file)).toEqual({ code: 0, stderr: '' });
		const after = await stat(path.join(root, 'results/my-app_1/12/b2d_12_000003.tgz'));
		expect(after.ino).toBe(before.ino);
		expect(await readdir(path.join(root, 'results/my-app_1/12'))).toEqual(['b2d_12_000003.tgz']);
	});

	test('a job without its output is recorded and does not stop the others', async () => {
		const { code, stderr } = await assimilate('77', path.join(root, 'upload/3d8/b2d_2_000000_0_r5_0'));
		expect(code).toBe(0);
		expect(stderr).toContain('b2d_2_000000');
		expect(await collected('2', 'b2d_2_000000.error')).toMatch(/^0\n/);
	});

	test('no name leads out of the results folder', async () => {
		for (const name of [
			'../../../etc/passwd',
			'..',
			'.hidden',
			'-rf',
			'a b;touch pwned',
			'$(touch pwned)',
			'`touch pwned`',
			'a\nb',
			'*',
			'ü',
			'',
		]) {
			expect((await assimilate('--error', '1', name, '42', '3')).code).toBe(0);
		}
		expect(await readdir(path.join(root, 'results/my-app_1'))).toEqual(['0']);
		expect(await readdir(path.join(root, 'results/my-app_1/0'))).toEqual(['unnamed_42.error']);
		expect(await readdir(path.join(root, 'tmp_host'))).toEqual([]);
		for (const name of ['a b_0_r1_0', "it's_0_r1_0", '$(touch pwned)_0_r1_0', '*_0_r1_0']) {
			expect((await assimilate('43', await upload(name, 'x'))).code).toBe(0);
		}
		expect(await readdir(path.join(root, 'results/my-app_1/0'))).toEqual(['unnamed_42.error', 'unnamed_43.tgz']);
		expect(await readdir(path.join(root, 'tmp_host'))).toEqual([]);
	});

	test('uses the results folder of the settings', async () => {
		const elsewhere = path.join(root, "else where's");
		await mkdir(path.join(root, '.boinc2docker'));
		await writeFile(path.join(root, '.boinc2docker/results_my-app_1'), `${elsewhere}\n`);
		await assimilate('77', await upload('b2d_12_000003_0_r1_0', 'content'));
		expect(await readFile(path.join(elsewhere, '12/b2d_12_000003.tgz'), 'utf8')).toBe('content');
	});

	test('gives no output up when nothing can be stored', async () => {
		await mkdir(path.join(root, 'results'));
		await writeFile(path.join(root, 'results/my-app_1'), 'a file is in the way');
		const { code, stderr } = await assimilate('77', await upload('b2d_12_000003_0_r1_0', 'content'));
		expect(code).toBe(1);
		expect(stderr).toContain('presented again');
		await chmod(path.join(root, 'results/my-app_1'), 0o644);
		expect((await assimilate('--error', '1', 'b2d_12_000003', '1', '12')).code).toBe(1);
	});

	test('is called without arguments in vain, but harmlessly', async () => {
		expect((await assimilate()).code).toBe(0);
	});
});
