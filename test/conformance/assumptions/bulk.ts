import assert from 'node:assert/strict';

import type { Check } from '../checks.js';
import type { Lab } from '../lab.js';
import { createWork, jobNames, noFiles, oneFile, stageInput, template, workunit } from '../probe.js';

const commandLine = async (lab: Lab, name: string): Promise<string> => {
	const xml = (await workunit(lab, `${lab.tag}_${name}`))?.xml_doc.toString('utf8');
	assert.ok(xml !== undefined, `the job ${name} was not created`);
	return /<command_line>\n?(.*?)\n?<\/command_line>/s.exec(xml)?.[1] ?? '';
};

const BULK = 400;

export const bulkChecks: readonly Check<Lab>[] = [
	{
		name: '--stdin: a line a job, explicit names, silent, exit 0',
		run: async (lab) => {
			const ran = await createWork(lab, ['--stdin'], `--wu_name ${lab.tag}_s0\n--wu_name ${lab.tag}_s1 --priority 4\n`);
			assert.deepEqual(ran, { code: 0, stdout: '', stderr: '' });
			assert.deepEqual(await jobNames(lab, `${lab.tag}_s`).then((names) => names.filter((name) => /_s\d$/.test(name))), [
				`${lab.tag}_s0`,
				`${lab.tag}_s1`,
			]);
			assert.equal((await workunit(lab, `${lab.tag}_s1`))?.priority, 4);
		},
	},
	{
		name: `--stdin takes ${BULK} jobs at once`,
		run: async (lab) => {
			const lines = Array.from({ length: BULK }, (_, i) => `--wu_name ${lab.tag}_bulk_${String(i).padStart(6, '0')}\n`);
			const ran = await createWork(lab, ['--stdin'], lines.join(''));
			assert.equal(ran.code, 0, ran.stderr);
			assert.equal((await jobNames(lab, `${lab.tag}_bulk_`)).length, BULK);
		},
	},
	{
		name: 'tokens: blanks divide; either kind of quote holds a token together',
		run: async (lab) => {
			const line = (name: string, rest: string): string => `--wu_name ${lab.tag}_${name}   --command_line ${rest}\n`;
			const ran = await createWork(lab, ['--stdin'], line('t0', '"a  b"') + line('t1', `'c "d" e'`) + line('t2', 'f"g'));
			assert.equal(ran.code, 0, ran.stderr);
			assert.deepEqual(
				[await commandLine(lab, 't0'), await commandLine(lab, 't1'), await commandLine(lab, 't2')],
				['a  b', 'c "d" e', 'f"g'],
			);
		},
	},
	{
		name: 'the command line of the process comes before that of the line',
		run: async (lab) => {
			await createWork(
				lab,
				['--command_line', 'all', '--stdin'],
				`--wu_name ${lab.tag}_c0 --command_line one\n--wu_name ${lab.tag}_c1\n`,
			);
			assert.deepEqual([await commandLine(lab, 'c0'), await commandLine(lab, 'c1')], ['all one', 'all']);
		},
	},
	{
		name: 'without names: PREFIX_0, PREFIX_1; a blank line is a job without files',
		run: async (lab) => {
			const ran = await createWork(lab, ['--wu_name', `${lab.tag}_pre`, '--stdin'], '--priority 1\n\n--priority 2\n');
			assert.equal(ran.code, 0, ran.stderr);
			assert.deepEqual(
				await jobNames(lab, `${lab.tag}_pre_`),
				[0, 1, 2].map((i) => `${lab.tag}_pre_${i}`),
			);
		},
	},
	{
		name: 'files and templates of a line',
		run: async (lab) => {
			const file = `${lab.tag}_bulkin.txt`;
			await stageInput(lab, file, 'bulk\n', 'written');
			const path = await template(lab, 'in1', oneFile());
			const ran = await createWork(
				lab,
				['--stdin'],
				`--wu_name ${lab.tag}_f0 --wu_template ${path} ${file}\n--wu_name ${lab.tag}_f1\n`,
			);
			assert.equal(ran.code, 0, ran.stderr);
			assert.ok((await workunit(lab, `${lab.tag}_f0`))?.xml_doc.includes(file));
			assert.ok(!(await workunit(lab, `${lab.tag}_f1`))?.xml_doc.includes(file));
		},
	},
	{
		name: 'an option that a line may not have: exit 1, and the pending jobs are lost',
		run: async (lab) => {
			const ran = await createWork(lab, ['--stdin'], `--wu_name ${lab.tag}_b0\n--wu_name ${lab.tag}_b1 --batch 3\n`);
			assert.equal(ran.code, 1);
			assert.deepEqual(await jobNames(lab, `${lab.tag}_b0`), []);
		},
	},
	{
		name: 'a name that exists fails the whole chunk: exit 1, none of it created',
		run: async (lab) => {
			await createWork(lab, ['--wu_name', `${lab.tag}_d1`]);
			const ran = await createWork(lab, ['--stdin'], [0, 1, 2].map((i) => `--wu_name ${lab.tag}_d${i}\n`).join(''));
			assert.equal(ran.code, 1);
			assert.deepEqual(await jobNames(lab, `${lab.tag}_d`).then((names) => names.filter((name) => /_d\d$/.test(name))), [
				`${lab.tag}_d1`,
			]);
		},
	},
	{
		name: 'a missing result template of a line does not stop it; the chunk fails on a duplicate',
		run: async (lab) => {
			const lines = `--wu_name ${lab.tag}_r0\n--wu_name ${lab.tag}_r1 --result_template templates/no_such\n--wu_name ${lab.tag}_r2\n`;
			const ran = await createWork(lab, ['--stdin'], lines);
			const names = (await jobNames(lab, `${lab.tag}_r`)).filter((name) => /_r\d$/.test(name));
			assert.ok(!names.includes(`${lab.tag}_r1`));
			assert.equal(ran.code, 1, `exit ${ran.code}, created ${names.join(' ')}`);
			assert.deepEqual(names, []);
		},
	},
	{
		name: 'a missing result template for all: exit 0 and no job',
		run: async (lab) => {
			const ran = await createWork(lab, ['--result_template', 'templates/no_such', '--stdin'], `--wu_name ${lab.tag}_n0\n`);
			assert.equal(await workunit(lab, `${lab.tag}_n0`), undefined);
			return `exit ${ran.code}`;
		},
	},
	{
		name: 'resources of the process hold for every line',
		run: async (lab) => {
			const path = await template(lab, 'in', noFiles());
			await createWork(lab, ['--delay_bound', '777', '--wu_template', path, '--stdin'], `--wu_name ${lab.tag}_p0\n`);
			assert.equal((await workunit(lab, `${lab.tag}_p0`))?.delay_bound, 777);
		},
	},
];
