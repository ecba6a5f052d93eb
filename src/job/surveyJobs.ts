import { createHash } from 'node:crypto';

import { entriesOf, type Sequence } from '../common/sequence.js';
import type { StagedFile } from '../project/types.js';
import { invalidJob as invalid } from './invalidJob.js';
import { argumentsOf, environmentWords } from './jobWords.js';
import { encodeWord, jobWords } from './parameters.js';
import { labelProblem } from './sweep/names.js';
import type { BatchSpec, JobInput, JobSpec, JobSurvey } from './types.js';

/** Linux takes at most 128 KiB in one argument or variable, and about 2 MiB in all; half of that is ours. */
const MAX_WORD_BYTES = 131_000;
const MAX_WORDS_BYTES = 1_000_000;

/** `/root/shared/…` names that mean something. */
const RESERVED = /^(results|results\.tgz|\.results\.tgz\.part|b2d_input_\d+)$/;

/**
 * Looks at each job once, for there may be a million. What depends on the image or on what all jobs share is left to `checkShared`. Throws
 * `job-invalid` for a job that cannot be.
 */
export function surveyJobs(jobs: Sequence<JobSpec>): JobSurvey {
	const expected = pathsOf(jobs.at(0)?.inputs ?? []);
	const files = new Map<string, StagedFile>();
	const hash = createHash('sha256');
	let longestLabel = 0;
	let mostInputBytes = 0;
	let mostWords: JobSurvey['mostWords'] = { bytes: 0, index: 0 };
	let runs: JobSurvey['runs'] = 'own commands';
	for (const [index, job] of entriesOf(jobs)) {
		const inputs = job.inputs ?? [];
		if (pathsOf(inputs) !== expected) {
			throw invalid(
				`Job ${index} has other inputs than job 0.`,
				'Give all jobs of a batch inputs with the same paths; their contents may differ.',
			);
		}
		validateLabel(job.label);
		const { text, bytes: wordBytes } = wordsOf(job, index);
		hash.update(`${job.label ?? ''} ${text}`);
		let bytes = 0;
		for (const { file } of inputs) {
			files.set(file.name, file);
			bytes += file.content.size;
			hash.update(` ${file.name}`);
		}
		hash.update('\n');
		longestLabel = Math.max(longestLabel, job.label?.length ?? 0);
		mostInputBytes = Math.max(mostInputBytes, bytes);
		mostWords = wordBytes > mostWords.bytes ? { bytes: wordBytes, index } : mostWords;
		if (job.command === undefined && runs === 'own commands') {
			runs = 'the image’s command';
		} else if (job.command && (job.command[0] ?? '') === '') {
			runs = 'arguments only';
		}
	}
	return { longestLabel, mostInputBytes, files: [...files.values()], digest: hash.digest('hex'), mostWords, runs };
}

/** Checks what a survey found against what all jobs share. Throws `job-invalid`. */
export function checkShared(spec: BatchSpec, { mostWords, runs }: JobSurvey): void {
	validateInputs([...(spec.inputs ?? []), ...(spec.jobs.at(0)?.inputs ?? [])]);
	const own = argumentsOf(spec, undefined);
	const start = argumentsOf(spec, []);
	const first = start.length > 0 || runs === 'the image’s command' ? own[0] : runs === 'own commands' ? 'given' : '';
	if ((first ?? '') === '') {
		throw invalid(
			'There is nothing to run: the image has neither an entry point nor a command.',
			'Give the job a command, or the image a CMD.',
		);
	}
	const words = [...spec.image.config.env, ...environmentWords(spec.env), ...(spec.before ?? []), ...(spec.after ?? []), ...own];
	words.forEach((word) => {
		encodeWord(word);
		checkLength(word, 0);
	});
	const bytes = sumOf(words) + mostWords.bytes;
	if (bytes > MAX_WORDS_BYTES) {
		throw invalid(
			`Arguments and variables of job ${mostWords.index} have ${bytes} characters in all.`,
			'Put them into an input file.',
		);
	}
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

/** What a job's line in its table says of the job itself. */
function wordsOf(job: JobSpec, index: number): { readonly text: string; readonly bytes: number } {
	const argv = job.command ?? [];
	const env = environmentWords(job.env);
	for (const words of [argv, env]) {
		words.forEach((word) => checkLength(word, index));
	}
	// Without a command and with an empty one are not the same.
	return { text: `${job.command ? '+' : '-'} ${jobWords({ argv, env })}`, bytes: sumOf(argv) + sumOf(env) };
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
