import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type Database, numberOf, openDatabase, textOf } from '../../../src/sandbox/database.js';
import { eventually, startTestSandbox, type TestSandbox } from '../../support/sandbox.js';

/** The main program: says what it was told, finishes as BOINC wants it, or waits for ever. */
const PROGRAM = `#!/bin/sh
case "$1" in
wait) while :; do sleep 1; done ;;
fail) echo "failing on purpose" >&2; exit 7 ;;
esac
echo "$1 $(cat in)" > out
touch boinc_finish_called
exit 0
`;
const INPUT = `<file_info><no_delete/></file_info>
<workunit><file_ref><open_name>in</open_name><copy_file/></file_ref><rsc_fpops_est>1e9</rsc_fpops_est>
<rsc_disk_bound>1e7</rsc_disk_bound><rsc_memory_bound>1e7</rsc_memory_bound></workunit>`;
const OUTPUT = `<output_template>
<file_info>
<name><OUTFILE_0/></name>
<max_nbytes>1000000</max_nbytes>
<url><UPLOAD_URL/></url>
</file_info>
<result>
<file_ref>
<file_name><OUTFILE_0/></file_name>
<open_name>out</open_name>
<copy_file/>
</file_ref>
</result>
</output_template>
`;

describe('a sandbox with an unmodified BOINC client', () => {
	let sandbox: TestSandbox;
	let database: Database;

	beforeAll(async () => {
		sandbox = await startTestSandbox({ clientCount: 1, engine: 'none' });
		database = await openDatabase(sandbox.database);
		const project = await readFile(at('project.xml'), 'utf8');
		await writeFile(
			at('project.xml'),
			project.replace('</boinc>', '<app><name>tiny</name><user_friendly_name>Tiny</user_friendly_name></app></boinc>'),
		);
		await sandbox.tool('xadd');
		await mkdir(at('apps/tiny/1.00/x86_64-pc-linux-gnu'), { recursive: true });
		await writeFile(at('apps/tiny/1.00/x86_64-pc-linux-gnu/tiny_1'), PROGRAM, { mode: 0o755 });
		expect((await sandbox.tool('update_versions', ['--noconfirm'])).stdout).toContain('App version added successfully');
		await writeFile(at('templates/in'), INPUT);
		await writeFile(at('templates/out'), OUTPUT);
		const daemons = ['sample_trivial_validator', 'batch_collect_assimilator'].map(
			(name) => `<daemon><cmd>${name} --app tiny -d 3</cmd></daemon>`,
		);
		const config = await readFile(at('config.xml'), 'utf8');
		await writeFile(at('config.xml'), config.replace('</daemons>', `${daemons.join('')}</daemons>`));
		expect((await sandbox.tool('start')).code).toBe(0);
		const { stdout } = await sandbox.tool('dir_hier_path', ['in_1']);
		await writeFile(stdout.trim(), 'hello');
	});
	afterAll(async () => {
		await database.end();
		await sandbox.remove();
	});

	const at = (...parts: string[]): string => path.join(sandbox.projectRoot, ...parts);
	const create = async (name: string, argument: string): Promise<void> => {
		const { code, stderr } = await sandbox.tool('create_work', [
			...['--appname', 'tiny', '--wu_name', name, '--wu_template', 'templates/in', '--result_template', 'templates/out'],
			...['--batch', '5', '--command_line', argument, 'in_1'],
		]);
		expect(code, stderr).toBe(0);
	};
	const job = async (name: string) => (await database.select('SELECT * FROM workunit WHERE name = ?', [name]))[0]!;
	const instance = async (name: string) => (await database.select('SELECT * FROM result WHERE name = ?', [`${name}_0`]))[0];

	it('sends a job through everything, and the output is collected', async () => {
		await create('good', 'word');
		await eventually('the job is assimilated', async () => numberOf(await job('good'), 'assimilate_state') === 2, 180_000);
		expect(await readFile(at('results/5/good__file_out'), 'utf8')).toBe('word hello\n');
		expect(await instance('good')).toMatchObject({ server_state: 5, outcome: 1, validate_state: 1, hostid: 1 });
		const [host] = await database.select('SELECT userid, p_ncpus FROM host');
		expect(numberOf(host!, 'p_ncpus')).toBeGreaterThan(0);
	});

	it('reports a failure with the code and the words of the program', async () => {
		await create('bad', 'fail');
		await eventually('the failure is collected', () => Promise.resolve(existsSync(at('results/5/bad_error'))), 180_000);
		const row = (await instance('bad'))!;
		expect(row).toMatchObject({ outcome: 3, exit_status: 7 });
		expect(textOf(row, 'stderr_out')).toContain('failing on purpose');
	});

	it('aborts what runs when the job is cancelled', async () => {
		await create('endless', 'wait');
		await eventually(
			'the task runs',
			async () => (await sandbox.client?.tasks())?.some((task) => task.wuName === 'endless'),
			180_000,
		);
		expect((await sandbox.tool('cancel_jobs', ['--name', 'endless'])).code).toBe(0);
		await eventually(
			'the abortion is reported',
			async () => {
				await sandbox.client?.update();
				return numberOf((await instance('endless'))!, 'exit_status') === 202;
			},
			180_000,
		);
	});
});
