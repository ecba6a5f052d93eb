import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { parsePublicKey, verifyMd5 } from '../../../src/project/boincKeys.js';
import { type Database, numberOf, openDatabase, textOf } from '../../../src/sandbox/database.js';
import { eventually, runTool, startTestSandbox, type TestSandbox } from '../../support/sandbox.js';

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

const INPUT_TEMPLATE = `<input_template>
<file_info>
<physical_name>shared_1.txt</physical_name>
<sticky/><no_delete/>
</file_info>
<file_info>
</file_info>
<workunit>
<file_ref><open_name>shared.txt</open_name><copy_file/></file_ref>
<file_ref><open_name>in</open_name><copy_file/></file_ref>
<rsc_fpops_est>1e13</rsc_fpops_est>
<max_error_results>3</max_error_results>
<max_total_results>5</max_total_results>
</workunit>
</input_template>
`;
const OUTPUT_TEMPLATE = `<output_template>
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

describe('a sandbox project', () => {
	let sandbox: TestSandbox;
	let database: Database;

	beforeAll(async () => {
		sandbox = await startTestSandbox({ fanout: 32 });
		database = await openDatabase(sandbox.database);
	});
	afterAll(async () => {
		await database.end();
		await sandbox.remove();
	});

	const at = (...parts: string[]): string => path.join(sandbox.projectRoot, ...parts);
	const jobs = async (where: string): Promise<string[]> =>
		(await database.select(`SELECT name FROM workunit WHERE ${where} ORDER BY id`)).map((row) => textOf(row, 'name'));
	const createWork = (args: readonly string[], input?: string) =>
		sandbox.tool(
			'create_work',
			['--appname', 'tiny', '--wu_template', 'templates/in', '--result_template', 'templates/out', ...args],
			input,
		);
	const stage = async (name: string, text: string): Promise<void> => {
		const { stdout } = await sandbox.tool('dir_hier_path', [name]);
		await writeFile(stdout.trim(), text);
		await writeFile(`${stdout.trim()}.md5`, `${md5(text)} ${text.length}\n`);
	};

	it('installs an app: xadd, update_versions, and the feeder takes notice', async () => {
		await writeFile(
			at('project.xml'),
			(await readFile(at('project.xml'), 'utf8')).replace(
				'</boinc>',
				'<app><name>tiny</name><user_friendly_name>Tiny</user_friendly_name></app></boinc>',
			),
		);
		const added = await sandbox.tool('xadd');
		expect(added.stdout).toContain("'tiny', 'Tiny')");
		expect(added.stdout).toContain('platform x86_64-pc-linux-gnu already in DB');
		expect((await sandbox.tool('xadd')).stdout).toContain('app tiny already in DB');

		const version = at('apps/tiny/1.02/x86_64-pc-linux-gnu__docker');
		await mkdir(version, { recursive: true });
		await writeFile(path.join(version, 'main_1'), '#!/bin/sh\n', { mode: 0o755 });
		await writeFile(path.join(version, 'data_1'), 'data');
		await writeFile(
			path.join(version, 'version.xml'),
			'<version><file><physical_name>main_1</physical_name><main_program/></file>' +
				'<file><physical_name>data_1</physical_name><logical_name>data</logical_name><copy_file/></file><is_wrapper/></version>',
		);
		const installed = await sandbox.tool('update_versions', ['--noconfirm']);
		expect(installed).toEqual({ code: 0, stdout: '\n    App version added successfully; ID=1\n', stderr: '' });
		const [row] = await database.select('SELECT version_num, plan_class, xml_doc FROM app_version');
		expect(row).toMatchObject({ version_num: 102, plan_class: 'docker' });
		const xml = textOf(row!, 'xml_doc');
		expect(xml).toContain('    <is_wrapper/>\n');
		const signature = /<name>main_1<\/name>[\s\S]*?<file_signature>\n([\s\S]*?)\s*<\/file_signature>/.exec(xml)![1]!;
		const key = parsePublicKey(await readFile(at('keys/code_sign_public'), 'utf8'))!;
		expect(verifyMd5(md5('#!/bin/sh\n'), signature, key)).toBe(true);
		expect((await stat(at('download/main_1'))).mode & 0o111).not.toBe(0);
		expect((await sandbox.tool('update_versions', ['--noconfirm'])).stdout).toBe('\n');
		await eventually('the feeder rereads the tables', () => Promise.resolve(!existsSync(at('reread_db'))));
	});

	it('update_versions exits with 0 where it fails, and says why', async () => {
		const failing = async (folder: string, files: Readonly<Record<string, string>>): Promise<string> => {
			await mkdir(at('apps', folder), { recursive: true });
			for (const [name, text] of Object.entries(files)) {
				await writeFile(at('apps', folder, name), text);
			}
			const { code, stdout } = await sandbox.tool('update_versions', ['--noconfirm']);
			expect(code).toBe(0);
			await rm(
				at(
					'apps',
					folder
						.split('/')
						.slice(0, folder.startsWith('tiny') ? 2 : 1)
						.join('/'),
				),
				{ recursive: true },
			);
			return stdout;
		};
		expect(await failing('tiny/3.0/nowhere', { a: 'x' })).toContain('no such platform: nowhere');
		expect(await failing('tiny/new/x86_64-pc-linux-gnu', { a: 'x' })).toContain('new is not a version number; skipping');
		expect(await failing('tiny/3.1/x86_64-pc-linux-gnu', { a_31: 'x', b_31: 'y' })).toContain(
			'No file was marked as the main program',
		);
		expect(
			await failing('tiny/3.2/x86_64-pc-linux-gnu', {
				'version.xml': '<version><file><physical_name>gone</physical_name></file></version>',
			}),
		).toContain('File gone is listed in version.xml but not present');
		expect(await failing('tiny/3.3/x86_64-pc-linux-gnu', { main_1: 'other' })).toContain('BOINC files are immutable');
		// The runs before asked the feeder to reread, as BOINC’s do; this one ends before it would.
		await eventually('the feeder has reread', () => Promise.resolve(!existsSync(at('reread_db'))));
		expect(await failing('stranger', {})).toContain('app not found: stranger');
		expect(existsSync(at('reread_db'))).toBe(false);
		expect((await sandbox.tool('update_versions', ['--bogus'])).stdout).toBe('\nunknown arg --bogus\n');
		expect((await runTool(at('bin/update_versions'), ['--noconfirm'], '/')).code).toBe(255);
		expect(await database.select('SELECT COUNT(*) AS n FROM app_version')).toEqual([{ n: 1 }]);
	});

	it('creates single jobs with the outputs and exit codes of the real tool', async () => {
		await writeFile(at('templates/in'), INPUT_TEMPLATE);
		await writeFile(at('templates/out'), OUTPUT_TEMPLATE);
		await stage('shared_1.txt', 'shared');
		await stage('in_1.txt', 'hello');
		expect(await createWork(['--wu_name', 'one', '--command_line', 'x y', '--batch', '7', 'in_1.txt'])).toEqual({
			code: 0,
			stdout: '',
			stderr: '',
		});
		expect((await createWork(['in_1.txt'])).stdout).toMatch(/^workunit name: tiny_\d+_\d+\.\d{6}\n$/);
		const [row] = await database.select("SELECT * FROM workunit WHERE name = 'one'");
		expect(row).toMatchObject({
			batch: 7,
			rsc_fpops_est: 1e13,
			max_error_results: 3,
			max_total_results: 5,
			target_nresults: 1,
			result_template_file: 'templates/out',
		});
		expect(textOf(row!, 'xml_doc')).toContain('<workunit>\n<command_line>\nx y\n</command_line>\n<file_ref>\n');
		expect((await createWork(['--wu_name', 'one', 'in_1.txt'])).code).toBe(1);
		expect(await createWork(['--wu_name', 'two', '--command_line', "it's", 'in_1.txt'])).toMatchObject({ code: 1 });
		expect(await createWork(['--wu_name', 'two', 'missing.txt'])).toMatchObject({ code: 1 });
		expect(await createWork(['--wu_name', 'two'])).toMatchObject({ code: 1 });
		expect(await createWork(['--wu_name', 'two', '--bogus'])).toMatchObject({ code: 1 });
		expect(await createWork(['--wu_name', 'two', '--result_template', 'templates/none', 'in_1.txt'])).toEqual({
			code: 0,
			stdout: '',
			stderr: "create_work: result template file ./templates/none doesn't exist\n",
		});
		expect(await jobs("name = 'two'")).toEqual([]);
		const escaped = await createWork(['--wu_name', 'esc', '--command_line', 'a\\nb \\\\c "q"', 'in_1.txt']);
		expect(escaped.code).toBe(0);
		const [esc] = await database.select("SELECT xml_doc FROM workunit WHERE name = 'esc'");
		expect(textOf(esc!, 'xml_doc')).toContain('<command_line>\na\nb \\c "q"\n</command_line>');
	});

	it('creates many jobs from standard input, with the traps of the real tool', async () => {
		const bulk = (lines: string, ...args: string[]) => createWork([...args, '--stdin'], lines);
		expect(
			await bulk('--wu_name s1 --command_line "a b" in_1.txt\n--wu_name s2 in_1.txt\n', '--batch', '9', '--command_line', 'P'),
		).toEqual({
			code: 0,
			stdout: '',
			stderr: '',
		});
		expect(await jobs('batch = 9')).toEqual(['s1', 's2']);
		expect((await bulk('in_1.txt\nin_1.txt', '--wu_name', 'pre')).code).toBe(0);
		expect(await jobs("name LIKE 'pre%'")).toEqual(['pre_0', 'pre_1']);
		// A chunk fails as a whole on a duplicate name, and a blank line is a job without files.
		expect((await bulk('--wu_name d1 in_1.txt\n--wu_name d2 in_1.txt\n--wu_name d1 in_1.txt\n')).code).toBe(1);
		expect(await bulk('--wu_name d3 in_1.txt\n\n')).toMatchObject({
			code: 1,
			stderr: expect.stringContaining('Too few var input files given') as string,
		});
		expect((await bulk('--wu_name d4 --batch 3 in_1.txt\n')).stderr).toBe("create_work: bad stdin argument '--batch'\n");
		expect((await bulk(`--wu_name d5 --command_line ${'x'.repeat(4094)} in_1.txt\n`)).stderr).toBe(
			'fgets() buffer was too small\n',
		);
		// A missing output template adds the row before it again, or nothing when there is none.
		expect((await bulk('--wu_name d6 in_1.txt\n--wu_name d7 --result_template templates/none in_1.txt\n')).code).toBe(1);
		expect((await bulk('--wu_name d8 --result_template templates/none in_1.txt\n--wu_name ok in_1.txt\n')).code).toBe(0);
		expect(await jobs("name LIKE 'd%'")).toEqual([]);
		expect(await jobs("name = 'ok'")).toEqual(['ok']);
	});

	it('inserts thousands of jobs in statements that the database accepts', async () => {
		const lines = Array.from({ length: 3000 }, (_, index) => `--wu_name many_${index} in_1.txt\n`).join('');
		expect((await createWork(['--batch', '10', '--stdin'], lines)).code).toBe(0);
		expect(await database.select('SELECT COUNT(*) AS n FROM workunit WHERE batch = 10')).toEqual([{ n: 3000 }]);
		await sandbox.tool('cancel_jobs', ['--name', 'many_0']);
		await database.execute("DELETE FROM workunit WHERE name LIKE 'many%'");
		await database.execute("DELETE FROM result WHERE name LIKE 'many%'");
	});

	it('makes instances, cancels them, and the daemons follow', async () => {
		const instance = async (name: string) => (await database.select('SELECT * FROM result WHERE name = ?', [name])).at(0);
		const first = await eventually('an instance of job one', () => instance('one_0'));
		expect(first).toMatchObject({ server_state: 2, batch: 7 });
		expect(textOf(first, 'xml_doc_in')).toMatch(/^<file_info>\n<name>one_0_r\d+_0<\/name>[\s\S]*<\/result>$/);
		const [job] = await database.select("SELECT id FROM workunit WHERE name = 'one'");
		const id = String(numberOf(job!, 'id'));
		expect(await sandbox.tool('cancel_jobs', [id, id])).toEqual({ code: 0, stdout: '', stderr: '' });
		await eventually('the transitioner sees the cancellation', async () => {
			const [row] = await database.select("SELECT error_mask, assimilate_state FROM workunit WHERE name = 'one'");
			return numberOf(row!, 'error_mask') === 16 && numberOf(row!, 'assimilate_state') === 1;
		});
		expect(await instance('one_0')).toMatchObject({ server_state: 5, outcome: 5 });
		expect(await sandbox.tool('cancel_jobs', ['--name', 'nobody'])).toEqual({
			code: 1,
			stdout: '',
			stderr: "No workunit named 'nobody'\n",
		});
		expect((await sandbox.tool('cancel_jobs', ['1'])).code).toBe(1);
	});

	it('shows, stops and starts daemons as the real script does', async () => {
		expect((await sandbox.tool('status')).stdout).toBe('BOINC is ENABLED\n');
		expect((await sandbox.tool('status', ['-v'])).stdout).toMatch(/^ {3}1 +\d+ {2}running {5}locked {3}no {8}feeder -d 3$/m);
		expect(await sandbox.tool('stop')).toEqual({ code: 0, stdout: '', stderr: '' });
		expect(existsSync(at('stop_daemons')) && existsSync(at('stop_sched'))).toBe(true);
		// Pid files stay.
		await eventually('the daemons end', async () =>
			/NOT RUNNING UNLOCKED +no +transitioner/.test((await sandbox.tool('status', ['-v'])).stdout),
		);
		expect((await sandbox.tool('status')).stdout).toBe('BOINC is DISABLED\n');
		expect((await sandbox.tool('start')).code).toBe(0);
		expect(existsSync(at('stop_daemons')) || existsSync(at('stop_sched'))).toBe(false);
		expect((await sandbox.tool('status', ['-v'])).stdout).toMatch(/running {5}locked {3}no {8}transitioner/);
	});

	it('starts nothing under another host name, and refuses a broken configuration', async () => {
		const config = await readFile(at('config.xml'), 'utf8');
		await sandbox.tool('stop');
		await writeFile(at('config.xml'), config.replace(/<host>[^<]*<\/host>/, '<host>elsewhere</host>'));
		expect((await sandbox.tool('start')).stderr).toBe('No daemons for this host found\n');
		await writeFile(at('config.xml'), '<boinc><config></boinc>');
		expect((await sandbox.tool('status')).code).toBe(1);
		expect((await createWork(['--wu_name', 'x', 'in_1.txt'])).code).toBe(1);
		await writeFile(at('config.xml'), config);
		expect((await sandbox.tool('start')).code).toBe(0);
	});
});
