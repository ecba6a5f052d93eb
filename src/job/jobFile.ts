import { basename, isAbsolute, join } from 'node:path';

import { splitCommandLine } from '../common/commandLine.js';
import { BoincError } from '../common/errors.js';
import { parseBytes, parseSeconds } from '../common/parseUnits.js';
import { readYamlMap, type YamlMap } from '../project/yamlMap.js';
import type { LocalInput } from './localInputs.js';
import type { ContainerRequest, ImageSource } from './submitImage.js';
import { NETWORK_POLICIES, type Replication, type Resources } from './types.js';

/** What a `boinc2docker.yml` says about a batch. What it does not say is up to the caller. */
export type JobFile = Partial<Omit<ContainerRequest, 'jobs' | 'tempDir' | 'onLog'>>;

/** Keys of the same file that say how to install the app. */
const INSTALL_KEYS =
	'appname friendly_name appver projhome resultsdir tmpdir download_only dont_install wrapper busybox platforms validator assimilator runtimes iso vboxwrapper';
const JOB_KEYS =
	'name app image dockerfile archive context build_args target platform command entrypoint before after env inputs progress_file resources replication network vbox_job_xml count priority';

/**
 * Reads the job keys of a `boinc2docker.yml` in `folder`, which relative paths start from. Keys of the installation are left alone.
 * Rejects with `job-file-invalid` naming the line.
 */
export async function parseJobFile(text: string, folder: string, fileName = 'boinc2docker.yml'): Promise<JobFile> {
	try {
		const map = await readYamlMap(text, fileName);
		onlyKeys(map, `${JOB_KEYS} ${INSTALL_KEYS}`);
		return without({
			name: map.text('name'),
			app: map.text('app') ?? map.text('appname'),
			image: imageOf(map, folder),
			command: words(map, 'command'),
			entrypoint: words(map, 'entrypoint'),
			before: words(map, 'before'),
			after: words(map, 'after'),
			env: texts(map, 'env'),
			inputs: inputsOf(map, folder),
			progressFile: map.text('progress_file'),
			network: map.has('network') ? map.oneOf('network', map.text('network') ?? '', NETWORK_POLICIES) : undefined,
			vboxJobXml: map.text('vbox_job_xml'),
			resources: resourcesOf(map),
			replication: replicationOf(map),
			count: whole(map, 'count'),
			priority: whole(map, 'priority'),
		});
	} catch (error) {
		if (BoincError.is(error, 'config-invalid')) {
			throw new BoincError('job-file-invalid', error.message, {
				remedy: error.remedy ?? `Correct ${fileName}.`,
				detail: error.detail,
				cause: error,
			});
		}
		throw error;
	}
}

function imageOf(map: YamlMap, folder: string): ImageSource | undefined {
	const kinds = ['image', 'dockerfile', 'archive'].filter((key) => map.has(key));
	if (kinds.length > 1) {
		throw map.problem(kinds[1] ?? '', `the image is given as ${kinds[0] ?? ''} already`);
	}
	const reference = map.text('image');
	if (reference !== undefined) {
		return { kind: 'reference', reference };
	}
	const archive = map.text('archive');
	if (archive !== undefined) {
		return { kind: 'archive', file: at(folder, archive) };
	}
	const dockerfile = map.text('dockerfile');
	if (dockerfile === undefined) {
		return undefined;
	}
	const target = map.text('target');
	const platform = map.text('platform');
	const buildArgs = texts(map, 'build_args');
	return {
		kind: 'dockerfile',
		contextDir: at(folder, map.text('context') ?? '.'),
		dockerfile: at(folder, dockerfile),
		...(buildArgs && { buildArgs }),
		...(target !== undefined && { target }),
		...(platform !== undefined && { platform }),
	};
}

/** A list of words, or a command line as a person types it. */
function words(map: YamlMap, key: string): string[] | undefined {
	if (!map.has(key)) {
		return undefined;
	}
	let single: string | undefined;
	try {
		single = map.text(key);
	} catch {
		return map.texts(key);
	}
	try {
		return splitCommandLine(single ?? '');
	} catch (error) {
		throw map.problem(key, error instanceof Error ? error.message.replace(/\.$/, '') : 'it cannot be read');
	}
}

function texts(map: YamlMap, key: string): Record<string, string> | undefined {
	if (!map.has(key)) {
		return undefined;
	}
	const inner = map.map(key);
	if (!inner) {
		throw map.problem(key, 'a list of “name: value” lines is expected');
	}
	return Object.fromEntries(inner.keys().map((name) => [name, inner.text(name) ?? '']));
}

/** Paths below `/root/shared` with their files; or a list of files, which keep their names. */
function inputsOf(map: YamlMap, folder: string): LocalInput[] | undefined {
	if (!map.has('inputs')) {
		return undefined;
	}
	const inner = map.map('inputs');
	return inner
		? inner.keys().map((path) => ({ path, file: at(folder, inner.text(path) ?? path) }))
		: map.texts('inputs').map((file) => ({ path: basename(file), file: at(folder, file) }));
}

function resourcesOf(map: YamlMap): Partial<Resources> | undefined {
	const inner = section(map, 'resources', 'memory disk time time_limit deadline max_output');
	return (
		inner &&
		without<Resources>({
			memoryBytes: measured(inner, 'memory', parseBytes),
			diskBytes: measured(inner, 'disk', parseBytes),
			expectedSeconds: measured(inner, 'time', parseSeconds),
			limitSeconds: measured(inner, 'time_limit', parseSeconds),
			delayBoundSeconds: measured(inner, 'deadline', parseSeconds),
			maxOutputBytes: measured(inner, 'max_output', parseBytes),
		})
	);
}

function replicationOf(map: YamlMap): Partial<Replication> | undefined {
	const inner = section(map, 'replication', 'min_quorum target_nresults max_error_results max_total_results max_success_results');
	return (
		inner &&
		without<Replication>({
			minQuorum: whole(inner, 'min_quorum'),
			targetNresults: whole(inner, 'target_nresults'),
			maxErrorResults: whole(inner, 'max_error_results'),
			maxTotalResults: whole(inner, 'max_total_results'),
			maxSuccessResults: whole(inner, 'max_success_results'),
		})
	);
}

function section(map: YamlMap, key: string, allowed: string): YamlMap | undefined {
	const inner = map.map(key);
	if (map.has(key) && !inner) {
		throw map.problem(key, 'a list of “name: value” lines is expected');
	}
	if (inner) {
		onlyKeys(inner, allowed);
	}
	return inner;
}

/** A misspelt key would be silently without effect. */
function onlyKeys(map: YamlMap, allowed: string): void {
	const known = allowed.split(' ');
	const unknown = map.keys().find((key) => !known.includes(key));
	if (unknown !== undefined) {
		throw map.problem(unknown, `the key is unknown; known are ${[...known].sort().join(', ')}`);
	}
}

function measured(map: YamlMap, key: string, parse: (text: string) => number): number | undefined {
	const text = map.text(key);
	try {
		return text === undefined ? undefined : parse(text);
	} catch (error) {
		const remedy = BoincError.is(error) ? error.remedy : undefined;
		throw map.problem(key, `“${text ?? ''}” cannot be read. ${remedy ?? ''}`.trim().replace(/\.$/, ''));
	}
}

function whole(map: YamlMap, key: string): number | undefined {
	const text = map.text(key);
	if (text !== undefined && !/^-?\d{1,9}$/.test(text)) {
		throw map.problem(key, `“${text}” is not a whole number`);
	}
	return text === undefined ? undefined : Number(text);
}

const at = (folder: string, file: string): string => (isAbsolute(file) ? file : join(folder, file));

function without<T extends object>(values: { [K in keyof T]: T[K] | undefined }): Partial<T> {
	return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}
