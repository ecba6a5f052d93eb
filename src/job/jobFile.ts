import { isAbsolute, join } from 'node:path';

import { splitCommandLine } from '../common/commandLine.js';
import { BoincError } from '../common/errors.js';
import { given } from '../common/given.js';
import { parseBytes, parseSeconds } from '../common/parseUnits.js';
import type { Problem } from '../common/problem.js';
import { TextPositions } from '../common/textPositions.js';
import { GPU_TEXTS, type GpuNeeds, gpuNeeds, type GpuTexts } from '../project/gpu.js';
import { isGiven, readYamlTree, valueOf, type YamlNode, type YamlTree } from '../project/yaml/yamlTree.js';
import type { ImageSource } from './imageSource.js';
import type { Outputs } from './outputs.js';
import { checkFile } from './schema/checkFile.js';
import type { INPUT_KINDS } from './schema/inputKeys.js';
import type { ContainerRequest } from './submitImage.js';
import { type BoincExtras, NETWORK_POLICIES, type Replication, type Resources } from './types.js';

/** One entry of `inputs` before patterns and folders are looked up. Paths are as in the file. */
export interface InputEntry {
	readonly kind: (typeof INPUT_KINDS)[number];
	/** Path below `/root/shared`. Absent: the file's name. */
	readonly path: string | undefined;
	/** A file, a folder, patterns, or an address. */
	readonly what: readonly string[];
	/** Of a file from the web, in lower-case hex. */
	readonly sha256?: string;
	readonly ignore: readonly string[];
	/** Offset in the file. */
	readonly at: number;
}

/** What a `boinc2docker.yml` says about a batch. What it does not say is up to the caller. */
export interface JobFile {
	readonly request: Partial<Omit<ContainerRequest, 'jobs' | 'tempDir' | 'onLog' | 'inputs'>>;
	readonly inputs: readonly InputEntry[];
	/** Offset in the file of what names the image. */
	readonly imageAt: number | undefined;
	/** The value of `sweep`, checked. */
	readonly sweep: YamlNode | undefined;
	/** Command for this computer when the batch is over. */
	readonly then: readonly string[] | undefined;
	/** Relative paths start from here. */
	readonly folder: string;
	/** As it was read. */
	readonly text: string;
	/** An offset of the file for a person: `boinc2docker.yml, line 3, column 9`. */
	readonly place: (at: number) => string;
	/** The error for something at an offset of the file. */
	readonly problem: (at: number, message: string, remedy?: string) => BoincError;
}

/**
 * Reads the job keys of a `boinc2docker.yml` in `folder`. Keys of the installation are left alone. Rejects with
 * `job-file-invalid` naming line and column of the first few mistakes.
 */
export async function parseJobFile(text: string, folder: string, fileName = 'boinc2docker.yml'): Promise<JobFile> {
	const tree = await readYamlTree(text);
	const problem = problemIn(text, fileName);
	const errors = mistakesOf(tree);
	const [first] = errors;
	if (first) {
		throw problem(first.start, [first.message, ...otherMistakes(text, errors)].join('\n'), first.remedy);
	}
	const root = tree.root;
	return {
		folder,
		text,
		place: (at) => placeIn(text, fileName, at).words,
		problem,
		then: wordsOf(root, 'then'),
		imageAt: ['archive', 'dockerfile'].map((key) => valueOf(root, key)).find(isGiven)?.start,
		sweep: isGiven(valueOf(root, 'sweep')) ? valueOf(root, 'sweep') : undefined,
		inputs: inputsOf(valueOf(root, 'inputs')),
		request: given<JobFile['request']>({
			name: textOf(root, 'name'),
			app: textOf(root, 'app') ?? textOf(root, 'appname'),
			image: imageOf(root, folder),
			command: wordsOf(root, 'command'),
			entrypoint: wordsOf(root, 'entrypoint'),
			before: wordsOf(root, 'before'),
			after: wordsOf(root, 'after'),
			env: textsByName(valueOf(root, 'env')),
			outputs: outputsOf(valueOf(root, 'outputs')),
			progressFile: textOf(root, 'progress_file'),
			network: NETWORK_POLICIES.find((policy) => policy === textOf(root, 'network')),
			vboxJobXml: textOf(root, 'vbox_job_xml'),
			resources: resourcesOf(root),
			cpus: numberOf(valueOf(root, 'resources'), 'cpus'),
			gpu: gpuOf(valueOf(root, 'resources')),
			replication: replicationOf(valueOf(root, 'replication')),
			createArgs: textOf(valueOf(root, 'job_toml'), 'create_args'),
			count: numberOf(root, 'count'),
			priority: numberOf(root, 'priority'),
			boinc: extrasOf(valueOf(root, 'boinc')),
			userId: numberOf(valueOf(root, 'boinc'), 'user_id'),
		}),
	};
}

/** What is no YAML comes first, then misspelt keys: the other mistakes may follow from them. */
function mistakesOf(tree: YamlTree): Problem[] {
	const rank = (found: Problem): number => (tree.problems.includes(found) ? 0 : found.code === 'unknown-key' ? 1 : 2);
	return checkFile(tree)
		.filter(({ severity }) => severity === 'error')
		.sort((a, b) => rank(a) - rank(b));
}

/** Mistakes that are told one by one. */
const MOST_MISTAKES = 5;

/** A line for each mistake after the first. */
function otherMistakes(text: string, errors: readonly Problem[]): string[] {
	const positions = new TextPositions(text);
	const lines = errors.slice(1, MOST_MISTAKES).map(({ start, message }) => {
		const { line, character } = positions.at(start);
		return `Line ${line + 1}, column ${character + 1}: ${message}`;
	});
	const rest = errors.length - MOST_MISTAKES;
	return rest > 0 ? [...lines, `There ${rest === 1 ? 'is 1 more mistake' : `are ${rest} more mistakes`}.`] : lines;
}

function problemIn(text: string, fileName: string): JobFile['problem'] {
	return (at, message, remedy = `Correct ${fileName}.`) => {
		const { words, line, column } = placeIn(text, fileName, at);
		return new BoincError('job-file-invalid', `${words}: ${message}`, { remedy, detail: { file: fileName, line, column } });
	};
}

function placeIn(
	text: string,
	fileName: string,
	at: number,
): { readonly words: string; readonly line: number; readonly column: number } {
	const { line, character } = new TextPositions(text).at(at);
	return { words: `${fileName}, line ${line + 1}, column ${character + 1}`, line: line + 1, column: character + 1 };
}

function textOf(node: YamlNode | undefined, key: string): string | undefined {
	const value = valueOf(node, key);
	return value?.kind === 'scalar' && isGiven(value) ? value.text : undefined;
}

function numberOf(node: YamlNode | undefined, key: string): number | undefined {
	const text = textOf(node, key);
	return text === undefined ? undefined : Number(text);
}

/** The texts of a list; a single text counts as a list of one. */
export function textsOf(node: YamlNode | undefined): string[] {
	if (node?.kind === 'list') {
		return node.items.flatMap((item) => (item.kind === 'scalar' ? [item.text] : []));
	}
	return node?.kind === 'scalar' && isGiven(node) ? [node.text] : [];
}

function wordsOf(root: YamlNode | undefined, key: string): string[] | undefined {
	const node = valueOf(root, key);
	if (!isGiven(node)) {
		return undefined;
	}
	return node.kind === 'scalar' ? splitCommandLine(node.text) : textsOf(node);
}

function textsByName(node: YamlNode | undefined): Record<string, string> | undefined {
	return node?.kind === 'map'
		? Object.fromEntries(node.pairs.map(({ key, value }) => [key.text, value?.kind === 'scalar' ? value.text : '']))
		: undefined;
}

function imageOf(root: YamlNode | undefined, folder: string): ImageSource | undefined {
	const reference = textOf(root, 'image');
	if (reference !== undefined) {
		return { kind: 'reference', reference };
	}
	const archive = textOf(root, 'archive');
	if (archive !== undefined) {
		return { kind: 'archive', file: inFolder(folder, archive) };
	}
	const dockerfile = textOf(root, 'dockerfile');
	if (dockerfile === undefined) {
		return undefined;
	}
	const build = given({
		buildArgs: textsByName(valueOf(root, 'build_args')),
		target: textOf(root, 'target'),
		platform: textOf(root, 'platform'),
	});
	return {
		kind: 'dockerfile',
		contextDir: inFolder(folder, textOf(root, 'context') ?? '.'),
		dockerfile: inFolder(folder, dockerfile),
		...build,
	};
}

/** Paths below `/root/shared` with their files; or a list of files, which keep their names. */
function inputsOf(node: YamlNode | undefined): InputEntry[] {
	if (node?.kind === 'map') {
		return node.pairs.map(({ key, value }) => {
			const file = value?.kind === 'scalar' && value.text !== '' ? value.text : key.text;
			return { kind: 'file', path: key.text, what: [file], ignore: [], at: key.start };
		});
	}
	const items = node?.kind === 'list' ? node.items : isGiven(node) ? [node] : [];
	return items.map((item) => {
		if (item.kind !== 'map') {
			const what = textsOf(item);
			return { kind: what.some(isPattern) ? 'files' : 'file', path: undefined, what, ignore: [], at: item.start };
		}
		const kind = (['files', 'folder', 'url'] as const).find((name) => isGiven(valueOf(item, name))) ?? 'file';
		return {
			kind,
			path: textOf(item, 'path'),
			what: textsOf(valueOf(item, kind)),
			ignore: textsOf(valueOf(item, 'ignore')),
			at: item.start,
			...given<Pick<InputEntry, 'sha256'>>({ sha256: textOf(item, 'sha256')?.toLowerCase() }),
		};
	});
}

const isPattern = (text: string): boolean => /[*?]/.test(text);

function resourcesOf(root: YamlNode | undefined): Partial<Resources> | undefined {
	const inner = valueOf(root, 'resources');
	const measured = (node: YamlNode | undefined, key: string, parse: (text: string) => number): number | undefined => {
		const text = textOf(node, key);
		return text === undefined ? undefined : parse(text);
	};
	const resources = given<Resources>({
		memoryBytes: measured(inner, 'memory', parseBytes),
		diskBytes: measured(inner, 'disk', parseBytes),
		expectedSeconds: measured(inner, 'time', parseSeconds),
		limitSeconds: measured(inner, 'time_limit', parseSeconds),
		delayBoundSeconds: measured(inner, 'deadline', parseSeconds),
		maxOutputBytes: measured(inner, 'max_output', parseBytes) ?? measured(valueOf(root, 'outputs'), 'max_size', parseBytes),
	});
	return Object.keys(resources).length > 0 ? resources : undefined;
}

/** A kind of GPU, or a map with `type`. */
function gpuOf(resources: YamlNode | undefined): GpuNeeds | undefined {
	const node = valueOf(resources, 'gpu');
	const type = node?.kind === 'map' ? textOf(node, 'type') : textOf(resources, 'gpu');
	const texts: Partial<GpuTexts> =
		node?.kind === 'map' ? Object.fromEntries(GPU_TEXTS.map((key) => [key, textOf(node, key)])) : {};
	return type === undefined ? undefined : gpuNeeds({ ...texts, type });
}

function outputsOf(node: YamlNode | undefined): Outputs | undefined {
	const files = isGiven(valueOf(node, 'files')) ? textsOf(valueOf(node, 'files')) : undefined;
	const outputs = given<Outputs>({ files, metrics: textOf(node, 'metrics') });
	return Object.keys(outputs).length > 0 ? outputs : undefined;
}

function replicationOf(node: YamlNode | undefined): Partial<Replication> | undefined {
	const retries = numberOf(node, 'retries');
	const copies = numberOf(node, 'target_nresults') ?? numberOf(node, 'min_quorum') ?? 1;
	return node?.kind === 'map'
		? given<Replication>({
				minQuorum: numberOf(node, 'min_quorum'),
				targetNresults: numberOf(node, 'target_nresults'),
				maxErrorResults: numberOf(node, 'max_error_results') ?? retries,
				maxTotalResults: numberOf(node, 'max_total_results') ?? (retries === undefined ? undefined : copies + retries),
				maxSuccessResults: numberOf(node, 'max_success_results'),
			})
		: undefined;
}

const RECEIVERS = ['host', 'user', 'team'] as const;

function extrasOf(node: YamlNode | undefined): BoincExtras | undefined {
	const receiver = (key: string): { kind: (typeof RECEIVERS)[number]; id: number } | undefined => {
		const inner = valueOf(node, key);
		const kind = RECEIVERS.find((name) => textOf(inner, name) !== undefined);
		return kind && { kind, id: numberOf(inner, kind) ?? 0 };
	};
	const group = receiver('broadcast');
	const extras = given<BoincExtras>({
		credit: numberOf(node, 'credit'),
		hrClass: numberOf(node, 'hr_class'),
		sizeClass: numberOf(node, 'size_class'),
		keywords: isGiven(valueOf(node, 'keywords')) ? textsOf(valueOf(node, 'keywords')).map(Number) : undefined,
		subAppname: textOf(node, 'sub_appname'),
		target: receiver('target'),
		broadcast:
			textOf(node, 'broadcast') === 'all'
				? { kind: 'all' }
				: group && group.kind !== 'host'
					? { kind: group.kind, id: group.id }
					: undefined,
		appVersionNum: numberOf(node, 'app_version_num'),
	});
	return Object.keys(extras).length > 0 ? extras : undefined;
}

/** A path of the file, absolute. */
export function inFolder(folder: string, file: string): string {
	return isAbsolute(file) ? file : join(folder, file);
}
