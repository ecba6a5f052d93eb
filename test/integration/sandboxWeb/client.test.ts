import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type BoincClient, startClient } from '../../../src/sandbox/client/boincClient.js';
import { taskProcesses } from '../../../src/sandbox/client/clientTasks.js';
import { numberOf, textOf } from '../../../src/sandbox/database.js';
import { TestProject, until } from './testProject.js';

/** `program WHAT`: works on `in`, says so on standard error. */
const PROGRAM = `#!/bin/sh
echo "started with $*" >&2
case $1 in
copy) cat in > out ;;
fail) echo "it went wrong" >&2; echo partial > out; exit 42 ;;
wait) while [ ! -e go ]; do sleep 1; done; cat in > out ;;
esac
touch boinc_finish_called
`;

const pack = { name: 'pack_1', content: 'x'.repeat(100_000), openName: 'in', sticky: true };

describe('an unmodified BOINC client', () => {
	let project: TestProject;
	let client: BoincClient;
	let clientDir: string;
	let appId: number;

	beforeAll(async () => {
		project = await TestProject.create();
		appId = await project.addApp('plain', [{ name: 'plain_1.sh', content: PROGRAM }]);
		clientDir = await mkdtemp(path.join(tmpdir(), 'b2d-client-'));
		client = await startClient({ dir: clientDir, masterUrl: project.masterUrl, authenticator: project.authenticator });
		// Jobs of several tests go out together: a client's round trips take seconds each.
		for (const job of ['copy1', 'copy2']) {
			await project.addJob(appId, job, { commandLine: 'copy', inputs: [pack] });
		}
		await project.addJob(appId, 'wrong', { commandLine: 'fail', inputs: [pack] });
		const half = project.uploadPath('cut');
		await mkdir(path.dirname(half), { recursive: true });
		await writeFile(half, pack.content.slice(0, 60_000));
		await project.addJob(appId, 'cut', { commandLine: 'copy', inputs: [pack] });
	});

	afterAll(async () => {
		await client.stop();
		expect(taskProcesses(clientDir)).toEqual([]);
		await project.remove();
		await rm(clientDir, { recursive: true, force: true });
	});

	const reported = (job: string) =>
		until(
			`report of ${job}`,
			async () => {
				const row = await project.result(job);
				return numberOf(row, 'server_state') === 5 && row;
			},
			{ nudge: () => client.update() },
		);

	const executing = (job: string) =>
		until(
			`start of ${job}`,
			async () => (await client.tasks()).find((task) => task.wuName === job && task.activeState === 'EXECUTING'),
			{ nudge: () => client.update() },
		);
	/** Names of what the client has of all projects. */
	const keptFiles = async (): Promise<string[]> =>
		(await readdir(path.join(clientDir, 'projects'), { recursive: true })).map((name) => path.basename(name));
	const letGo = (slot: number) => writeFile(path.join(clientDir, 'slots', String(slot), 'go'), '');

	it('downloads a sticky pack once, runs, uploads more than 8 KiB and reports', async () => {
		const row = await reported('copy1');
		expect(numberOf(row, 'outcome')).toBe(1);
		expect(numberOf(row, 'exit_status')).toBe(0);
		expect(numberOf(row, 'client_state')).toBe(5);
		expect(textOf(row, 'stderr_out')).toMatch(/^\n<core_client_version>7\.20\.5<\/core_client_version>\n<!\[CDATA\[/);
		expect(textOf(row, 'stderr_out')).toContain('started with copy');
		expect(textOf(row, 'xml_doc_out')).toContain('<nbytes>100000');
		expect(await readFile(project.uploadPath('copy1'), 'utf8')).toBe(pack.content);
		await reported('copy2');
		await project.addJob(appId, 'copy3', { commandLine: 'copy', inputs: [pack] });
		await reported('copy3');
		const downloads = (await project.accessLog()).filter((line) => /"GET \S+\/pack_1 /.test(line));
		expect(downloads).toEqual([expect.stringMatching(/" 200 100000 "-" "BOINC client/)]);
	});

	it('keeps a pack for its lifetime', async () => {
		const brief = { ...pack, name: 'pack_2', lifetime: 5 };
		await project.addJob(appId, 'brief', { commandLine: 'copy', inputs: [brief] });
		await reported('brief');
		await until('the removal of the pack', async () => !(await keptFiles()).includes('pack_2'));
		expect(await keptFiles()).toContain('pack_1');
	});

	it('tells the exit code of a failed task and goes on with an upload that was cut', async () => {
		const row = await reported('wrong');
		expect([numberOf(row, 'outcome'), numberOf(row, 'exit_status'), numberOf(row, 'validate_state')]).toEqual([3, 42, 2]);
		expect(textOf(row, 'stderr_out')).toContain('it went wrong');
		await reported('cut');
		expect(await readFile(project.uploadPath('cut'), 'utf8')).toBe(pack.content);
		expect(await readFile(path.join(project.root, 'log_test/file_upload_handler.log'), 'utf8')).toContain(
			'cut_0_r123_0 [offset=60000, nbytes=100000]: 0',
		);
	});

	it('survives restarts of the server and of the client in the middle of a task', async () => {
		await project.addJob(appId, 'long', { commandLine: 'wait', inputs: [pack] });
		await executing('long');
		await project.web.stop();
		client = await client.restart();
		const { slot } = await executing('long');
		await letGo(slot);
		await until('the end of the task', async () => (await client.tasks()).some((task) => task.state === 'uploading'));
		await project.startWeb();
		const row = await reported('long');
		expect([numberOf(row, 'outcome'), numberOf(row, 'exit_status')]).toEqual([1, 0]);
	});

	it('aborts a task whose job was cancelled', async () => {
		await project.addJob(appId, 'useless', { commandLine: 'wait', inputs: [pack] });
		await executing('useless');
		await project.database.execute('UPDATE workunit SET error_mask = error_mask | 16 WHERE name = ?', ['useless']);
		const row = await reported('useless');
		expect([numberOf(row, 'outcome'), numberOf(row, 'exit_status'), numberOf(row, 'client_state')]).toEqual([3, 202, 6]);
	});

	it('never gets an instance whose template has the result tag not alone on its line', async () => {
		await project.addJob(appId, 'crlf', {
			commandLine: 'copy',
			inputs: [pack],
			resultXml: (xml) => xml.replaceAll('\n', '\r\n'),
		});
		await until('the instance to be marked as sent', async () => numberOf(await project.result('crlf'), 'server_state') === 4, {
			nudge: () => client.update(),
		});
		await client.update();
		expect((await client.tasks()).filter((task) => task.wuName === 'crlf')).toEqual([]);
	});

	it('hears that the feeder does not run, and stays away for the maintenance delay', async () => {
		project.feederRunning = false;
		await until('the message', async () => (await client.log()).includes("Server error: can't attach shared memory"), {
			nudge: () => client.update(),
		});
		expect(await client.log()).toContain('Project requested delay of 3600 seconds');
	});
});
