import { describe, expect, it } from 'vitest';

import { type InputFile, InputTemplate, type StagedInfo, TemplateError } from '../../../src/sandbox/inputTemplate.js';
import { outputFiles, processOutputTemplate } from '../../../src/sandbox/outputTemplate.js';

const staged: StagedInfo = {
	md5: 'b1946ac92492d2347c6235b4d2611184',
	size: 6,
	url: 'http://p/download/314/NAME',
	gzippedSize: undefined,
};
const process = (template: string, files: readonly InputFile[] = [], commandLine = '', subAppName?: string) =>
	new InputTemplate(template).fill({
		files,
		commandLine,
		subAppName,
		findStaged: (name) => Promise.resolve({ ...staged, url: staged.url.replace('NAME', name) }),
	});
const refused = async (template: string, files: readonly InputFile[] = [], commandLine = ''): Promise<string> => {
	try {
		await process(template, files, commandLine);
	} catch (error) {
		expect(error).toBeInstanceOf(TemplateError);
		return error instanceof TemplateError ? error.message : '';
	}
	throw new Error('The template was accepted.');
};
const ONE = '<file_info></file_info>\n<workunit><file_ref><open_name>in</open_name></file_ref></workunit>';

describe('input templates', () => {
	it('become what the real create_work stores', async () => {
		const { xmlDoc, numbers } = await process(
			`<input_template>
  <file_info>
    <physical_name>const_1.txt</physical_name>
    <sticky/><no_delete/>
  </file_info>
  <file_info>
    <executable/>
    <foo>bar</foo>
  </file_info>
  <workunit>
    <file_ref><open_name>layers</open_name><copy_file/></file_ref>
    <file_ref><open_name>in.json</open_name><optional/><copy_file/></file_ref>
    <rsc_fpops_est>1e13</rsc_fpops_est>
    <max_error_results>3</max_error_results>
    <credit>4</credit>
  </workunit>
</input_template>
`,
			['in_1.txt'],
			'x y',
		);
		expect(numbers).toEqual({ rsc_fpops_est: 1e13, max_error_results: 3 });
		expect(xmlDoc).toBe(`<file_info>
<sticky/>
<no_delete/>
    <name>const_1.txt</name>
    <url>http://p/download/314/const_1.txt</url>
    <md5_cksum>b1946ac92492d2347c6235b4d2611184</md5_cksum>
    <nbytes>6</nbytes>
</file_info>
<file_info>
<executable/>
<foo>bar</foo>
    <name>in_1.txt</name>
    <url>http://p/download/314/in_1.txt</url>
    <md5_cksum>b1946ac92492d2347c6235b4d2611184</md5_cksum>
    <nbytes>6</nbytes>
</file_info>
<workunit>
<command_line>
x y
</command_line>
<file_ref>
    <file_name>const_1.txt</file_name>
    <open_name>layers</open_name>
    <copy_file/>
</file_ref>
<file_ref>
    <file_name>in_1.txt</file_name>
    <open_name>in.json</open_name>
<optional/>
    <copy_file/>
</file_ref>
<credit>4</credit>
</workunit>`);
	});

	it('take remote files from the option or from the template', async () => {
		const option = await process(ONE, [{ url: 'http://x/z', size: 12, md5: '0'.repeat(32) }]);
		expect(option.xmlDoc).toContain(`<name>jf_${'0'.repeat(32)}</name>\n    <url>http://x/z</url>`);
		const template = await process(
			`<file_info><url>http://a/</url><url>http://b/</url><md5_cksum>ab</md5_cksum><nbytes>5</nbytes></file_info>${ONE.slice(24)}`,
			['far'],
		);
		expect(template.xmlDoc).toContain(
			'<url>http://a/far</url>\n    <url>http://b/far</url>\n    <md5_cksum>ab</md5_cksum>\n    <nbytes>5</nbytes>',
		);
	});

	it('keep the oddities: only the short form of copy_file counts, and a file without a name needs it', async () => {
		const { xmlDoc } = await process(
			'<file_info></file_info><workunit><file_ref><open_name>in</open_name><copy_file></copy_file></file_ref></workunit>',
			['a'],
		);
		expect(xmlDoc).toContain('<open_name>in</open_name>\n<copy_file></copy_file>\n</file_ref>');
		const unnamed = await process('<file_info/><file_info></file_info><workunit><file_ref><copy_file/></file_ref></workunit>', [
			'a',
		]);
		expect(unnamed.xmlDoc).toContain('    <copy_file/>\n    <open_name>a</open_name>\n');
		const prolog = await process('<!-- c --><?xml version="1.0"?>\n<workunit><command_line>-a &lt; b</command_line></workunit>');
		expect(prolog.xmlDoc).toBe(
			'<workunit>\n<command_line>\n\n</command_line>\n<command_line>\n-a < b\n</command_line>\n</workunit>',
		);
		expect((await process('<workunit></workunit>', [], '', 'foo bar')).xmlDoc).toContain(
			'   <sub_appname>foo bar</sub_appname>\n',
		);
	});

	it.each([
		['<file_info></file_info>', ['a'], 'bad WU template - no <workunit>'],
		[ONE, [], 'Too few var input files given; need at least 1'],
		[ONE, ['a', 'b'], '2 input files given, but template has 1'],
		['<file_info/><workunit><file_ref><open_name>a</open_name></file_ref></workunit>', [], 'too many <file_ref>s'],
		['<file_info></file_info><workunit></workunit>', ['a'], '#file refs != #file infos'],
		['<file_info></file_info><workunit><file_ref></file_ref></workunit>', ['a'], 'No open name found'],
		[
			'<file_info><gzip/></file_info><workunit><file_ref><open_name>a</open_name></file_ref></workunit>',
			['a'],
			'missing gzip file',
		],
	])('%s with %j is refused', async (template, files, message) => {
		expect(await refused(template, files)).toContain(message);
	});

	it('refuse a second command line and a document that is too long', async () => {
		const template = '<workunit><command_line>a b</command_line></workunit>';
		expect(await refused(template, [], 'c')).toBe("Can't specify command line a b; already specified as c");
		expect(await refused(`<workunit><x>${'y'.repeat(66_000)}</x></workunit>`)).toContain('too long');
	});
});

describe('output templates', () => {
	const BODY = `<file_info>
<name><OUTFILE_0/>.tgz</name>
<url><UPLOAD_URL/></url>
</file_info>
<result>
<file_ref><file_name><OUTFILE_0/>.tgz</file_name><open_name>shared/a</open_name><copy_file/></file_ref>
</result>`;

	it('get names and the address', () => {
		expect(processOutputTemplate(`<output_template>\n${BODY}\n</output_template>\n`, 'job_0', 17, 'http://u')).toBe(
			BODY.replaceAll('<OUTFILE_0/>', 'job_0_r17_0').replace('<UPLOAD_URL/>', 'http://u'),
		);
	});

	it('lose as many characters as the outer tag has, wherever it stands', () => {
		const odd = processOutputTemplate('<?xml version="1.0"?>\n<output_template>\nx</output_template>', 'j', 1, 'u');
		expect(odd).toBe('0"?>\n<output_template>\nx');
		expect(processOutputTemplate('  <output_template>\nx</output_template>', 'j', 1, 'u')).toBe('e>\nx');
		expect(processOutputTemplate(' x ', 'j', 1, 'u')).toBe('x');
	});

	it('name the outputs with their properties', () => {
		const xml =
			'<file_info><name>a</name><no_delete/></file_info><file_info><name>b</name></file_info><result>' +
			'<file_ref><file_name>a</file_name><open_name>out</open_name></file_ref>' +
			'<file_ref><file_name>b</file_name><open_name>log</open_name><optional/><no_validate>1</no_validate></file_ref></result>';
		expect(outputFiles(xml)).toEqual([
			{ name: 'a', openName: 'out', optional: false, noValidate: false, noDelete: true },
			{ name: 'b', openName: 'log', optional: true, noValidate: true, noDelete: false },
		]);
	});
});
