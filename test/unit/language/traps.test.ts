import { expect, it, test } from 'vitest';

import { checkFile } from '../../../src/job/schema/checkFile.js';
import { dockerfileProblems } from '../../../src/language/dockerfile/dockerfileRules.js';
import type { XmlFormat } from '../../../src/language/formats/identify.js';
import { xmlProblems } from '../../../src/language/rules/xmlProblems.js';
import { tomlProblems } from '../../../src/language/toml/jobToml.js';
import { parseXmlTree } from '../../../src/language/xml/xmlTree.js';
import { readYamlTree } from '../../../src/project/yaml/yamlTree.js';

type Format = XmlFormat | 'job-file' | 'job-toml' | 'dockerfile';

async function codesOf(format: Format, text: string, path: string): Promise<string[]> {
	switch (format) {
		case 'job-file':
			return checkFile(await readYamlTree(text)).map(({ code }) => code);
		case 'job-toml':
			return tomlProblems(text).map(({ code }) => code);
		case 'dockerfile':
			return dockerfileProblems(text).map(({ code }) => code);
		default:
			return xmlProblems(parseXmlTree(text), format, path).map(({ code }) => code);
	}
}

const input = (infos: string, workunit: string): string =>
	`<input_template>\n${infos}\n<workunit>\n${workunit}\n</workunit>\n</input_template>\n`;
const INFO = '<file_info><physical_name>a_1</physical_name><sticky/><no_delete/></file_info>';
const REF = '<file_ref><open_name>a</open_name><copy_file/></file_ref>';
const output = (info: string, before = ''): string =>
	`${before}<output_template>\n<file_info>\n<name><OUTFILE_0/></name>${info}<url><UPLOAD_URL/></url>\n</file_info>\n<result>\n<file_ref>\n<file_name><OUTFILE_0/></file_name><open_name>out</open_name><copy_file/>\n</file_ref>\n</result>\n</output_template>\n`;
const MOST = '<max_nbytes>1e8</max_nbytes>';
const config = (daemons: string, inner = '', tasks = ''): string =>
	`<boinc><config>${inner}</config><daemons><daemon><cmd>feeder</cmd></daemon><daemon><cmd>transitioner</cmd></daemon>${daemons}</daemons><tasks>${tasks}</tasks></boinc>`;
const daemon = (cmd: string): string => `<daemon><cmd>${cmd}</cmd></daemon>`;
const planClass = (inner: string): string => `<plan_classes><plan_class>${inner}</plan_class></plan_classes>`;
const version = (inner: string): string => `<version><file><main_program/>${inner}</file></version>`;
const at = (number: string, place: string): string => `/p/apps/a/${number}/${place}/version.xml`;
const vm = (inner: string): string =>
	`<vbox_job><share_slot_dir/><completion_trigger_file>d</completion_trigger_file>${inner}</vbox_job>`;

/**
 * The traps of BOINC that can be seen in a file, by where our notes on BOINC tell them, and the diagnostic for each. The traps that
 * are not here show in no file: they are about programs, databases, protocols and hosts.
 */
const TRAPS: [where: string, code: string, format: Format, text: string, path?: string][] = [
	['jobs 17', 'bad-value', 'job-file', 'boinc: { sub_appname: "it\'s" }'],
	['jobs 17', 'label-special', 'job-file', 'sweep: { grid: { a: [1, 2] }, name: "upload-{{a}}" }'],
	['jobs 52', 'input-no-delete', 'input-template', input('<file_info><physical_name>a_1</physical_name></file_info>', REF)],
	['jobs 67', 'input-no-effect', 'input-template', input(INFO, `${REF}<credit>5</credit>`)],
	['jobs 72', 'input-count', 'input-template', input(INFO + INFO, REF)],
	['jobs 81', 'input-no-retry', 'input-template', input(INFO, `${REF}<max_total_results>1</max_total_results>`)],
	['jobs 81', 'no-retry', 'job-file', 'replication: { max_total_results: 1 }'],
	['jobs 84', 'input-bound-two-minutes', 'input-template', input(INFO, `${REF}<rsc_fpops_bound>1e9</rsc_fpops_bound>`)],
	['jobs 84', 'limit-two-minutes', 'job-file', 'resources: { time_limit: 60 s }'],
	['jobs 101', 'input-self-closed', 'input-template', input('<file_info/>', REF)],
	['jobs 124', 'input-copy-file', 'input-template', input(INFO, '<file_ref><open_name>a</open_name></file_ref>')],
	['jobs 127', 'template-quote', 'input-template', input(INFO, `${REF}<command_line>it's</command_line>`)],
	['jobs 127', 'template-backslash', 'input-template', input(INFO, `${REF}<command_line>a\\n</command_line>`)],
	['jobs 145', 'output-max-nbytes', 'output-template', output('')],
	['jobs 164', 'output-line-feed', 'output-template', output(MOST).replace('<result>\n', '<result>')],
	['jobs 164', 'output-crlf', 'output-template', output(MOST).replaceAll('\n', '\r\n')],
	['jobs 168', 'output-not-first', 'output-template', output(MOST, '<!-- mine -->\n')],
	['jobs 172', 'output-path', 'output-template', output(MOST), `/p/templates/${'x'.repeat(60)}_out`],
	['jobs 324', 'config-user-filter', 'config', config('', '<user_filter/>')],
	['daemons 32', 'config-dummy', 'config', config(`${daemon('sample_dummy_assimilator --app a')}${daemon('file_deleter')}`)],
	[
		'daemons 89',
		'config-httpd-user',
		'config',
		config('', '', '<task><cmd>antique_file_deleter</cmd><period>1 day</period></task>'),
	],
	['daemons 149', 'config-tokens', 'config', config(daemon('script_validator --app a --init_script "init files"'))],
	['daemons 185', 'output-slash', 'output-template', output(MOST).replace('>out<', '>shared/out<')],
	['daemons, way of a job', 'config-no-assimilator', 'config', config(daemon('sample_trivial_validator --app a'))],
	['daemons, two of a kind', 'config-race', 'config', config(daemon('x_validator --app a') + daemon('y_validator --app a'))],
	[
		'docker-wrapper 19',
		'version-platform',
		'version',
		version('<physical_name>w_1</physical_name>'),
		at('1.00', 'arm64-pc-linux-gnu__docker'),
	],
	[
		'docker-wrapper 20',
		'version-platform',
		'version',
		version('<physical_name>w_1</physical_name>'),
		at('1.00', 'armhf-pc-linux-gnu__docker'),
	],
	['docker-wrapper 41', 'docker-copy-all', 'dockerfile', 'FROM a:1\nCOPY . /app\n'],
	['docker-wrapper 62', 'toml-verbose', 'job-toml', 'verbose = 2\n'],
	['docker-wrapper 63', 'toml-type', 'job-toml', 'use_gpu = "true"\n'],
	['docker-wrapper 64', 'toml-syntax', 'job-toml', 'workdir\n'],
	['docker-wrapper 70', 'toml-unknown', 'job-toml', 'slot_dir_mount = "/x"\n'],
	['docker-wrapper 75', 'docker-shell-form', 'dockerfile', 'FROM a:1\nENTRYPOINT run\n'],
	['docker-wrapper 77', 'template-shell', 'input-template', input(INFO, `${REF}<command_line>$HOME</command_line>`)],
	['docker-wrapper 103', 'toml-image-tag', 'job-toml', 'image_name = "boinc__a:1"\n'],
	['docker-wrapper 116', 'toml-long', 'job-toml', `create_args = "${'x'.repeat(400)}"\n`],
	['docker-wrapper 199', 'plan-class-docker', 'plan-classes', planClass('<name>mine</name><docker/>')],
	['docker-wrapper 208', 'toml-image-name', 'job-toml', 'image_name = "mine"\n'],
	['docker-wrapper 245', 'plan-class-apple', 'plan-classes', planClass('<name>a</name><gpu_type>apple_gpu</gpu_type>')],
	['docker-wrapper 247', 'plan-class-arguments', 'plan-classes', planClass('<name>docker_mt</name><docker/><nthreads_cmdline/>')],
	['docker-wrapper 248', 'plan-class-gpu', 'plan-classes', planClass('<name>docker_nvidia_cuda</name><docker/>')],
	['docker-wrapper 252', 'plan-class-64', 'plan-classes', planClass('<name>docker</name><docker/><is64bit/>')],
	['project-layout 110', 'config-httpd-user', 'config', config(daemon('antique_file_deleter'))],
	['project-layout 120', 'config-cgi-url', 'config', config('', '<cgi_url>http://x/</cgi_url>')],
	['project-layout 142', 'config-pid-file', 'config', config(daemon('v_validator --app a') + daemon('v_validator --app b'))],
	['project-layout 146', 'config-host', 'config', config('', '<host>a.example.org</host>')],
	['project-layout 168', 'config-month', 'config', config('', '', '<task><cmd>x</cmd><period>1 month</period></task>')],
	[
		'project-layout 209',
		'project-min-version',
		'project',
		'<boinc><app><name>a</name><min_version>1</min_version></app></boinc>',
	],
	['project-layout 251', 'version-number', 'version', version('<physical_name>w_1</physical_name>'), at('1.2', 'windows_x86_64')],
	[
		'project-layout 326',
		'name-characters',
		'version',
		version('<physical_name>a b;c_1</physical_name>'),
		at('1.00', 'windows_x86_64'),
	],
	[
		'project-layout 328',
		'version-name-fixed',
		'version',
		version('<physical_name>wrapper</physical_name>'),
		at('1.00', 'windows_x86_64'),
	],
	[
		'vboxwrapper 56',
		'template-vbox-arguments',
		'input-template',
		input(
			INFO,
			'<file_ref><open_name>vbox_job.xml</open_name><copy_file/></file_ref><command_line>--nthreads 2 --seed 5</command_line>',
		),
	],
	['vboxwrapper 90', 'vbox-floppy', 'vbox-job', vm('<enable_floppyio/>')],
	['vboxwrapper 95', 'vbox-port', 'vbox-job', vm('<port_forward><host_port>0</host_port></port_forward>')],
	['vboxwrapper 122', 'vbox-memory', 'vbox-job', vm('<memory_size_mb>100</memory_size_mb>')],
	['vboxwrapper 187', 'vbox-trigger', 'vbox-job', '<vbox_job><completion_trigger_file>d</completion_trigger_file></vbox_job>'],
	['vboxwrapper 189', 'vbox-end', 'vbox-job', '<vbox_job><share_slot_dir/></vbox_job>'],
	['vboxwrapper 207', 'vbox-checkpoints', 'vbox-job', vm('<disable_automatic_checkpoints/>')],
	['vboxwrapper 232', 'plan-class-vbox', 'plan-classes', planClass('<name>vm</name><virtualbox/>')],
	['vboxwrapper 252', 'plan-class-no-64', 'plan-classes', planClass('<name>vbox</name><virtualbox/>')],
	['vboxwrapper 252', 'plan-class-accel', 'plan-classes', planClass('<name>vbox</name><virtualbox/><is64bit/>')],
];

test.each<(typeof TRAPS)[number]>(TRAPS)('%s: %s in %s', async (_, code, format, text, path = '/p/x.xml') => {
	expect(await codesOf(format, text, path)).toContain(code);
});

it('a broken XML file is said where it breaks (project-layout 68)', async () => {
	const codes = await codesOf('config', '<boinc><config><host>a</config></boinc>', '/p/config.xml');
	expect(codes.some((code) => code.startsWith('xml-'))).toBe(true);
});
