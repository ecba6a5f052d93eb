import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';

import { measuredResources } from '../../../src/job/localRun/measured.js';
import { applyEdits, editSection } from '../../../src/job/schema/editSection.js';
import { readYamlTree, valueOf } from '../../../src/project/yaml/yamlTree.js';

const edited = async (text: string, values: Record<string, string>): Promise<string> =>
	applyEdits(text, await editSection(text, 'resources', values));

describe('measured values in a job file', () => {
	test.each([
		['absent', 'image: x # mine\n', 'image: x # mine\nresources:\n  memory: 2 GB\n'],
		['without a last line end', 'image: x', 'image: x\nresources:\n  memory: 2 GB\n'],
		['empty', 'resources: # none yet\nimage: x\n', 'resources: # none yet\n  memory: 2 GB\nimage: x\n'],
		['empty braces', 'resources: {}\n', 'resources:\n  memory: 2 GB\n'],
		[
			'in lines',
			'resources:\n    time: 3 h # long\n    # the end\nimage: x\n',
			'resources:\n    time: 3 h # long\n    memory: 2 GB\n    # the end\nimage: x\n',
		],
		['replaced', 'resources:\n  memory: 1 GB # too little\n', 'resources:\n  memory: 2 GB # too little\n'],
		['without a value', 'resources:\n  memory:\n  time: 1 h\n', 'resources:\n  memory: 2 GB\n  time: 1 h\n'],
		['in braces', 'resources: { time: 3 h } # all\n', 'resources: { time: 3 h, memory: 2 GB } # all\n'],
		['at the end', 'resources:\n  time: 3 h', 'resources:\n  time: 3 h\n  memory: 2 GB'],
	])('section %s', async (_, before, after) => {
		expect(await edited(before, { memory: '2 GB' })).toBe(after);
	});

	it('property: the values are read back, and no comment or other line is lost', async () => {
		const comment = fc.constantFrom('', ' # why', ' # more: {text}');
		const key = fc.constantFrom('memory', 'disk', 'time', 'max_output', 'deadline');
		const file = fc.record({
			keys: fc.uniqueArray(fc.tuple(key, comment), { selector: ([name]) => name, minLength: 1 }),
			values: fc.dictionary(key, fc.constantFrom('700 MB', '1.5 h'), { minKeys: 1, maxKeys: 4 }),
			indent: fc.constantFrom('  ', '    '),
			tail: fc.constantFrom('', 'image: x # last\n', '# only a comment\n'),
		});
		await fc.assert(
			fc.asyncProperty(file, async ({ keys, values, indent, tail }) => {
				const text = `# top\nname: a\nresources: # here\n${keys.map(([name, note]) => `${indent}${name}: 1 GB${note}\n`).join('')}${tail}`;
				const after = await edited(text, values);
				const section = valueOf((await readYamlTree(after)).root, 'resources');
				for (const [name, value] of Object.entries(values)) {
					expect(valueOf(section, name)).toMatchObject({ text: value });
				}
				const comments = (all: string): string[] => all.split('\n').flatMap((line) => /#.*$/.exec(line) ?? []);
				expect(comments(after)).toEqual(comments(text));
				expect(after.split('\n').length - text.split('\n').length).toBe(
					Object.keys(values).filter((name) => !keys.some(([known]) => known === name)).length,
				);
			}),
		);
	});
});

test('what was measured is suggested with a margin, rounded up to two digits', () => {
	const report = {
		...{ exitCode: 0, seconds: 100, peakMemoryBytes: 1e9, diskBytes: 200e6, outputBytes: 3e6, imageBytes: 50e6 },
		...{ resultFile: undefined, notes: [], job: 'b2d_0_000000', resources: {} as never },
	};
	expect(measuredResources(report)).toEqual({ memory: '1.5 GB', disk: '360 MB', time: '2.5 min', max_output: '6 MB' });
	expect(measuredResources({ ...report, peakMemoryBytes: 0, seconds: 5000, outputBytes: 0, diskBytes: 1 })).toEqual({
		...{ disk: '160 MB', time: '2.1 h', max_output: '1 MB' },
	});
});
