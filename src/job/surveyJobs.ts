import { createHash } from 'node:crypto';

import { entriesOf } from '../common/sequence.js';
import type { StagedFile } from '../project/types.js';
import { invalidJob as invalid } from './invalidJob.js';
import { argumentsOf, environmentWords } from './jobWords.js';
import { encodeWord, jobWords } from './parameters.js';
import { labelProblem } from './sweep/names.js';
import type { BatchSpec, JobInput, JobSpec } from './types.js';

/** What a look at each job of a batch found. */
export interface JobSurvey {
	/** Characters; 0 without labels. */
	readonly longestLabel: number;
	/** Bytes of the inputs of its own of that job which has most. */
	readonly mostInputBytes: number;
	/** The inputs of single jobs, each once. */
	readonly files: readonly StagedFile[];
	/** Hash of what the jobs are told: equal for equal jobs. */
	readonly digest: string;
}

/** Linux takes at most 128 KiB in one argument or variable, and about 2 MiB in all; half of that is ours. */
const MAX_WORD_BYTES = 131_000;
const MAX_WORDS_BYTES = 1_000_000;

/** `/root/shared/…` names that mean something. */
const RESERVED = /^(results|results\.tgz|\.results\.tgz\.part|b2d_input_\d+)$/;

/** Looks at each job once, for there may be a million. Throws `job-invalid` for one that cannot be. */
export function surveyJobs(spec: BatchSpec): JobSurvey {
	const first = spec.jobs.at(0)?.inputs ?? [];
	validateInputs([...(spec.inputs ?? []), ...first]);
	const expected = pathsOf(first);
	const commonBytes = commonWordBytes(spec);
	const files = new Map<string, StagedFile>();
	const hash = createHash('sha256');
	let longestLabel = 0;
	let mostInputBytes = 0;
	for (const [index, job] of entriesOf(spec.jobs)) {
		const inputs = job.inputs ?? [];
		if (pathsOf(inputs) !== expected) {
			throw invalid(
				`Job ${index} has other inputs than job 0.`,
				'Give all jobs of a batch inputs with the same paths; their contents may differ.',
			);
		}
		validateLabel(job.label);
		hash.update(`${job.label ?? ''} ${wordsOf(spec, job, index, commonBytes)}`);
		let bytes = 0;
		for (const { file } of inputs) {
			files.set(file.name, file);
			bytes += file.content.size;
			hash.update(` ${file.name}`);
		}
		hash.update('\n');
		longestLabel = Math.max(longestLabel, job.label?.length ?? 0);
		mostInputBytes = Math.max(mostInputBytes, bytes);
	}
	return { longestLabel, mostInputBytes, files: [...files.values()], digest: hash.digest('hex') };
}

/** Labels stand in names of workunits, which reach SQL, file names and a regular expression of the runner as they are. */
function validateLabel(label: string | undefined): void {
	const why =
		label === undefined
			? undefined
			: (labelProblem(label) ?? (/[^A-Za-z0-9_-]/.test(label) ? 'BOINC cannot carry it' : undefined));
	if (why !== undefined) {
		throw invalid(
			`${JSON.stringify(label)} cannot be part of a job’s name: ${why}.`,
			'Use letters, digits, dashes and underscores.',
		);
	}
}

const pathsOf = (inputs: readonly JobInput[]): string =>
	inputs.length === 0 ? '' : JSON.stringify(inputs.map(({ path }) => path));

function validateInputs(inputs: readonly JobInput[]): void {
	const paths = new Set<string>();
	for (const { path } of inputs) {
		validatePath(path, 'input');
		if (RESERVED.test(path.split('/')[0] ?? '')) {
			throw invalid(`An input cannot be ${path}: the name is used for results.`, 'Use another path.');
		}
		if (paths.has(path)) {
			throw invalid(`Two inputs have the path ${path}.`, 'Use different paths.');
		}
		paths.add(path);
	}
	for (const path of paths) {
		const parents = path.split('/').slice(0, -1);
		const clash = parents.map((_, end) => parents.slice(0, end + 1).join('/')).find((parent) => paths.has(parent));
		if (clash !== undefined) {
			throw invalid(`The input ${clash} would have to be a file and the folder of ${path}.`, 'Use different paths.');
		}
	}
}

/** Throws `job-invalid` for what cannot be a path below `/root/shared`. */
export function validatePath(path: string, what: string): void {
	const parts = path.split('/');
	if (parts.some((part) => part === '' || part === '.' || part === '..') || path.includes('\0') || path.length > 1000) {
		throw invalid(
			`${JSON.stringify(path)} cannot be the path of the ${what}.`,
			'Use a path relative to /root/shared, without “..” and with “/” between the names.',
		);
	}
}

/** What is the same for all jobs is measured once. */
function commonWordBytes(spec: BatchSpec): number {
	const words = [...spec.image.config.env, ...environmentWords(spec.env), ...(spec.before ?? []), ...(spec.after ?? [])];
	words.forEach((word) => {
		encodeWord(word);
		checkLength(word, 0);
	});
	return sumOf(words);
}

/** The line of a job in its table. */
function wordsOf(spec: BatchSpec, job: JobSpec, index: number, commonBytes: number): string {
	const argv = argumentsOf(spec, job.command);
	if (argv.length === 0 || argv[0] === '') {
		throw invalid(
			'There is nothing to run: the image has neither an entry point nor a command.',
			'Give the job a command, or the image a CMD.',
		);
	}
	const env = environmentWords(job.env);
	for (const words of [argv, env]) {
		words.forEach((word) => checkLength(word, index));
	}
	const bytes = commonBytes + sumOf(argv) + sumOf(env);
	if (bytes > MAX_WORDS_BYTES) {
		throw invalid(`Arguments and variables of job ${index} have ${bytes} characters in all.`, 'Put them into an input file.');
	}
	return jobWords({ argv, env });
}

const sumOf = (words: readonly string[]): number => words.reduce((sum, word) => sum + word.length, 0);

function checkLength(word: string, index: number): void {
	// At most three bytes for each of JavaScript's characters.
	if (word.length * 3 > MAX_WORD_BYTES && Buffer.byteLength(word) > MAX_WORD_BYTES) {
		throw invalid(
			`Job ${index} has an argument or variable of more than ${MAX_WORD_BYTES} bytes, which Linux cannot pass to a program.`,
			'Put the text into an input file.',
		);
	}
}
