import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { BoincError } from '../../../src/common/errors.js';
import { builtinPlanClass } from '../../../src/project/builtinPlanClasses.js';
import { editConfigXml, editPlanClassSpec, editProjectXml } from '../../../src/project/configEdit.js';
import { classWarnings } from '../../../src/project/install/planClassFile.js';
import { childOf, childTextOf, parseWithPositions } from '../../../src/project/xmlPositions.js';

const VALIDATOR = { command: 'sample_trivial_validator --app a -d 3', output: 'validator_a.log', pidFile: 'validator_a.pid' };
const ASSIMILATOR = {
	command: 'script_assimilator --app a -d 3 --script b2d_assimilate_a',
	output: 'assimilator_a.log',
	pidFile: 'assimilator_a.pid',
};
const APP = { app: { name: 'a', friendlyName: 'A & <B>' }, platforms: [] };

const CONFIG = `<?xml version="1.0" ?>
<!-- do not touch -->
<boinc>
    <config>
        <db_passwd>x &amp; y</db_passwd>   <!-- secret -->
    </config>
    <daemons>
        <daemon>
            <cmd>feeder -d 3</cmd>
        </daemon>
    </daemons>
    <tasks/>
</boinc>
`;

/** Texts of any shape that a person or a tool may have left in a project: comments, order, line ends, no indentation. */
const documents = (root: string, container: string | undefined): fc.Arbitrary<string> =>
	fc
		.record({
			eol: fc.constantFrom('\n', '\r\n'),
			bom: fc.constantFrom('', '\uFEFF'),
			prolog: fc.constantFrom('', '<?xml version="1.0" encoding="utf-8"?>', '<!-- one --><!-- <boinc> -->'),
			indent: fc.constantFrom('', '\t', '  ', '    '),
			before: fc.array(
				fc.constantFrom(
					'<x>1</x>',
					'<y a="b">é🙂&lt;</y>',
					'<!-- <app><name>a</name></app> -->',
					'<z/>',
					'<c><![CDATA[<daemons>]]></c>',
					'',
				),
			),
			inside: fc.array(
				fc.constantFrom('<daemon><cmd>feeder -d 3</cmd></daemon>', '<!-- </daemons> -->', '<daemon>\n<cmd>x</cmd></daemon>'),
			),
			empty: fc.constantFrom('self', 'pair', 'absent'),
			after: fc.array(fc.constantFrom('<t> </t>', '<!-- end -->')),
			tail: fc.constantFrom('', '\n', '\n<!-- bye -->\n\n'),
		})
		.map((parts) => {
			const lines = (items: string[], depth: number): string =>
				items.map((item) => `${parts.indent.repeat(depth)}${item}\n`).join('');
			let middle = '';
			if (container !== undefined && parts.inside.length > 0) {
				middle = `${parts.indent}<${container}>\n${lines(parts.inside, 2)}${parts.indent}</${container}>\n`;
			} else if (container !== undefined && parts.empty !== 'absent') {
				middle = parts.empty === 'self' ? `${parts.indent}<${container} />\n` : `${parts.indent}<${container}></${container}>\n`;
			}
			const text = `${parts.prolog}${parts.prolog === '' ? '' : '\n'}<${root}>\n${lines(parts.before, 1)}${middle}${lines(parts.after, 1)}</${root}>${parts.tail}`;
			return parts.bom + text.replaceAll('\n', parts.eol);
		});

/** Whether `before` is `after` with some pieces taken out. */
function isSubsequence(before: string, after: string): boolean {
	let at = 0;
	for (const character of before) {
		at = after.indexOf(character, at);
		if (at < 0) {
			return false;
		}
		at += character.length;
	}
	return true;
}

describe('config.xml', () => {
	test('new daemons stand after the others, indented like them, and nothing else changes', () => {
		const { text, changes } = editConfigXml(CONFIG, [VALIDATOR]);
		expect(text).toBe(
			CONFIG.replace(
				'    </daemons>',
				`        <daemon>
            <cmd>sample_trivial_validator --app a -d 3</cmd>
            <output>validator_a.log</output>
            <pid_file>validator_a.pid</pid_file>
        </daemon>
    </daemons>`,
			),
		);
		expect(changes).toHaveLength(1);
	});

	test('a second edit changes nothing', () => {
		const once = editConfigXml(CONFIG, [VALIDATOR, ASSIMILATOR]).text;
		expect(editConfigXml(once, [VALIDATOR, ASSIMILATOR])).toEqual({ text: once, edits: [], changes: [] });
	});

	test('an entry of ours gets its new command, the rest of it stays', () => {
		const once = editConfigXml(CONFIG, [VALIDATOR]).text.replace('<pid_file>', '<!-- mine --><pid_file>');
		const twice = editConfigXml(once, [{ ...VALIDATOR, command: 'sample_bitwise_validator --app a -d 3' }]).text;
		expect(twice).toBe(once.replace('sample_trivial_validator', 'sample_bitwise_validator'));
	});

	test('makes <daemons> when there is none', () => {
		const { text } = editConfigXml('<boinc>\n  <config/>\n</boinc>\n', [VALIDATOR]);
		expect(text).toContain('  <config/>\n  <daemons>\n    <daemon>\n      <cmd>');
	});

	test('every other byte survives, in files of any shape', () => {
		fc.assert(
			fc.property(documents('boinc', 'daemons'), (before) => {
				const { text, edits } = editConfigXml(before, [VALIDATOR, ASSIMILATOR]);
				const daemons = childOf(parseWithPositions(text, 'after'), 'daemons');
				const commands = daemons?.children.map((daemon) => childTextOf(daemon, 'cmd'));
				expect(commands?.slice(-2)).toEqual([VALIDATOR.command, ASSIMILATOR.command]);
				expect(isSubsequence(before.replace(/<daemons\s*\/>/, '<daemons></daemons>'), text)).toBe(true);
				expect(edits).toHaveLength(1);
				const outside = text.slice(0, edits[0]!.start);
				expect(before.startsWith(outside)).toBe(true);
				expect(text.endsWith(before.slice(edits[0]!.end))).toBe(true);
				if (before.includes('\r\n')) {
					expect(text.replaceAll('\r\n', '')).not.toContain('\n');
				}
				expect(editConfigXml(text, [VALIDATOR, ASSIMILATOR]).text).toBe(text);
			}),
		);
	});
});

describe('project.xml', () => {
	test('adds the app with its name escaped, keeps every other byte', () => {
		fc.assert(
			fc.property(documents('boinc', undefined), (before) => {
				const { text, edits } = editProjectXml(before, APP);
				const app = parseWithPositions(text, 'after').children.find((child) => child.name === 'app');
				expect(app && childTextOf(app, 'user_friendly_name')).toBe('A & <B>');
				expect(edits).toHaveLength(1);
				expect(text).toBe(before.slice(0, edits[0]!.start) + edits[0]!.text + before.slice(edits[0]!.end));
				expect(editProjectXml(text, APP).changes).toEqual([]);
			}),
		);
	});

	test('changes the friendly name and the minimum version of an app that is there', () => {
		const before = '<boinc>\r\n<app> <name> a </name>\r\n <user_friendly_name>Old</user_friendly_name></app></boinc>';
		const { text, changes } = editProjectXml(before, { ...APP, app: { name: 'a', friendlyName: 'New', minVersion: 100 } });
		expect(text).toContain('<user_friendly_name>New</user_friendly_name>');
		expect(text).toContain('<min_version>100</min_version>');
		expect(changes).toHaveLength(2);
	});

	test('adds platforms that are absent only', () => {
		const before = '<boinc><platform><name>windows_x86_64</name><user_friendly_name>Mine</user_friendly_name></platform></boinc>';
		const platforms = [
			{ name: 'windows_x86_64', friendlyName: 'Windows' },
			{ name: 'windows_arm64', friendlyName: 'Windows on ARM' },
		];
		const { text } = editProjectXml(before, { ...APP, platforms });
		expect(text).toContain('<user_friendly_name>Mine</user_friendly_name>');
		expect(text.match(/<name>windows_x86_64<\/name>/g)).toHaveLength(1);
		expect(text).toContain('<name>windows_arm64</name>');
	});
});

describe('plan_class_spec.xml', () => {
	test('a new file defines docker and the built-in classes that are in use', () => {
		const { text } = editPlanClassSpec(undefined, ['', 'mt', 'vbox64_mt', 'opencl_nvidia_101', 'docker']);
		const classes = parseWithPositions(text, 'new').children;
		expect(classes.map((each) => childTextOf(each, 'name'))).toEqual(['docker', 'mt', 'vbox64_mt', 'opencl_nvidia_101']);
		expect(classes[0]!.children.map((child) => child.name)).toEqual(['name', 'docker']);
	});

	test('refuses to switch off a built-in class that it does not know', () => {
		expect(() => editPlanClassSpec(undefined, ['my_own_class'])).toThrow(/my_own_class/);
		expect(() => editPlanClassSpec(undefined, ['toString'])).toThrow(BoincError);
	});

	test('an existing file gets the class docker only, and needs no built-in ones', () => {
		const before = '<plan_classes>\n    <plan_class>\n        <name>  mt </name>\n    </plan_class>\n</plan_classes>\n';
		const { text } = editPlanClassSpec(before, ['mt', 'my_own_class']);
		expect(text).toBe(
			'<plan_classes>\n    <plan_class>\n        <name>  mt </name>\n    </plan_class>\n    <plan_class>\n        <name>docker</name>\n        <docker/>\n    </plan_class>\n</plan_classes>\n',
		);
		expect(editPlanClassSpec(text, []).changes).toEqual([]);
	});

	test('defines the class of virtual machines where they are asked for', () => {
		const { text } = editPlanClassSpec(undefined, ['mt'], ['docker', 'vm']);
		const machine = parseWithPositions(text, 'new').children.find((each) => childTextOf(each, 'name') === 'vbox64_mt')!;
		expect(machine.children.map(({ name }) => name)).toEqual(
			expect.arrayContaining(['virtualbox', 'is64bit', 'vm_accel_required']),
		);
		expect(childTextOf(machine, 'max_threads')).toBe('1');
		expect(editPlanClassSpec(text, [], ['docker', 'vm']).changes).toEqual([]);
		expect(editPlanClassSpec(undefined, [], ['vm']).text).not.toContain('docker');
		const added = editPlanClassSpec(editPlanClassSpec(undefined, []).text, [], ['docker', 'vm']);
		expect(added.changes).toEqual(['add the plan class vbox64_mt']);
	});

	test('leaves the built-in class of virtual machines what it is for the app versions that rely on it', () => {
		const { text } = editPlanClassSpec(undefined, ['vbox64_mt'], ['docker', 'vm']);
		const classes = parseWithPositions(text, 'new').children;
		expect(classes.map((each) => childTextOf(each, 'name'))).toEqual(['docker', 'vbox64_mt']);
		expect(childTextOf(classes[1]!, 'max_threads')).toBe('64');
		expect(classWarnings(undefined, ['vbox64_mt'], ['docker', 'vm'], { cpus: 1 }).join()).toContain('several processors');
	});

	test('refuses a class of virtual machines that asks for none, and tells what an existing one lacks', () => {
		const spec = (inner: string): string =>
			`<plan_classes><plan_class><name> vbox64_mt </name>${inner}</plan_class></plan_classes>`;
		expect(() => editPlanClassSpec(spec(''), [], ['vm'])).toThrow(/<virtualbox\/>/);
		expect(editPlanClassSpec(spec('<virtualbox/>'), [], ['vm']).changes).toEqual([]);
		const warnings = classWarnings(spec('<virtualbox/><max_threads>32</max_threads>'), ['lost'], ['vm'], { cpus: 1 }).join();
		for (const part of ['lost', '<is64bit/>', '<vm_accel_required/>', 'several processors']) {
			expect(warnings).toContain(part);
		}
		expect(classWarnings(spec('<virtualbox/>'), [], ['docker'], { cpus: 1 })).toEqual([]);
	});

	test('refuses a class docker that does not ask for Docker', () => {
		expect(() => editPlanClassSpec('<plan_classes><plan_class><name>docker</name></plan_class></plan_classes>', [])).toThrow(
			/<docker\/>/,
		);
	});
});

test.each([
	['<boinc><config></boinc>', /line 1/],
	['', /no element/],
	['<html/>', /instead of <boinc>/],
	['<boinc>\n&nbsp;</boinc>', /line 2/],
])('a file that cannot be read completely is not edited: %s', (text, message) => {
	expect(() => editConfigXml(text, [VALIDATOR])).toThrow(message);
});

test.each([
	'mt',
	'nci',
	'sse3',
	'cuda',
	'cuda23',
	'cuda_fermi',
	'ati14',
	'opencl_ati_amd_102',
	'opencl_intel_gpu_101',
	'vbox64',
	'vbox32_mt',
	'vbox64_mt_hwaccel',
])('knows the built-in plan class %s', (name) => {
	expect(builtinPlanClass(name)?.children?.[0]).toEqual({ name: 'name', text: name });
});

test('a 64-bit VirtualBox class asks for 64 bits and acceleration', () => {
	const names = builtinPlanClass('vbox64_mt')?.children?.map((child) => child.name);
	expect(names).toEqual(
		expect.arrayContaining(['virtualbox', 'is64bit', 'vm_accel_required', 'max_threads', 'nthreads_cmdline']),
	);
	expect(builtinPlanClass('vbox32')?.children?.map((child) => child.name)).not.toContain('is64bit');
});
