import assert from 'node:assert/strict';

import type { Check } from '../checks.js';
import type { Lab } from '../lab.js';
import { createWork, jobNames, noFiles, ONE_OUTPUT, oneFile, plainTemplates, probeApp, template, workunit } from '../probe.js';

/** Runs `create_work` with a name that must not come to be. */
async function refused(lab: Lab, name: string, args: readonly string[], code = 1): Promise<string> {
	const ran = await createWork(lab, ['--wu_name', `${lab.tag}_${name}`, ...args]);
	assert.equal(await workunit(lab, `${lab.tag}_${name}`), undefined, 'the job was created all the same');
	assert.equal(ran.code, code, `exit ${ran.code}: ${ran.stderr}${ran.stdout}`);
	return ran.stderr;
}

export const createWorkChecks: readonly Check<Lab>[] = [
	{
		name: 'with --wu_name: silent, exit 0, and the row is there',
		run: async (lab) => {
			const app = await probeApp(lab);
			const ran = await createWork(lab, ['--wu_name', `${lab.tag}_silent`]);
			assert.deepEqual(ran, { code: 0, stdout: '', stderr: '' });
			const row = await workunit(lab, `${lab.tag}_silent`);
			assert.equal(row?.batch, app.batchId);
		},
	},
	{
		name: 'without --wu_name: “workunit name: APP_PID_TIME”',
		run: async (lab) => {
			const app = await probeApp(lab);
			const ran = await createWork(lab, []);
			const name = new RegExp(`^workunit name: (${app.name}_\\d+_[\\d.]+)\\n$`).exec(ran.stdout)?.[1];
			assert.ok(name, ran.stdout);
			assert.ok(await workunit(lab, name));
		},
	},
	{
		name: '--verbose names the job and its id on stderr',
		run: async (lab) => {
			const ran = await createWork(lab, ['--verbose', '--wu_name', `${lab.tag}_verbose`]);
			const row = await workunit(lab, `${lab.tag}_verbose`);
			assert.match(ran.stderr, new RegExp(`created workunit; name ${lab.tag}_verbose, ID ${row?.id}`));
		},
	},
	{
		name: 'a missing result template is no error: exit 0, a message, and no job',
		run: async (lab) => {
			const stderr = await refused(lab, 'noresult', ['--result_template', 'templates/no_such_template'], 0);
			assert.notEqual(stderr.trim(), '');
			return stderr.trim().split('\n')[0];
		},
	},
	{
		name: 'a missing input template: exit 1',
		run: (lab) => refused(lab, 'noin', ['--wu_template', 'templates/no_such_template']).then(() => undefined),
	},
	{
		name: 'an unknown app: exit 1',
		run: async (lab) => {
			const ran = await lab.tool('create_work', [
				'--appname',
				`${lab.tag}none`,
				'--wu_name',
				`${lab.tag}_noapp`,
				...(await plainTemplates(lab)),
			]);
			assert.equal(ran.code, 1);
			assert.equal(await workunit(lab, `${lab.tag}_noapp`), undefined);
		},
	},
	{ name: 'an unknown option: exit 1', run: (lab) => refused(lab, 'noopt', ['--no_such_option']).then(() => undefined) },
	{ name: 'a file too many: exit 1', run: (lab) => refused(lab, 'toomany', ['file1']).then(() => undefined) },
	{
		name: 'a file too few: exit 1',
		run: async (lab) => {
			await refused(lab, 'toofew', ['--wu_template', await template(lab, 'in1', oneFile())]);
		},
	},
	{
		name: 'an input that is not staged: exit 1',
		run: async (lab) => {
			await refused(lab, 'nofile', ['--wu_template', await template(lab, 'in1', oneFile()), `${lab.tag}_absent`]);
		},
	},
	{
		name: 'a name that exists: exit 1, one row',
		run: async (lab) => {
			assert.equal((await createWork(lab, ['--wu_name', `${lab.tag}_twice`])).code, 0);
			assert.equal((await createWork(lab, ['--wu_name', `${lab.tag}_twice`])).code, 1);
			assert.equal((await jobNames(lab, `${lab.tag}_twice`)).length, 1);
		},
	},
	{
		name: 'an apostrophe in the command line breaks the SQL: exit 1, no job',
		run: (lab) => refused(lab, 'quote', ['--command_line', "it's"]).then(() => undefined),
	},
	{
		name: 'an apostrophe in the template breaks it as well',
		run: async (lab) => {
			await refused(lab, 'quotet', [
				'--wu_template',
				await template(lab, 'quote', noFiles("<command_line>it's</command_line>\n")),
			]);
		},
	},
	{
		name: 'the command line is not XML-escaped, and a backslash sequence is taken by SQL',
		run: async (lab) => {
			const ran = await createWork(lab, ['--wu_name', `${lab.tag}_escape`, '--command_line', 'a &lt; "b" c\\nd']);
			assert.equal(ran.code, 0, ran.stderr);
			const xml = (await workunit(lab, `${lab.tag}_escape`))?.xml_doc.toString('utf8') ?? '';
			assert.match(xml, /<command_line>\s*a &lt; "b" c\nd\s*<\/command_line>/);
		},
	},
	{
		name: 'a command line both in the template and as an option: exit 1',
		run: async (lab) => {
			await refused(lab, 'both', [
				'--command_line',
				'x',
				'--wu_template',
				await template(lab, 'cmd', noFiles('<command_line>y</command_line>\n')),
			]);
		},
	},
	{
		name: 'the defaults allow no retry: quorum, target, errors, total and successes are 1',
		run: async (lab) => {
			const bare = await template(lab, 'bare', '<workunit>\n</workunit>\n');
			await createWork(lab, ['--wu_name', `${lab.tag}_defaults`, '--wu_template', bare]);
			const row = await workunit(lab, `${lab.tag}_defaults`);
			assert.deepEqual(
				[row?.min_quorum, row?.target_nresults, row?.max_error_results, row?.max_total_results, row?.max_success_results],
				[1, 1, 1, 1, 1],
			);
			assert.deepEqual(
				[row?.rsc_fpops_est, row?.rsc_fpops_bound, row?.rsc_memory_bound, row?.rsc_disk_bound, row?.delay_bound],
				[3.6e12, 8.64e13, 5e8, 1e9, 7 * 86400],
			);
		},
	},
	{
		name: 'options reach the row',
		run: async (lab) => {
			const bare = await template(lab, 'bare', '<workunit>\n</workunit>\n');
			const wanted = {
				priority: 3,
				min_quorum: 2,
				target_nresults: 2,
				max_error_results: 4,
				max_total_results: 6,
				max_success_results: 5,
				rsc_fpops_est: 1e11,
				rsc_fpops_bound: 1e15,
				rsc_memory_bound: 123456789,
				rsc_disk_bound: 987654321,
				delay_bound: 86401,
				app_version_num: 100,
			};
			const args = Object.entries(wanted).flatMap(([name, value]) => [`--${name}`, String(value)]);
			const ran = await createWork(lab, ['--wu_name', `${lab.tag}_options`, '--wu_template', bare, ...args]);
			assert.equal(ran.code, 0, ran.stderr);
			const row = await workunit(lab, `${lab.tag}_options`);
			assert.ok(row);
			assert.deepEqual(Object.fromEntries(Object.keys(wanted).map((name) => [name, row[name as keyof typeof row]])), wanted);
			assert.equal(row.result_template_file, `templates/${lab.tag}_out`);
		},
	},
	{
		name: 'values of the template win over options',
		run: async (lab) => {
			const path = await template(
				lab,
				'wins',
				noFiles('<delay_bound>4321</delay_bound>\n<rsc_memory_bound>5e7</rsc_memory_bound>\n'),
			);
			await createWork(lab, [
				'--wu_name',
				`${lab.tag}_wins`,
				'--wu_template',
				path,
				'--delay_bound',
				'99',
				'--rsc_memory_bound',
				'1',
			]);
			const row = await workunit(lab, `${lab.tag}_wins`);
			assert.deepEqual([row?.delay_bound, row?.rsc_memory_bound], [4321, 5e7]);
		},
	},
	{
		name: 'total and successes are raised to the target',
		run: async (lab) => {
			await createWork(lab, [
				'--wu_name',
				`${lab.tag}_raised`,
				'--wu_template',
				await template(lab, 'bare', '<workunit>\n</workunit>\n'),
				'--target_nresults',
				'4',
			]);
			const row = await workunit(lab, `${lab.tag}_raised`);
			assert.deepEqual([row?.target_nresults, row?.max_total_results, row?.max_success_results], [4, 4, 4]);
		},
	},
	{
		name: 'more errors than instances in all, more successes, or a limit of zero: exit 1',
		run: async (lab) => {
			const bare = await template(lab, 'bare', '<workunit>\n</workunit>\n');
			const wrong = [
				['--max_error_results', '3'],
				['--max_error_results', '0'],
				['--max_success_results', '3'],
				['--rsc_fpops_bound', '0'],
				['--rsc_disk_bound', '0'],
			];
			for (const args of wrong) {
				await refused(lab, 'limits', ['--wu_template', bare, ...args]);
			}
		},
	},
	{
		name: 'priority in a template has no effect',
		run: async (lab) => {
			await createWork(lab, [
				'--wu_name',
				`${lab.tag}_prio`,
				'--wu_template',
				await template(lab, 'prio', noFiles('<priority>9</priority>\n')),
			]);
			assert.equal((await workunit(lab, `${lab.tag}_prio`))?.priority, 0);
		},
	},
	{
		name: 'the self-closing <file_info/> is not understood',
		run: async (lab) => {
			const path = await template(lab, 'selfclosing', oneFile().replace('<file_info>\n</file_info>', '<file_info/>'));
			await refused(lab, 'selfclosing', ['--wu_template', path, `${lab.tag}_x`]);
		},
	},
	{
		name: 'a file_ref more than file_infos: exit 1',
		run: async (lab) => {
			const path = await template(lab, 'refs', oneFile().replace('<file_info>\n</file_info>\n', ''));
			await refused(lab, 'refs', ['--wu_template', path]);
		},
	},
	{
		name: '--remote_file: the URL as given, the name jf_MD5',
		run: async (lab) => {
			const hash = 'd41d8cd98f00b204e9800998ecf8427e';
			const ran = await createWork(lab, [
				'--wu_name',
				`${lab.tag}_remote`,
				'--wu_template',
				await template(lab, 'in1', oneFile()),
				'--remote_file',
				'http://example.org/f',
				'0',
				hash,
			]);
			assert.equal(ran.code, 0, ran.stderr);
			const xml = (await workunit(lab, `${lab.tag}_remote`))?.xml_doc.toString('utf8') ?? '';
			assert.ok(xml.includes(`<name>jf_${hash}</name>`) && xml.includes('<url>http://example.org/f</url>'), xml);
		},
	},
	{
		name: 'the transitioner makes an instance: JOB_0, outputs named JOB_0_rRANDOM_0, our template’s text',
		run: async (lab) => {
			const name = `${lab.tag}_instance`;
			await createWork(lab, ['--wu_name', name]);
			const row = await lab.until(
				'instance',
				async () =>
					(
						await lab.select<{ name: string; xml_doc_in: Buffer; server_state: number }>(
							'SELECT r.name, r.xml_doc_in, r.server_state FROM result r JOIN workunit w ON w.id = r.workunitid WHERE w.name = ?',
							name,
						)
					)[0],
				20,
			);
			assert.deepEqual([row.name, row.server_state], [`${name}_0`, 2]);
			const xml = row.xml_doc_in.toString('utf8');
			assert.match(xml, new RegExp(`<name>${name}_0_r\\d+_0</name>`));
			assert.ok(xml.includes(`<url>${lab.project.config.uploadUrl}</url>`), xml);
			assert.match(xml, /^<result>$/m);
			assert.ok(xml.includes('<open_name>shared/results.tgz</open_name>') && !xml.includes('output_template'), xml);
		},
	},
	{
		name: 'an XML prolog before <output_template> leaves a fragment in the instance',
		run: async (lab) => {
			const name = `${lab.tag}_prolog`;
			const path = await template(lab, 'prolog_out', `<?xml version="1.0"?>\n${ONE_OUTPUT}`);
			await createWork(lab, ['--wu_name', name, '--result_template', path]);
			const row = await lab.until(
				'instance',
				async () => (await lab.select<{ xml_doc_in: Buffer }>('SELECT xml_doc_in FROM result WHERE name = ?', `${name}_0`))[0],
				20,
			);
			assert.match(row.xml_doc_in.toString('utf8'), /output_template|\?xml/);
		},
	},
];
