import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { quietContext } from '../../../src/common/ports.js';
import { createSandbox } from '../../../src/sandbox/createSandbox.js';
import { openDatabase } from '../../../src/sandbox/database.js';
import type { Sandbox } from '../../../src/sandbox/sandbox.js';
import { startSandbox } from '../../../src/sandbox/startSandbox.js';
import { stopSandbox } from '../../../src/sandbox/stopSandbox.js';
import { buildSandboxProgram, eventually, runTool } from '../../support/sandbox.js';

const run = promisify(execFile);

describe('sandboxes', () => {
	let folder: string;
	let program: string;

	beforeAll(async () => {
		folder = await mkdtemp(path.join(tmpdir(), 'b2d-life-'));
		program = path.join(folder, 'build');
		await buildSandboxProgram(program);
	});
	afterAll(async () => {
		for (const name of await readdir(folder)) {
			await stopSandbox(path.join(folder, name));
		}
		await rm(folder, { recursive: true, force: true });
	});

	const create = (name: string): Promise<Sandbox> =>
		createSandbox({ dir: path.join(folder, name), program, pace: 0.05 }, quietContext());
	/** Command lines of processes that belong to a sandbox. */
	const processesOf = async (name: string): Promise<string[]> => {
		const found: string[] = [];
		for (const pid of (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry))) {
			const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
			if (line.includes(`${path.join(folder, name)}/`)) {
				found.push(line.replaceAll('\0', ' '));
			}
		}
		return found;
	};
	const ssh = (sandbox: Sandbox, command: string) => {
		if (sandbox.target.kind !== 'ssh') {
			throw new Error('The sandbox is reached by SSH.');
		}
		const { user = '', host, port = 22 } = sandbox.target;
		const options = ['BatchMode=yes', 'StrictHostKeyChecking=yes', `UserKnownHostsFile=${sandbox.knownHostsFile}`];
		return run('ssh', [
			...['-F', '/dev/null', '-i', sandbox.identityFile, '-o', 'IdentitiesOnly=yes', '-p', String(port)],
			...options.flatMap((option) => ['-o', option]),
			`${user}@${host}`,
			command,
		]);
	};

	it('two at once do not touch each other, and leave no process behind', async () => {
		const [first, second] = await Promise.all([create('one'), create('two')]);
		expect(first.masterUrl).not.toBe(second.masterUrl);
		for (const sandbox of [first, second]) {
			const { stdout } = await ssh(sandbox, `cd ${sandbox.projectRoot} && bin/status -v`);
			expect(stdout).toMatch(/running {5}locked {3}no {8}feeder/);
			expect(await (await fetch(`${sandbox.masterUrl}get_project_config.php`)).text()).toContain(sandbox.masterUrl);
			const { stdout: commands } = await ssh(sandbox, 'PATH=${PATH##*:}; command -v php python strings gzip');
			expect(commands.split('\n')).toHaveLength(5);
			const { stdout: staged } = await ssh(sandbox, `cd ${sandbox.projectRoot} && bin/dir_hier_path infile`);
			expect(staged).toBe(`${sandbox.projectRoot}/download/3d8/infile\n`);
		}
		await first.stop();
		expect(await processesOf('one')).toEqual([]);
		const { stdout } = await ssh(second, `cd ${second.projectRoot} && bin/status`);
		expect(stdout).toBe('BOINC is ENABLED\n');
		await second.stop();
		await second.stop();
		expect(await processesOf('two')).toEqual([]);
	});

	it('starts again on the same folder with the same addresses and data, while the program is rebuilt', async () => {
		const build = path.join(folder, 'again-build');
		await cp(program, build, { recursive: true });
		const sandbox = await createSandbox({ dir: path.join(folder, 'again'), program: build, pace: 0.05 }, quietContext());
		const database = await openDatabase(sandbox.database);
		await database.execute("INSERT INTO app (create_time, name, user_friendly_name) VALUES (0, 'kept', 'Kept')");
		await database.end();
		await writeFile(path.join(build, 'sandbox.js'), 'broken');
		await sandbox.stop();
		const later = await startSandbox({ dir: sandbox.dir }, quietContext());
		expect([later.masterUrl, later.target, later.database.port]).toEqual([
			sandbox.masterUrl,
			sandbox.target,
			sandbox.database.port,
		]);
		expect((await runTool(path.join(later.projectRoot, 'bin/xadd'), [], later.projectRoot)).code).toBe(0);
		const again = await openDatabase(later.database);
		expect(await again.select('SELECT name FROM app')).toEqual([{ name: 'kept' }]);
		await again.end();
		await later.stop();
	});

	it('moves to other ports, everywhere, when its own were taken', async () => {
		const sandbox = await create('moved');
		await sandbox.stop();
		const port = Number(new URL(sandbox.masterUrl).port);
		const squatter = createServer().listen(port, '127.0.0.1');
		await new Promise((resolve) => squatter.once('listening', resolve));
		try {
			const moved = await startSandbox({ dir: sandbox.dir }, quietContext());
			expect(moved.masterUrl).not.toBe(sandbox.masterUrl);
			const config = await readFile(path.join(moved.projectRoot, 'config.xml'), 'utf8');
			expect(config).not.toContain(`:${port}/`);
			expect(config).toContain(`<master_url>${moved.masterUrl}</master_url>`);
			await moved.stop();
		} finally {
			squatter.close();
		}
	});

	it('is stopped by anybody after whoever started it was killed', async () => {
		const dir = path.join(folder, 'orphan');
		const parent = spawn(process.execPath, [path.join(program, 'sandbox.js'), 'create', dir, '--pace', '0.05'], {
			stdio: ['ignore', 'ignore', 'ignore'],
		});
		await eventually('the database and the web server run', () =>
			Promise.resolve(existsSync(path.join(dir, 'web.pid')) && existsSync(path.join(dir, 'mariadb/mariadbd.pid'))),
		);
		parent.kill('SIGKILL');
		await new Promise((resolve) => parent.once('exit', resolve));
		expect((await processesOf('orphan')).length).toBeGreaterThan(0);
		await run(process.execPath, [path.join(program, 'sandbox.js'), 'stop', dir]);
		expect(await processesOf('orphan')).toEqual([]);
		const started = await startSandbox({ dir }, quietContext());
		expect((await runTool(path.join(started.projectRoot, 'bin/status'), [], started.projectRoot)).stdout).toBe(
			'BOINC is ENABLED\n',
		);
		await started.stop();
		expect(await processesOf('orphan')).toEqual([]);
	});

	it('refuses a folder that is in use and leaves it as it is', async () => {
		const dir = path.join(folder, 'used');
		await mkdir(dir);
		await writeFile(path.join(dir, 'mine'), 'x');
		await expect(createSandbox({ dir, program }, quietContext())).rejects.toMatchObject({ code: 'file-in-the-way' });
		expect(await readdir(dir)).toEqual(['mine']);
		await rm(dir, { recursive: true });
		await expect(startSandbox({ dir }, quietContext())).rejects.toMatchObject({ code: 'sandbox-failed' });
	});

	it('leaves nothing when it is cancelled or cannot be created', async () => {
		const dir = path.join(folder, 'none');
		await expect(createSandbox({ dir, program: path.join(folder, 'absent') }, quietContext())).rejects.toMatchObject({
			code: 'sandbox-failed',
		});
		expect(existsSync(dir)).toBe(false);
		const cancel = new AbortController();
		const context = quietContext(cancel.signal);
		const creating = createSandbox(
			{ dir, program },
			{
				...context,
				progress: {
					report: ({ message }) => {
						if (message === 'Starting the web server') {
							cancel.abort();
						}
					},
				},
			},
		);
		await expect(creating).rejects.toMatchObject({ name: 'AbortError' });
		expect(existsSync(dir)).toBe(false);
		expect(await processesOf('none')).toEqual([]);
	});
});
