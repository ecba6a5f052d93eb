import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';

import type { Problem } from '../common/problem.js';
import { placeholders } from '../job/sweep/names.js';
import { isGiven, valueOf, type YamlNode, type YamlTree } from '../project/yaml/yamlTree.js';
import { ancestors } from './xml/xmlService.js';
import { childOf, childrenOf, nodeAt, parseXmlTree, textOf, textRange, type XmlNode, type XmlTree } from './xml/xmlTree.js';

/** Files that are looked up for one check. */
const MOST_FILES = 50;

const exists = (file: string): Promise<boolean> =>
	stat(file).then(
		() => true,
		() => false,
	);

/**
 * Whether a Dockerfile is for volunteers: a `boinc2docker.yml` lies beside it or in the folder above, or a comment says so:
 * `# boinc2docker`. Other Dockerfiles are none of our business.
 */
export async function isForVolunteers(file: string, text: string): Promise<boolean> {
	if (/^#\s*boinc2docker\b/m.test(text.slice(0, 2000))) {
		return true;
	}
	const folder = path.dirname(file);
	const names = [folder, path.dirname(folder)].flatMap((each) =>
		['yml', 'yaml'].map((end) => path.join(each, `boinc2docker.${end}`)),
	);
	return (await Promise.all(names.map(exists))).some(Boolean);
}

interface NamedFile {
	readonly name: string;
	readonly start: number;
	readonly end: number;
	readonly what: string;
}

/** Findings about files that are named and are not there. */
export const missingFiles = {
	ofJobFile: async ({ root }: YamlTree, file: string): Promise<Problem[]> => {
		const named = [...jobFileNames(root)].slice(0, MOST_FILES);
		return report(named, path.dirname(file));
	},
	ofVersion: async (tree: XmlTree, file: string): Promise<Problem[]> => {
		const named = childrenOf(childOf(tree.root, 'version'), 'file')
			.flatMap((each) => childOf(each, 'physical_name') ?? [])
			.map((node) => ({
				name: textOf(tree, node),
				...textRange(tree, node),
				what: 'update_versions skips the version without it',
			}))
			.filter(({ name }) => name !== '');
		// Elsewhere than in a project the files lie where nobody knows.
		return /\/apps\/[^/]+\/[^/]+\/[^/]+\/version\.xml$/.test(file)
			? [...(await report(named.slice(0, MOST_FILES), path.dirname(file))), ...(await undefinedClass(tree, file))]
			: [];
	},
};

/** The plan class is in the name of the folder; a project without the file has the classes that are built in. */
async function undefinedClass(tree: XmlTree, file: string): Promise<Problem[]> {
	const planClass = path.basename(path.dirname(file)).split('__')[1];
	const version = childOf(tree.root, 'version');
	const spec = classesOf(path.dirname(file));
	if (planClass === undefined || !version || !(await exists(spec)) || (await named(spec, PLAN_CLASS, planClass))) {
		return [];
	}
	return [
		{
			...{ start: version.start, end: version.start + '<version>'.length, code: 'version-plan-class', severity: 'warning' },
			message: `plan_class_spec.xml defines no plan class ${planClass}, and while that file exists, BOINC’s built-in classes do not count: no host gets this version.`,
			remedy: 'Define the class there, or correct the name of the folder.',
		},
	];
}

const PLAN_CLASS = ['plan_classes', 'plan_class'] as const;
/** The plan classes of a project, from the folder of an app version. */
const classesOf = (folder: string): string => path.resolve(folder, '../../../..', 'plan_class_spec.xml');

async function report(named: readonly NamedFile[], folder: string): Promise<Problem[]> {
	const there = await Promise.all(named.map(({ name }) => exists(path.resolve(folder, name))));
	return named
		.filter((_, index) => there[index] !== true)
		.map(({ name, start, end, what }) => ({
			...{ start, end, code: 'file-missing', severity: 'warning' },
			message: `There is no file ${name}: ${what}.`,
			remedy: 'Check the path.',
		}));
}

function* jobFileNames(root: YamlNode | undefined): Generator<NamedFile> {
	for (const [node, what] of [
		[valueOf(root, 'dockerfile'), 'nothing can be built'],
		[valueOf(root, 'context'), 'nothing can be built'],
		[valueOf(root, 'archive'), 'there is no image to send'],
		[valueOf(valueOf(root, 'sweep'), 'table'), 'the sweep has no rows'],
	] as const) {
		if (node?.kind === 'scalar' && isGiven(node) && node.text !== '') {
			yield { name: node.text, start: node.start, end: node.end, what };
		}
	}
	const inputs = valueOf(root, 'inputs');
	const files =
		inputs?.kind === 'map'
			? inputs.pairs.map(({ value }) => value)
			: inputs?.kind === 'list'
				? inputs.items.map((item) => (item.kind === 'map' ? valueOf(item, 'file') : item))
				: [];
	for (const node of files) {
		if (node?.kind === 'scalar' && node.text !== '' && placeholders(node.text).length === 0 && !/[*?]/.test(node.text)) {
			yield { name: node.text, start: node.start, end: node.end, what: 'the jobs lack an input' };
		}
	}
}

/** A place in another file. */
export interface FilePlace {
	readonly file: string;
	readonly text: string;
	readonly start: number;
	readonly end: number;
}

/** What `version.xml` or `config.xml` names at an offset, in the project's other files. */
export async function definitionElsewhere(tree: XmlTree, offset: number, file: string): Promise<FilePlace | undefined> {
	const chain = ancestors(nodeAt(tree.root, offset));
	const name = chain.find((node) => node.name === 'physical_name');
	const folder = path.dirname(file);
	if (name) {
		const target = path.join(folder, textOf(tree, name));
		return (await exists(target)) ? { file: target, text: '', start: 0, end: 0 } : undefined;
	}
	if (chain.some((node) => node.name === 'version')) {
		const planClass = path.basename(folder).split('__')[1];
		return planClass === undefined ? undefined : named(classesOf(folder), PLAN_CLASS, planClass);
	}
	const cmd = chain.find((node) => node.name === 'cmd');
	const app = cmd && /--?app\s+(\S+)/.exec(textOf(tree, cmd))?.[1];
	return app === undefined ? undefined : named(path.join(folder, 'project.xml'), ['boinc', 'app'], app);
}

async function named(file: string, [top = '', entry = '']: readonly string[], name: string): Promise<FilePlace | undefined> {
	let text: string;
	try {
		text = await readFile(file, 'utf8');
	} catch {
		return undefined; // this copy of the project has no such file
	}
	const tree = parseXmlTree(text);
	const label = childrenOf(childOf(tree.root, top), entry)
		.flatMap((node): XmlNode[] => childrenOf(node, 'name'))
		.find((node) => textOf(tree, node) === name);
	return label && { file, text, ...textRange(tree, label) };
}
