import assert from 'node:assert/strict';

import { hierarchyDirectory } from '../../../src/project/hierarchy.js';
import type { Check } from '../checks.js';
import type { Lab } from '../lab.js';
import { createWork, md5, oneFile, stageInput, template, workunit } from '../probe.js';

const VECTORS: Readonly<Record<string, string>> = {
	infile: '3d8',
	'myfile.txt': '26c',
	'job_1_input.dat': '2c8',
	'docker_wrapper_18_x86_64-pc-linux-gnu': '18e',
	'in.zip': '2ae',
	'boinc2docker.iso': '28d',
	'layer_0a1b2c.tar': '3e9',
	'f1.txt': '1b8',
};

const constantFile = (name: string): string =>
	`<input_template>\n<file_info>\n<physical_name>${name}</physical_name>\n<sticky/><no_delete/>\n</file_info>\n<workunit>\n<file_ref>\n<open_name>shared/c.txt</open_name>\n<copy_file/>\n</file_ref>\n</workunit>\n</input_template>\n`;

const document = async (lab: Lab, name: string): Promise<string> => {
	const row = await workunit(lab, name);
	assert.ok(row, `the job ${name} was not created`);
	return row.xml_doc.toString('utf8');
};

export const hierarchyChecks: readonly Check<Lab>[] = [
	{
		name: 'our hash directory is that of bin/dir_hier_path, which makes it and exits 0',
		run: async (lab) => {
			const { downloadDir, uldlDirFanout } = lab.project.config;
			for (const name of [...Object.keys(VECTORS), `${lab.tag}-a.B_c`, `b2d_pack_${lab.tag}.tar.gz`, 'x']) {
				const ran = await lab.tool('dir_hier_path', [name]);
				const directory = `${downloadDir}/${hierarchyDirectory(name, uldlDirFanout)}`;
				assert.deepEqual([ran.code, ran.stdout.trim()], [0, `${directory}/${name}`]);
				assert.ok(await lab.exists(directory), `${directory} was not made`);
				await lab.run(['rmdir', directory]);
			}
		},
	},
	{
		name: 'with fanout 1024 the hash directories are the known ones',
		run: () => {
			for (const [name, directory] of Object.entries(VECTORS)) {
				assert.equal(hierarchyDirectory(name, 1024), directory, name);
			}
			return Promise.resolve();
		},
	},
	{
		name: 'an input with our side file (“md5 size”, integer) goes into the job with that hash and size',
		run: async (lab) => {
			const name = `${lab.tag}_in1.txt`;
			await stageInput(lab, name, 'one\n', 'written');
			const ran = await createWork(lab, [
				'--wu_template',
				await template(lab, 'in1', oneFile()),
				'--wu_name',
				`${lab.tag}_in1`,
				name,
			]);
			assert.equal(ran.code, 0, ran.stderr);
			const xml = await document(lab, `${lab.tag}_in1`);
			assert.ok(xml.includes(`<md5_cksum>${md5('one\n')}</md5_cksum>`), xml);
			assert.match(xml, /<nbytes>4(\.0+)?(e\+00)?<\/nbytes>/);
			const url = `${lab.project.config.downloadUrl}/${hierarchyDirectory(name, lab.project.config.uldlDirFanout)}/${name}`;
			assert.ok(xml.includes(`<url>${url}</url>`), xml);
			assert.match(xml, /<open_name>in\.txt<\/open_name>\s*<copy_file\/>/);
		},
	},
	{
		name: 'a side file is believed without reading the input',
		run: async (lab) => {
			const name = `${lab.tag}_in2.txt`;
			await stageInput(lab, name, 'two\n', 'wrong');
			await createWork(lab, ['--wu_template', await template(lab, 'in1', oneFile()), '--wu_name', `${lab.tag}_in2`, name]);
			assert.match(await document(lab, `${lab.tag}_in2`), /<md5_cksum>0{32}<\/md5_cksum>/);
		},
	},
	{
		name: 'create_work writes a missing side file: hash, blank, number, newline',
		run: async (lab) => {
			const name = `${lab.tag}_in3.txt`;
			await stageInput(lab, name, 'three\n', 'none');
			const ran = await createWork(lab, [
				'--wu_template',
				await template(lab, 'in1', oneFile()),
				'--wu_name',
				`${lab.tag}_in3`,
				name,
			]);
			assert.equal(ran.code, 0, ran.stderr);
			const side = await lab.get(`${lab.downloadPath(name)}.md5`);
			assert.match(side, /^[0-9a-f]{32} [0-9.]+(e\+\d+)?\n$/);
			assert.deepEqual([side.slice(0, 32), Number(side.slice(33))], [md5('three\n'), 6]);
			return side.trim().slice(33);
		},
	},
	{
		name: 'a side file older than an ordinary input is computed again',
		run: async (lab) => {
			const name = `${lab.tag}_in4.txt`;
			await stageInput(lab, name, 'four\n', 'wrong');
			await lab.sh('touch -d 2001-01-01 "$1.md5"', lab.downloadPath(name));
			await createWork(lab, ['--wu_template', await template(lab, 'in1', oneFile()), '--wu_name', `${lab.tag}_in4`, name]);
			assert.ok((await document(lab, `${lab.tag}_in4`)).includes(md5('four\n')));
		},
	},
	{
		name: 'a constant file needs its side file: without it exit 1 and no job',
		run: async (lab) => {
			const name = `${lab.tag}_const1.txt`;
			await stageInput(lab, name, 'constant\n', 'none');
			const ran = await createWork(lab, [
				'--wu_template',
				await template(lab, 'const1', constantFile(name)),
				'--wu_name',
				`${lab.tag}_const1`,
			]);
			assert.equal(ran.code, 1);
			assert.match(ran.stderr, /missing MD5 info file/);
			assert.equal(await workunit(lab, `${lab.tag}_const1`), undefined);
		},
	},
	{
		name: 'a constant file with a side file that is too old is refused as well',
		run: async (lab) => {
			const name = `${lab.tag}_const2.txt`;
			await stageInput(lab, name, 'constant\n', 'older');
			const ran = await createWork(lab, [
				'--wu_template',
				await template(lab, 'const2', constantFile(name)),
				'--wu_name',
				`${lab.tag}_const2`,
			]);
			assert.equal(ran.code, 1);
			assert.equal(await workunit(lab, `${lab.tag}_const2`), undefined);
		},
	},
	{
		name: 'a constant file consumes no argument; sticky and no_delete reach the job',
		run: async (lab) => {
			const name = `${lab.tag}_const3.txt`;
			await stageInput(lab, name, 'constant\n', 'written');
			const ran = await createWork(lab, [
				'--wu_template',
				await template(lab, 'const3', constantFile(name)),
				'--wu_name',
				`${lab.tag}_const3`,
			]);
			assert.equal(ran.code, 0, ran.stderr);
			const xml = await document(lab, `${lab.tag}_const3`);
			assert.match(xml, /<sticky\/>/);
			assert.match(xml, /<no_delete\/>/);
			assert.ok(xml.includes(`<name>${name}</name>`) && xml.includes(`<file_name>${name}</file_name>`), xml);
			assert.ok(xml.includes('<open_name>shared/c.txt</open_name>'));
		},
	},
	{
		name: 'an input at the top of download/ is copied into the hierarchy, with a line on stdout',
		run: async (lab) => {
			const name = `${lab.tag}_top.txt`;
			const { downloadDir } = lab.project.config;
			await lab.put(`${downloadDir}/${name}`, 'top\n');
			lab.defer(`input ${name}`, () => lab.sh('rm -f "$1" "$2" "$2.md5"', `${downloadDir}/${name}`, lab.downloadPath(name)));
			const ran = await createWork(lab, [
				'--wu_template',
				await template(lab, 'in1', oneFile()),
				'--wu_name',
				`${lab.tag}_top`,
				name,
			]);
			assert.equal(ran.code, 0, ran.stderr);
			assert.match(ran.stdout, /^copy .* to .*\n$/);
			assert.equal(await lab.get(lab.downloadPath(name)), 'top\n');
		},
	},
];
