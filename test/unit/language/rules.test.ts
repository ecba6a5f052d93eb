import { describe, expect, it, test } from 'vitest';

import type { Problem } from '../../../src/common/problem.js';
import { inputTemplate, outputTemplate } from '../../../src/job/templates.js';
import { dockerfileProblems } from '../../../src/language/dockerfile/dockerfileRules.js';
import type { XmlFormat } from '../../../src/language/formats/identify.js';
import { xmlProblems } from '../../../src/language/rules/xmlProblems.js';
import { tomlProblems } from '../../../src/language/toml/jobToml.js';
import { parseXmlTree } from '../../../src/language/xml/xmlTree.js';
import { applyEdits } from '../../../src/project/xmlEdit.js';

const check = (format: XmlFormat, text: string, path = '/p/x.xml'): Problem[] => xmlProblems(parseXmlTree(text), format, path);
const codes = (problems: readonly Problem[]): string[] => problems.map(({ code }) => code);
const inputOf = (infos: string, workunit: string): string =>
	`<input_template>\n${infos}\n<workunit>\n${workunit}\n</workunit>\n</input_template>\n`;
const INFO = '<file_info><physical_name>a_1</physical_name><sticky/><no_delete/></file_info>';
const REF = '<file_ref><open_name>a</open_name><copy_file/></file_ref>';
const outputOf = (info: string, ref: string): string =>
	`<output_template>\n<file_info>\n${info}\n</file_info>\n<result>\n<file_ref>\n${ref}\n</file_ref>\n</result>\n</output_template>\n`;
const OUT = '<name><OUTFILE_0/></name><max_nbytes>1e8</max_nbytes><url><UPLOAD_URL/></url>';
const OUT_REF = '<file_name><OUTFILE_0/></file_name><open_name>out</open_name><copy_file/>';
const configOf = (daemons: string, config = ''): string => `<boinc><config>${config}</config><daemons>
<daemon><cmd>feeder -d 3</cmd></daemon><daemon><cmd>transitioner -d 3</cmd></daemon>${daemons}</daemons></boinc>`;
const classOf = (inner: string): string => `<plan_classes><plan_class>${inner}</plan_class></plan_classes>`;
const fileOf = (inner: string): string => `<file><physical_name>w_22</physical_name><main_program/></file><file>${inner}</file>`;
const DOCKER_PATH = '/p/apps/a/1.00/x86_64-pc-linux-gnu__docker/version.xml';

describe('what is right has no findings', () => {
	test.each<[XmlFormat, string, string?]>([
		['input-template', inputOf(INFO, REF)],
		[
			'input-template',
			inputTemplate(
				[
					{ openName: 'a', physicalName: 'b_1', sticky: true },
					{ openName: 'c', sticky: false },
				],
				'http://x/',
			),
		],
		['input-template', '<file_info></file_info><workunit><file_ref><open_name>x</open_name><copy_file/></file_ref></workunit>'],
		['output-template', outputOf(OUT, OUT_REF)],
		[
			'config',
			configOf(
				'<daemon><cmd>sample_trivial_validator --app a -d 3</cmd></daemon><daemon><cmd>script_assimilator --app a --script collect_a</cmd></daemon>',
				'<master_url>http://x/</master_url><host>a</host>',
			),
		],
		['project', '<boinc><app><name>a</name><user_friendly_name>A</user_friendly_name></app></boinc>'],
		['plan-classes', classOf('<name>docker_mt</name><docker/><max_threads>16</max_threads>')],
		['plan-classes', classOf('<name>vbox64_mt</name><virtualbox/><is64bit/><vm_accel_required/>')],
		[
			'version',
			`<version>${fileOf('<physical_name>d_1</physical_name><logical_name>Dockerfile</logical_name><copy_file/>')}</version>`,
			DOCKER_PATH,
		],
		[
			'vbox-job',
			'<vbox_job><memory_size_mb>2048</memory_size_mb><share_slot_dir/><completion_trigger_file>done</completion_trigger_file></vbox_job>',
		],
	])('%s %#', (format, text, path) => {
		expect(check(format, text, path).map(({ code, message }) => `${code}: ${message}`)).toEqual([]);
	});

	it('nor has the output template that we make, but for its slash', () => {
		expect(codes(check('output-template', outputTemplate(1e8)))).toEqual(['output-slash']);
	});
});

describe('each trap is found where it is', () => {
	test.each<[XmlFormat, string, string, string, string?]>([
		['input-template', 'input-self-closed', '<file_info/>', inputOf('<file_info/>', REF)],
		[
			'input-template',
			'input-no-delete',
			'<file_info>',
			inputOf('<file_info><physical_name>a_1</physical_name></file_info>', REF),
		],
		['input-template', 'input-count', '<workunit>', inputOf(INFO + INFO, REF)],
		['input-template', 'input-copy-file', '<file_ref>', inputOf(INFO, '<file_ref><open_name>a</open_name></file_ref>')],
		[
			'input-template',
			'input-copy-file-form',
			'<copy_file>',
			inputOf(INFO, '<file_ref><open_name>a</open_name><copy_file></copy_file></file_ref>'),
		],
		['input-template', 'input-open-name', '<file_ref>', inputOf(INFO, '<file_ref></file_ref>')],
		['input-template', 'input-open-name-twice', 'a', inputOf(INFO + INFO, REF + REF)],
		[
			'input-template',
			'input-open-name-path',
			'../a',
			inputOf(INFO, '<file_ref><open_name>../a</open_name><copy_file/></file_ref>'),
		],
		['input-template', 'input-gzip-constant', '<gzip/>', inputOf(INFO.replace('<sticky/>', '<gzip/>'), REF)],
		['input-template', 'input-no-effect', '<credit>', inputOf(INFO, `${REF}<credit>5</credit>`)],
		['input-template', 'input-bound-two-minutes', '1e9', inputOf(INFO, `${REF}<rsc_fpops_bound>1e9</rsc_fpops_bound>`)],
		[
			'input-template',
			'input-bound-below-estimate',
			'1e12',
			inputOf(INFO, `${REF}<rsc_fpops_est>1e13</rsc_fpops_est><rsc_fpops_bound>1e12</rsc_fpops_bound>`),
		],
		['input-template', 'input-no-retry', '1', inputOf(INFO, `${REF}<max_total_results>1</max_total_results>`)],
		[
			'input-template',
			'input-quorum',
			'1',
			inputOf(INFO, `${REF}<min_quorum>2</min_quorum><target_nresults>1</target_nresults>`),
		],
		['input-template', 'input-no-workunit', '<input_template>', `<input_template>${INFO}</input_template>`.replace(INFO, '')],
		['input-template', 'input-too-long', '<file_info>', `<!--${'x'.repeat(66_000)}-->${INFO}<workunit>${REF}</workunit>`],
		['input-template', 'template-quote', "'", inputOf(INFO, `${REF}<command_line>--x 'a b"</command_line>`)],
		['input-template', 'template-backslash', '\\', inputOf(INFO, `${REF}<command_line>a\\n</command_line>`)],
		['input-template', 'name-characters', 'a b', inputOf(INFO.replace('a_1', 'a b'), REF)],
		['input-template', 'not-a-number', 'many', inputOf(INFO, `${REF}<min_quorum>many</min_quorum>`)],
		['input-template', 'element-twice', '<batch>', inputOf(INFO, `${REF}<batch>1</batch><batch>2</batch>`)],
		[
			'input-template',
			'element-unknown',
			'<file_inf>',
			`<input_template><file_inf></file_inf>${INFO}<workunit>${REF}</workunit></input_template>`,
		],
		['input-template', 'xml-not-closed', '<file_ref>', inputOf(INFO, '<file_ref><open_name>a</open_name><copy_file/>')],
		['input-template', 'xml-end', '</foo>', inputOf(INFO, `${REF}</foo>`)],
		['input-template', 'xml-bracket', '<', inputOf(INFO, `${REF}<command_line>a < b</command_line>`)],
		['output-template', 'output-line-feed', '<result>', outputOf(OUT, OUT_REF).replace('<result>\n', '<result>')],
		['output-template', 'output-line-feed', '<result>', outputOf(OUT, OUT_REF).replace('<result>\n', '<result> \n')],
		['output-template', 'output-line-feed', '<file_info>', outputOf(OUT, OUT_REF).replace('<file_info>\n', '<file_info>')],
		['output-template', 'output-crlf', '<output_template>', outputOf(OUT, OUT_REF).replaceAll('\n', '\r\n')],
		['output-template', 'output-not-first', '<output_template>', `<?xml version="1.0"?>\n${outputOf(OUT, OUT_REF)}`],
		['output-template', 'output-max-nbytes', '<file_info>', outputOf(OUT.replace('<max_nbytes>1e8</max_nbytes>', ''), OUT_REF)],
		['output-template', 'output-max-nbytes', '<file_info>', outputOf(OUT.replace('1e8', '0'), OUT_REF)],
		['output-template', 'output-url', '<file_info>', outputOf(OUT.replace('<url><UPLOAD_URL/></url>', ''), OUT_REF)],
		['output-template', 'output-name', '<name>', outputOf(OUT.replace('<OUTFILE_0/>', 'result.tgz'), OUT_REF)],
		['output-template', 'output-reference', '<file_name>', outputOf(OUT, OUT_REF.replace('OUTFILE_0', 'OUTFILE_1'))],
		['output-template', 'output-no-reference', '<file_info>', outputOf(OUT, OUT_REF.replace('OUTFILE_0', 'OUTFILE_1'))],
		['output-template', 'output-copy-file', '<file_ref>', outputOf(OUT, OUT_REF.replace('<copy_file/>', ''))],
		['output-template', 'output-open-name', '<file_ref>', outputOf(OUT, OUT_REF.replace('<open_name>out</open_name>', ''))],
		['output-template', 'output-slash', 'shared/out', outputOf(OUT, OUT_REF.replace('>out<', '>shared/out<'))],
		['output-template', 'output-no-result', '<file_info>', `<file_info>\n${OUT}</file_info>`],
		[
			'config',
			'config-pid-file',
			'<daemon>',
			configOf('<daemon><cmd>x_validator --app a</cmd></daemon><daemon><cmd>x_validator --app b</cmd></daemon>'),
		],
		[
			'config',
			'config-tokens',
			' files',
			configOf('<daemon><cmd>script_assimilator --app a --script "collect files"</cmd></daemon>'),
		],
		['config', 'config-shell', 'a > b', configOf('<daemon><cmd>a > b</cmd></daemon>')],
		['config', 'config-no-command', '<daemon>', configOf('<daemon></daemon>')],
		['config', 'config-no-assimilator', '<daemon>', configOf('<daemon><cmd>x_validator --app a</cmd></daemon>')],
		[
			'config',
			'config-race',
			'<daemon>',
			configOf('<daemon><cmd>x_assimilator --app a</cmd></daemon><daemon><cmd>y_assimilator --app a</cmd></daemon>'),
		],
		[
			'config',
			'config-dummy',
			'<daemon>',
			configOf('<daemon><cmd>sample_dummy_assimilator --app a</cmd></daemon><daemon><cmd>file_deleter</cmd></daemon>'),
		],
		['config', 'config-no-feeder', '<daemons>', '<boinc><daemons></daemons></boinc>'],
		['config', 'config-no-transitioner', '<daemons>', '<boinc><daemons></daemons></boinc>'],
		['config', 'config-master-url', 'http://x', configOf('', '<master_url>http://x</master_url>')],
		['config', 'config-user-filter', '<user_filter>', configOf('', '<user_filter>1</user_filter>')],
		['config', 'config-cgi-url', '<cgi_url>', configOf('', '<cgi_url>x</cgi_url>')],
		['config', 'config-fanout', '0', configOf('', '<uldl_dir_fanout>0</uldl_dir_fanout>')],
		['config', 'config-host', 'a.b', configOf('', '<host>a.b</host>')],
		['config', 'config-month', '1 month', '<boinc><tasks><task><cmd>x</cmd><period>1 month</period></task></tasks></boinc>'],
		[
			'project',
			'project-quote',
			"O'Neil",
			"<boinc><app><name>a</name><user_friendly_name>O'Neil</user_friendly_name></app></boinc>",
		],
		['project', 'project-twice', 'a', '<boinc><app><name>a</name></app><app><name>a</name></app></boinc>'],
		['project', 'project-min-version', '<min_version>', '<boinc><app><name>a</name><min_version>1</min_version></app></boinc>'],
		['plan-classes', 'plan-class-docker', 'container', classOf('<name>container</name><docker/>')],
		['plan-classes', 'plan-class-vbox', 'vm64', classOf('<name>vm64</name><virtualbox/><is64bit/><vm_accel_required/>')],
		['plan-classes', 'plan-class-name', '<plan_class>', classOf('<docker/>')],
		[
			'plan-classes',
			'plan-class-twice',
			'docker',
			'<plan_classes><plan_class><name>docker</name></plan_class><plan_class><name>docker</name></plan_class></plan_classes>',
		],
		['plan-classes', 'plan-class-underscores', 'a__b', classOf('<name>a__b</name>')],
		['plan-classes', 'plan-class-gpu', 'docker_nvidia', classOf('<name>docker_nvidia</name><docker/>')],
		['plan-classes', 'plan-class-64', '<is64bit/>', classOf('<name>docker</name><docker/><is64bit/>')],
		['plan-classes', 'plan-class-no-64', '<plan_class>', classOf('<name>vbox</name><virtualbox/><vm_accel_required/>')],
		['plan-classes', 'plan-class-accel', '<plan_class>', classOf('<name>vbox</name><virtualbox/><is64bit/>')],
		['version', 'version-main', '<version>', '<version><file><physical_name>a_1</physical_name></file></version>'],
		['version', 'version-name', '<file>', `<version>${fileOf('')}</version>`],
		['version', 'version-name-fixed', 'abc', `<version>${fileOf('<physical_name>abc</physical_name>')}</version>`],
		['version', 'version-name-twice', 'w_22', `<version>${fileOf('<physical_name>w_22</physical_name>')}</version>`],
		['version', 'version-copy-file', '<file>', `<version>${fileOf('<physical_name>d_1</physical_name>')}</version>`, DOCKER_PATH],
		['version', 'version-number', '<version>', '<version></version>', '/p/apps/a/1.2/windows_x86_64/version.xml'],
		['version', 'version-folder', '<version>', '<version></version>', '/p/apps/a/1.02/windows_x86_64__a__b/version.xml'],
		['vbox-job', 'vbox-root', '<vbox>', '<vbox></vbox>'],
		['vbox-job', 'vbox-clash', '<share_slot_dir/>', '<vbox_job><share_slot_dir/><enable_shared_directory/></vbox_job>'],
		['vbox-job', 'vbox-clash', '<share_project_dir/>', '<vbox_job><share_project_dir/><enable_scratch_directory/></vbox_job>'],
		['vbox-job', 'vbox-copy', '<copy_to_shared>', '<vbox_job><copy_to_shared>a</copy_to_shared></vbox_job>'],
		[
			'vbox-job',
			'vbox-trigger',
			'<completion_trigger_file>',
			'<vbox_job><completion_trigger_file>x</completion_trigger_file></vbox_job>',
		],
		['vbox-job', 'vbox-end', '<vbox_job>', '<vbox_job></vbox_job>'],
		[
			'vbox-job',
			'vbox-duration',
			'60',
			'<vbox_job><share_slot_dir/><job_duration>60</job_duration><fraction_done_filename>f</fraction_done_filename></vbox_job>',
		],
		['vbox-job', 'vbox-memory', '100', '<vbox_job><memory_size_mb>100</memory_size_mb></vbox_job>'],
		['vbox-job', 'vbox-floppy', '<enable_floppyio/>', '<vbox_job><enable_floppyio/></vbox_job>'],
		['vbox-job', 'vbox-port', '0', '<vbox_job><port_forward><host_port>0</host_port></port_forward></vbox_job>'],
	])('%s: %s', (format, code, at, text, path) => {
		const found = check(format, text, path).filter((each) => each.code === code);
		expect(found.map(({ start, end }) => text.slice(start, end))).toContain(at);
		for (const { message, link } of found) {
			expect(message).toMatch(/^[A-Z<“/a-z].*[.?]$/s);
			if (!code.startsWith('xml-')) {
				expect(link).toMatch(/^https:\/\/github\.com\/BOINC\/boinc\/blob\/master\//);
			}
		}
		// A fix takes the finding away and leaves XML.
		const [fix] = found.flatMap((each) => each.fixes ?? []);
		if (fix) {
			const mended = applyEdits(text, fix.edits);
			const left = check(format, mended, path);
			expect(left.filter((each) => each.code === code).length).toBeLessThan(found.length);
			if (!code.startsWith('xml-')) {
				expect(left.filter((each) => each.code.startsWith('xml-'))).toEqual([]);
			}
		}
	});

	it('knows entities, comments and CDATA', () => {
		expect(
			codes(check('input-template', inputOf(INFO, `<!-- it's <a> -->${REF}<command_line><![CDATA[a<b]]> &lt;</command_line>`))),
		).toEqual([]);
	});
});

describe('Dockerfiles for volunteers', () => {
	const GOOD =
		'FROM python:3.13-slim\nCOPY main.py /app/main.py\nUSER 1000\nCMD ["python", "/app/main.py", "/root/shared/results/out"]\n';
	it('a good one has no findings', () => {
		expect(dockerfileProblems(GOOD)).toEqual([]);
	});

	const rules: [code: string, file: string][] = [
		['latest', GOOD.replace(':3.13-slim', '')],
		['latest', GOOD.replace(':3.13-slim', ':latest')],
		['architecture', GOOD.replace('python:', 'arm32v7/python:')],
		['architecture', GOOD.replace('FROM ', 'FROM --platform=linux/riscv64 ')],
		['windows', 'FROM mcr.microsoft.com/windows/nanoserver:1\nCMD ["/root/shared/results"]'],
		['no-from', 'RUN true\n'],
		['no-command', 'FROM a:1\nUSER 1000\n'],
		['root', 'FROM a:1\nCMD ["/root/shared/results"]\n'],
		['root', GOOD.replace('1000', 'root')],
		['expose', GOOD.replace('USER', 'EXPOSE 80\nUSER')],
		['volume', GOOD.replace('USER', 'VOLUME /data\nUSER')],
		['healthcheck', GOOD.replace('USER', 'HEALTHCHECK CMD true\nUSER')],
		['stopsignal', GOOD.replace('USER', 'STOPSIGNAL 9\nUSER')],
		['onbuild', GOOD.replace('USER', 'ONBUILD RUN true\nUSER')],
		['maintainer', GOOD.replace('USER', 'MAINTAINER x\nUSER')],
		['workdir', GOOD.replace('USER', 'WORKDIR /root/shared\nUSER')],
		['workdir-relative', GOOD.replace('USER', 'WORKDIR app\nUSER')],
		['apt-lists', GOOD.replace('USER', 'RUN apt-get install -y x\nUSER')],
		['apt-recommends', GOOD.replace('USER', 'RUN apt-get install -y x\nUSER')],
		['apk-cache', GOOD.replace('USER', 'RUN apk add x\nUSER')],
		['pip-cache', GOOD.replace('USER', 'RUN pip install x\nUSER')],
		['conda-cache', GOOD.replace('USER', 'RUN conda install x\nUSER')],
		['build-tools', GOOD.replace('USER', 'RUN apk add --no-cache gcc\nUSER')],
		['sudo', GOOD.replace('USER', 'RUN sudo x\nUSER')],
		['pipe-shell', GOOD.replace('USER', 'RUN curl https://x | sh\nUSER')],
		['upgrade', GOOD.replace('USER', 'RUN apt-get upgrade -y\nUSER')],
		['chmod', GOOD.replace('USER', 'RUN chmod -R 777 /x\nUSER')],
		['error-text', GOOD.replace('USER', 'RUN make || echo "Error: nothing was made"\nUSER')],
		['add-url', GOOD.replace('USER', 'ADD https://x/y /y\nUSER')],
		['copy-all', GOOD.replace('main.py /app/main.py', '. /app')],
		['secret-file', GOOD.replace('USER', 'COPY .env /app/\nUSER')],
		['hidden', GOOD.replace('USER', 'COPY x /root/shared/x\nUSER')],
		['secret', GOOD.replace('USER', 'ENV API_KEY=abc\nUSER')],
		['secret', GOOD.replace('USER', 'ARG X=AKIAABCDEFGHIJKLMNOP\nUSER')],
		['reserved', GOOD.replace('USER', 'ENV B2D_INDEX=1\nUSER')],
		['twice', `${GOOD}CMD ["/root/shared/x"]\n`],
		['network', GOOD.replace(/CMD.*/, 'CMD ["sh", "-c", "curl x > /root/shared/results/x"]')],
		['shell-form', GOOD.replace(/CMD.*/, 'ENTRYPOINT run /root/shared/results')],
		['daemon', GOOD.replace(/CMD.*/, 'CMD ["systemctl", "start", "/root/shared/results"]')],
		['results', GOOD.replace('/root/shared/results/out', '/output')],
		['results', GOOD.replace(', "/root/shared/results/out"', '')],
		['path', GOOD.replace('"/app/main.py"', '"/home/me/main.py"')],
	];
	test.each(rules)('%s', (code, text) => {
		const found = dockerfileProblems(text).filter((each) => each.code === `docker-${code}`);
		expect(found.length).toBeGreaterThan(0);
		for (const { start, end, fixes, link } of found) {
			expect(text.slice(start, end).trim()).not.toBe('');
			expect(link).toMatch(/^https:/);
			for (const fix of fixes ?? []) {
				expect(
					dockerfileProblems(applyEdits(text, fix.edits)).filter((each) => each.code === `docker-${code}`).length,
				).toBeLessThan(found.length);
			}
		}
	});

	it('there are at least twenty of them', () => {
		expect(new Set(rules.map(([code]) => code)).size).toBeGreaterThanOrEqual(20);
	});

	it('stages before the last one may hold what they like', () => {
		expect(
			codes(
				dockerfileProblems(
					`FROM gcc:14 AS build\nRUN apt-get install -y cmake\nEXPOSE 1\n${GOOD.replace('COPY', 'COPY --from=build')}`,
				),
			),
		).toEqual([]);
	});
});

describe('job.toml', () => {
	it('a good one has no findings', () => {
		expect(
			tomlProblems('# c\nworkdir = "/boinc" # here\nimage_name = "boinc__x"\nuse_gpu = true\nmount = ["a:b", "c:d"]\r\n'),
		).toEqual([]);
	});
	test.each([
		['toml-table', '[a]', '[a]'],
		['toml-syntax', 'what', 'what'],
		['toml-twice', 'verbos', 'use_gpu = true\nuse_gpu = true'],
		['toml-unknown', 'wordir', 'wordir = "x"'],
		['toml-unknown', 'slot_dir_mount', 'slot_dir_mount = "x"'],
		['toml-type', '"true"', 'use_gpu = "true"'],
		['toml-image-tag', '"boinc__a:1"', 'image_name = "boinc__a:1"'],
		['toml-image-name', '"mine"', 'image_name = "mine"'],
		['toml-image-case', '"boinc__A"', 'image_name = "boinc__A"'],
		['toml-privileged', '"--privileged"', 'create_args = "--privileged"'],
		['toml-verbose', '2', 'verbose = 2'],
		['toml-long', '', `create_args = "${'x'.repeat(301)}"`],
	])('%s', (code, at, text) => {
		const found = tomlProblems(text).filter((each) => each.code === code);
		expect(found).toHaveLength(1);
		if (code !== 'toml-long' && code !== 'toml-twice') {
			expect(text.slice(found[0]?.start, found[0]?.end)).toBe(at);
		}
	});
});
