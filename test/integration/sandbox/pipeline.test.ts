import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { hierarchyPath } from '../../../src/project/hierarchy.js';
import { type Database, numberOf, openDatabase, textOf } from '../../../src/sandbox/database.js';
import { eventually, runTool, startTestSandbox, type TestSandbox } from '../../support/sandbox.js';

const INPUT = `<file_info><physical_name>keep_1</physical_name><no_delete/></file_info>
<file_info></file_info>
<workunit><file_ref><open_name>keep</open_name></file_ref><file_ref><open_name>in</open_name></file_ref>
<max_error_results>1</max_error_results><max_total_results>4</max_total_results><max_success_results>2</max_success_results></workunit>`;
const output = (openName: string): string => `<output_template>
<file_info>
<name><OUTFILE_0/></name>
<max_nbytes>1000</max_nbytes>
</file_info>
<result>
<file_ref><file_name><OUTFILE_0/></file_name><open_name>${openName}</open_name></file_ref>
</result>
</output_template>
`;
/** Writes its arguments beside the results; fails when the file `fail` is there. */
const SCRIPT = `#!/bin/sh
[ -e ../fail ] && exit 3
echo "$#:$*" >> ../calls
exit 0
`;

/** The daemons run one pass at a time, by hand; no host takes part. */
describe('the daemons of a sandbox project', () => {
	let sandbox: TestSandbox;
	let database: Database;
	let tmpDir: string;

	beforeAll(async () => {
		sandbox = await startTestSandbox({ fanout: 8 });
		await sandbox.tool('stop');
		database = await openDatabase(sandbox.database);
		await database.execute("INSERT INTO app (create_time, name, user_friendly_name) VALUES (0, 'tiny', 'Tiny')");
		await writeFile(at('templates/in'), INPUT);
		await writeFile(at('templates/out'), output('out'));
		await writeFile(at('templates/slash'), output('shared/out'));
		await writeFile(at('bin/script'), SCRIPT, { mode: 0o755 });
		await eventually('the daemons end', async () => !(await sandbox.tool('status', ['-v'])).stdout.includes(' running '));
		await rm(at('stop_daemons'));
		const [, host = ''] = /<host>([^<]*)</.exec(await readFile(at('config.xml'), 'utf8')) ?? [];
		tmpDir = at(`tmp_${host}`);
	});
	afterAll(async () => {
		await database.end();
		await sandbox.remove();
	});

	const at = (...parts: string[]): string => path.join(sandbox.projectRoot, ...parts);
	const daemon = (name: string, ...args: string[]) => runTool(at('bin', name), [...args, '--one_pass', '-d', '3'], tmpDir);
	const job = async (name: string) => (await database.select('SELECT * FROM workunit WHERE name = ?', [name]))[0]!;
	const instances = (name: string) => database.select('SELECT * FROM result WHERE name LIKE ? ORDER BY id', [`${name}\\_%`]);
	const stage = async (name: string): Promise<string> => {
		const file = at('download', hierarchyPath(name, 8));
		await mkdir(path.dirname(file), { recursive: true });
		await writeFile(file, name);
		await writeFile(`${file}.md5`, `${'0'.repeat(32)} ${name.length}\n`);
		return file;
	};
	const create = async (name: string, ...args: string[]): Promise<void> => {
		await stage('keep_1');
		await stage(`in_${name}`);
		const words = ['--appname', 'tiny', '--wu_name', name, '--wu_template', 'templates/in', '--batch', '3'];
		const { code, stderr } = await sandbox.tool('create_work', [
			...words,
			...(args.includes('--result_template') ? [] : ['--result_template', 'templates/out']),
			...args,
			`in_${name}`,
		]);
		expect(code, stderr).toBe(0);
	};
	/** The transitioner looks at what became due before this second. */
	const transition = async (): Promise<string> => {
		await database.execute('UPDATE workunit SET transition_time = transition_time - 5 WHERE transition_time < 2147483647');
		return (await daemon('transitioner')).stderr;
	};
	/** An instance as the scheduler leaves it after a report. */
	const report = async (name: string, content: string | undefined, columns: Readonly<Record<string, number>> = {}) => {
		const values = { server_state: 5, outcome: 1, client_state: 5, hostid: 1, userid: 1, elapsed_time: 100, ...columns };
		await database.execute(
			`UPDATE result SET ${Object.keys(values)
				.map((column) => `${column} = ?`)
				.join(', ')} WHERE name = ?`,
			[...Object.values(values), name],
		);
		await database.execute('UPDATE workunit SET transition_time = 0 WHERE id = (SELECT workunitid FROM result WHERE name = ?)', [
			name,
		]);
		const [row] = await database.select('SELECT xml_doc_in FROM result WHERE name = ?', [name]);
		const file = at('upload', hierarchyPath(/<name>(.*?)<\/name>/.exec(textOf(row!, 'xml_doc_in'))![1]!, 8));
		if (content !== undefined) {
			await mkdir(path.dirname(file), { recursive: true });
			await writeFile(file, content);
		}
		return file;
	};

	it('takes a job from creation to the removal of its files, and keeps what is marked', async () => {
		await create('good');
		const input = await stage('in_good');
		await transition();
		expect((await job('good')).transition_time).toBeGreaterThan(Date.now() / 1000 + 9 * 86_400);
		const file = await report('good_0', 'result');
		expect(await transition()).toContain('need_validate:=>true');
		expect(await job('good')).toMatchObject({ need_validate: 1 });

		await daemon('sample_trivial_validator', '--app', 'tiny');
		const [valid] = await instances('good');
		expect(valid).toMatchObject({ validate_state: 1, outcome: 1 });
		expect(await job('good')).toMatchObject({ need_validate: 0, assimilate_state: 1, canonical_resultid: valid!.id });

		const collected = await daemon('batch_collect_assimilator', '--app', 'tiny', '--bogus');
		expect(collected.stderr).toContain('bad arg --bogus');
		expect(await readFile(at('results/3/good__file_out'), 'utf8')).toBe('result');
		expect(existsSync(file)).toBe(false);
		await transition();
		expect(await job('good')).toMatchObject({ assimilate_state: 2, file_delete_state: 1, transition_time: 2_147_483_647 });
		await daemon('file_deleter');
		expect(await job('good')).toMatchObject({ file_delete_state: 2 });
		expect([existsSync(input), existsSync(`${input}.md5`)]).toEqual([false, false]);
		expect(existsSync(at('download', hierarchyPath('keep_1', 8)))).toBe(true);

		await daemon('db_purge');
		expect(await database.select("SELECT * FROM workunit WHERE name = 'good'")).toEqual([]);
	});

	it('hands the files to a script by its name alone; with tokens the script gets nothing', async () => {
		await create('script');
		await transition();
		const file = await report('script_0', 'x');
		await transition();
		await daemon('script_validator', '--app', 'tiny', '--init_script', 'script', '--compare_script', 'script');
		const { id } = await job('script');
		const [only] = await instances('script');
		expect(await readFile(at('calls'), 'utf8')).toBe(`1:${file}\n`);
		const run = (value: string) => daemon('script_assimilator', '--app', 'tiny', '--script', value, '--dont_update_db');
		await run('script');
		await run('script files wu_id');
		expect(await readFile(at('calls'), 'utf8')).toBe(`1:${file}\n2:${String(id)} ${file}\n0:\n`);
		expect(numberOf(only!, 'validate_state')).toBe(1);

		// A script that fails ends the daemon, with exit code 0, and the job waits.
		await writeFile(at('fail'), '');
		const failed = await daemon('script_assimilator', '--app', 'tiny', '--script', 'script');
		expect(failed.code).toBe(0);
		expect(failed.stderr).toContain('[CRITICAL] assimilator [script] handler error 768: Error 768; exiting');
		expect(await job('script')).toMatchObject({ assimilate_state: 1 });
		await rm(at('fail'));
		await daemon('sample_dummy_assimilator', '--app', 'tiny');
		expect(await job('script')).toMatchObject({ assimilate_state: 2 });
	});

	it('tells the script of a cancelled job by --error', async () => {
		await create('gone');
		await transition();
		await sandbox.tool('cancel_jobs', ['--name', 'gone']);
		await transition();
		await daemon('script_assimilator', '--app', 'tiny', '--script', 'script');
		const { id } = await job('gone');
		expect((await readFile(at('calls'), 'utf8')).split('\n').at(-2)).toBe(`5:--error 16 gone ${String(id)} 3`);
	});

	it('loses an output whose open name has a slash, as batch_collect_assimilator does', async () => {
		await create('slash', '--result_template', 'templates/slash');
		await transition();
		const file = await report('slash_0', 'precious');
		await transition();
		await daemon('sample_trivial_validator', '--app', 'tiny');
		await daemon('batch_collect_assimilator', '--app', 'tiny');
		expect(existsSync(at('results/3/slash_no_output_files'))).toBe(true);
		await transition();
		await daemon('file_deleter');
		expect(existsSync(file)).toBe(false);
	});

	it('tries again after errors and gives up with the right bit', async () => {
		await create('bad');
		await transition();
		await report('bad_0', undefined, { outcome: 3, exit_status: 195, client_state: 3, validate_state: 2 });
		await transition();
		expect((await instances('bad')).map(({ name, server_state }) => [name, server_state])).toEqual([
			['bad_0', 5],
			['bad_1', 2],
		]);
		// Aborted by the volunteer: no error of the job.
		await report('bad_1', undefined, { outcome: 3, exit_status: 203, client_state: 6, validate_state: 2 });
		await transition();
		await report('bad_2', undefined, { outcome: 3, exit_status: 1, client_state: 3, validate_state: 2 });
		await transition();
		expect(await job('bad')).toMatchObject({ error_mask: 2, assimilate_state: 1 });
		await daemon('batch_collect_assimilator', '--app', 'tiny');
		expect(await readFile(at('results/3/bad_error'), 'utf8')).toBe('0x2\n');
	});

	it('ends overdue instances and sends another', async () => {
		await create('late');
		await transition();
		await database.execute("UPDATE result SET server_state = 4, report_deadline = 5 WHERE name = 'late_0'");
		await database.execute("UPDATE workunit SET transition_time = 0 WHERE name = 'late'");
		await transition();
		expect((await instances('late')).map(({ server_state, outcome }) => [server_state, outcome])).toEqual([
			[5, 4],
			[2, 0],
		]);
	});

	it('compares results, and gives up when they never agree', async () => {
		await create('pair', '--min_quorum', '2', '--target_nresults', '2');
		await transition();
		await report('pair_0', 'x');
		await report('pair_1', 'y');
		await transition();
		await daemon('sample_bitwise_validator', '--app', 'tiny');
		expect((await instances('pair')).map(({ validate_state }) => validate_state)).toEqual([4, 4]);
		expect(await job('pair')).toMatchObject({ target_nresults: 3, canonical_resultid: 0, error_mask: 0 });
		await transition();
		await report('pair_2', 'x');
		await transition();
		await daemon('sample_bitwise_validator', '--app', 'tiny');
		expect((await instances('pair')).map(({ validate_state }) => validate_state)).toEqual([1, 2, 1]);

		await create('odd', '--min_quorum', '2', '--target_nresults', '2');
		await transition();
		await report('odd_0', 'x');
		await report('odd_1', 'y');
		await transition();
		await daemon('sample_bitwise_validator', '--app', 'tiny');
		await transition();
		await report('odd_2', 'z');
		await transition();
		await daemon('sample_bitwise_validator', '--app', 'tiny');
		await transition();
		expect(await job('odd')).toMatchObject({ error_mask: 4, assimilate_state: 1 });
		expect((await instances('odd')).map(({ validate_state }) => validate_state)).toEqual([3, 3, 3]);
	});

	it('counts a missing output as a validate error', async () => {
		await create('empty');
		await transition();
		await report('empty_0', undefined);
		await transition();
		await daemon('sample_bitwise_validator', '--app', 'tiny');
		expect((await instances('empty'))[0]).toMatchObject({ outcome: 6, validate_state: 2 });
	});

	it('exits on an unknown app; on an unknown option only some do', async () => {
		for (const [name, ...args] of [
			['sample_trivial_validator', '--app', 'nobody'],
			['script_assimilator', '--app', 'nobody', '--script', 'script'],
			['script_assimilator', '--app', 'tiny'],
			['transitioner', '--bogus'],
			['file_deleter', '--app', 'nobody'],
		] as const) {
			expect((await daemon(name, ...args)).code, name).toBe(1);
		}
		expect((await daemon('sample_trivial_validator', '--app', 'tiny', '--bogus')).code).toBe(0);
		expect(await daemon('transitioner', '--version')).toEqual({ code: 0, stdout: '8.3.0\n', stderr: '' });
	});

	it('the transitioner ends when a template is gone', async () => {
		await writeFile(at('templates/lost'), output('out'));
		await create('lost', '--result_template', 'templates/lost');
		await rm(at('templates/lost'));
		await database.execute('UPDATE workunit SET transition_time = 1');
		const { code, stderr } = await daemon('transitioner');
		expect(code).toBe(1);
		expect(stderr).toContain("Failed to read result template file '../templates/lost'");
	});
});
