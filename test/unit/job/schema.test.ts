import { readFileSync } from 'node:fs';
import path from 'node:path';

import { expect, it } from 'vitest';

import { expandJobFile } from '../../../src/job/expandJobFile.js';
import { parseJobFile } from '../../../src/job/jobFile.js';
import { checkFile } from '../../../src/job/schema/checkFile.js';
import { generatedFiles } from '../../../src/job/schema/generated.js';
import { KEYS } from '../../../src/job/schema/jobKeys.js';
import type { Key, Shape } from '../../../src/job/schema/shape.js';
import { parseAppFile } from '../../../src/project/appFile.js';
import { readYamlTree } from '../../../src/project/yaml/yamlTree.js';

const root = path.resolve(import.meta.dirname, '../../..');

it.each(Object.entries(generatedFiles()))(
	'syntaxes/%s is what the table of keys makes; else run node scripts/schema.mjs',
	(name, text) => {
		expect(readFileSync(path.join(root, 'syntaxes', name), 'utf8')).toBe(text);
	},
);

it('shows a whole file, which the README has too, that makes as many jobs as it says', async () => {
	const [, example = ''] = /```yaml\n(.*?)```/s.exec(generatedFiles()['boinc2docker.md'] ?? '') ?? [];
	expect(readFileSync(path.join(root, 'README.md'), 'utf8')).toContain(`\`\`\`yaml\n${example}\`\`\``);
	const { sweep } = await expandJobFile(await parseJobFile(example, root));
	expect(sweep?.count).toBe(40);
});

/** All keys with the path to them; each section once. */
function* allKeys(keys: readonly Key[], prefix = '', seen = new Set<Shape>()): Generator<readonly [string, Key]> {
	for (const key of keys) {
		yield [`${prefix}${key.name}`, key];
		for (const inner of sections(key.shape)) {
			if (!seen.has(inner)) {
				seen.add(inner);
				yield* allKeys(inner.keys(), `${prefix}${key.name}.`, seen);
			}
		}
	}
}
function sections(shape: Shape): Extract<Shape, { type: 'section' }>[] {
	return shape.type === 'section'
		? [shape]
		: shape.type === 'either'
			? shape.of.flatMap(sections)
			: shape.type === 'list'
				? sections(shape.of)
				: [];
}
const every = [...allKeys(KEYS)];

it('has the keys of the original and those of the issue', () => {
	const names = every.map(([name]) => name);
	for (const name of [
		...['appname', 'appver', 'iso', 'vboxwrapper', 'resultsdir', 'tmpdir', 'dont_install', 'download_only', 'projhome'],
		...['image', 'dockerfile', 'build_args', 'command', 'entrypoint', 'env', 'before', 'after', 'inputs', 'sweep', 'sweep.name'],
		...['resources.memory', 'resources.gpu', 'network', 'replication.retries', 'resources.deadline', 'priority', 'boinc.target'],
		...['boinc.credit', 'vbox_job_xml', 'job_toml', 'outputs.max_size', 'outputs.files', 'outputs.metrics', 'then'],
	]) {
		expect(names).toContain(name);
	}
});

it.each(every)('%s is explained in sentences, and its example is accepted', async (name, key) => {
	expect(key.doc).toMatch(/^[A-Za-z].*\.$/s);
	expect(key.example).toBeDefined();
	if (name.includes('.') || key.later !== undefined) {
		return; // those inside of sections stand in the examples of their sections
	}
	const tree = await readYamlTree(
		`sweep: { grid: { alpha: [1] } }\n${name === 'sweep' ? '' : `${name}: ${key.example ?? ''}\n`}`,
	);
	const wrong = checkFile(tree).filter(({ code }) => !['without-dockerfile', 'count-and-sweep', 'image-latest'].includes(code));
	expect(wrong).toEqual([]);
});

it('the keys of the installation are read by the installation', async () => {
	const text = KEYS.filter(({ install }) => install)
		.map(({ name, example }) => `${name}: ${example ?? ''}\n`)
		.join('');
	expect(await parseAppFile(text)).toMatchObject({
		app: 'mysci',
		version: '1.02',
		runtimes: ['docker', 'vm'],
		validator: 'bitwise',
	});
});
