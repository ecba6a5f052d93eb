import type { Problem } from '../../common/problem.js';
import { closest } from '../../common/problem.js';
import { source } from '../formats/element.js';

type Type = 'string' | 'bool' | 'int' | 'strings';

/** Keys of docker_wrapper's `job.toml`. */
export const TOML_KEYS: readonly {
	readonly name: string;
	readonly type: Type;
	readonly doc: string;
	readonly default: string;
	readonly trap?: string;
}[] = [
	{ name: 'workdir', type: 'string', doc: 'Where the slot folder is mounted.', default: '/app' },
	{ name: 'project_dir_mount', type: 'string', doc: 'Also mount the project’s folder of the client there.', default: 'none' },
	{
		name: 'image_name',
		type: 'string',
		doc: 'Fixed name of the image, which is kept after the job.',
		default: 'one for each job',
		trap: 'A name with a tag never matches, so the image is built at each start. Names that do not begin with boinc__ are never removed from volunteers’ disks.',
	},
	{ name: 'build_args', type: 'string', doc: 'Put into the build command.', default: 'empty' },
	{
		name: 'create_args',
		type: 'string',
		doc: 'Put into the create command.',
		default: 'empty',
		trap: 'The whole command is cut after 1023 characters: keep arguments and mounts below about 300.',
	},
	{ name: 'use_gpu', type: 'bool', doc: 'Adds --gpus all.', default: 'false', trap: 'The plan class must ask for a GPU too.' },
	{ name: 'mount', type: 'strings', doc: 'Each becomes -v.', default: 'empty' },
	{ name: 'portmap', type: 'strings', doc: 'Each becomes -p.', default: 'empty' },
	{ name: 'web_graphics_guest_port', type: 'int', doc: 'A free host port is mapped to it.', default: '0' },
	{ name: 'verbose', type: 'int', doc: '0 none, 1 standard, 2 all.', default: '1', trap: 'In effect it is always 1.' },
];

const VALUES: Readonly<Record<Type, RegExp>> = {
	string: /^"([^"\\]|\\.)*"$/,
	bool: /^(true|false)$/,
	int: /^[-+]?\d+$/,
	strings: /^\[\s*("([^"\\]|\\.)*"\s*(,\s*"([^"\\]|\\.)*"\s*)*,?\s*)?\]$/,
};
const WORDS: Readonly<Record<Type, string>> = {
	string: 'a text in double quotes',
	bool: 'true or false',
	int: 'a whole number',
	strings: 'a list of texts on one line',
};
/** Gone since release 8 of the wrapper. */
const OLD = ['slot_dir_mount', 'copy_to_container', 'copy_from_container'];
const LINK = source('samples/docker_wrapper/docker_wrapper.cpp');
const MOST_ARGUMENTS = 300;

/** What is wrong with a `job.toml`; the wrapper's parser is simple, and so is this one: a key and a value on each line. */
export function tomlProblems(text: string): Problem[] {
	const problems: Problem[] = [];
	const seen = new Map<string, string>();
	let at = 0;
	for (const line of text.split('\n')) {
		const found = lineProblem(line.replace(/\r$/, ''), at, seen);
		if (found) {
			problems.push({ ...found, link: LINK });
		}
		at += line.length + 1;
	}
	const length = ['build_args', 'create_args', 'mount', 'portmap'].reduce((sum, key) => sum + (seen.get(key)?.length ?? 0), 0);
	if (length > MOST_ARGUMENTS) {
		const key = Math.max(0, text.search(/^\s*create_args/m));
		problems.push({
			...{ start: key, end: key + 11, code: 'toml-long', severity: 'warning', link: LINK },
			message: `Arguments and mounts have ${length} characters; the command is cut after 1023, the image’s name first.`,
		});
	}
	return problems;
}

function lineProblem(line: string, at: number, seen: Map<string, string>): Problem | undefined {
	const bare = line.trim();
	if (bare === '' || bare.startsWith('#')) {
		return undefined;
	}
	const start = at + line.indexOf(bare);
	const problem = (
		code: string,
		severity: Problem['severity'],
		message: string,
		fixes?: Problem['fixes'],
		span?: { start: number; end: number },
	): Problem => ({
		...(span ?? { start, end: start + bare.length }),
		...{ code: `toml-${code}`, severity, message },
		...(fixes && { fixes }),
	});
	if (bare.startsWith('[')) {
		return problem('table', 'warning', 'docker_wrapper reads no tables: keys after this line have no effect.');
	}
	const match = /^([A-Za-z0-9_-]+)(\s*=\s*)(.*?)\s*(#[^"]*)?$/.exec(bare);
	if (!match) {
		return problem('syntax', 'error', 'A line is key = value. What cannot be read makes the wrapper end with 1.');
	}
	const [, key = '', equals = '', value = ''] = match;
	const span = { start, end: start + key.length };
	const valueSpan = { start: start + key.length + equals.length, end: start + key.length + equals.length + value.length };
	if (seen.has(key)) {
		return problem('twice', 'error', `${key} is given twice.`, undefined, span);
	}
	seen.set(key, value);
	const spec = TOML_KEYS.find(({ name }) => name === key);
	if (!spec) {
		const near = closest(
			key,
			TOML_KEYS.map(({ name }) => name),
		);
		const message = OLD.includes(key)
			? `${key} is in no release of docker_wrapper from 8 on.`
			: `docker_wrapper does not know ${key}.`;
		return problem(
			'unknown',
			'warning',
			message,
			near === undefined ? undefined : [{ title: `Change to ${near}`, edits: [{ ...span, text: near }] }],
			span,
		);
	}
	if (!VALUES[spec.type].test(value)) {
		const quoted =
			spec.type === 'bool' && /^"(true|false)"$/.test(value)
				? [{ title: 'Remove the quotes', edits: [{ ...valueSpan, text: value.slice(1, -1) }] }]
				: undefined;
		return problem(
			'type',
			'error',
			`${key}: ${WORDS[spec.type]} is expected. A wrong type ends the wrapper abnormally.`,
			quoted,
			valueSpan,
		);
	}
	return valueProblem(key, value, (code, severity, message) => problem(code, severity, message, undefined, valueSpan));
}

function valueProblem(
	key: string,
	value: string,
	problem: (code: string, severity: Problem['severity'], message: string) => Problem,
): Problem | undefined {
	const text = value.slice(1, -1);
	if (key === 'image_name' && /:[\w.-]+$/.test(text)) {
		return problem('image-tag', 'warning', 'A name with a tag never matches: the image is built at each start.');
	}
	if (key === 'image_name' && !text.startsWith('boinc__')) {
		return problem(
			'image-name',
			'warning',
			'An image whose name does not begin with boinc__ is never removed from volunteers’ disks.',
		);
	}
	if (key === 'image_name' && /[A-Z]/.test(text)) {
		return problem('image-case', 'error', 'Names of images have no capital letters.');
	}
	if (key === 'create_args' && /--privileged|--pid[= ]host|--cap-add[= ]ALL/.test(text)) {
		return problem('privileged', 'error', 'The container would have power over the volunteer’s computer.');
	}
	if (key === 'verbose') {
		return problem('verbose', 'hint', 'Verbosity is in effect always 1.');
	}
	return undefined;
}
