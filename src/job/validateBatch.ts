import { BoincError } from '../common/errors.js';
import { MAX_JOBS } from './names.js';
import { encodeWord } from './parameters.js';
import { labelProblem } from './sweep/names.js';
import { type BatchSpec, type JobInput, NETWORK_POLICIES, type Replication, type Resources } from './types.js';
import { vboxElements } from './vboxElements.js';

/** Linux takes at most 128 KiB in one argument or variable, and about 2 MiB in all; half of that is ours. */
const MAX_WORD_BYTES = 131_000;
const MAX_WORDS_BYTES = 1_000_000;

/** `/root/shared/…` names that mean something. */
const RESERVED = /^(results|results\.tgz|\.results\.tgz\.part|b2d_input_\d+)$/;

/** Checks everything of a batch that can be checked without a server. Throws `job-invalid` or `image-unsupported`. */
export function validateBatch(spec: BatchSpec): void {
	if (spec.name.trim() === '') {
		throw invalid('The batch has no name.', 'Give it any name.');
	}
	if (!/^[A-Za-z0-9_.-]{1,190}$/.test(spec.app)) {
		throw invalid(`${JSON.stringify(spec.app)} cannot be the name of a BOINC app.`, 'Use letters, digits and underscores.');
	}
	if (spec.jobs.length === 0) {
		throw invalid('The batch has no jobs.', 'Submit at least one job.');
	}
	if (spec.jobs.length > MAX_JOBS) {
		throw invalid(`The batch has ${spec.jobs.length} jobs, and one batch takes ${MAX_JOBS}.`, 'Submit several batches.');
	}
	if (!NETWORK_POLICIES.includes(spec.network)) {
		throw invalid(`The network “${spec.network}” is unknown.`, `Use one of: ${NETWORK_POLICIES.join(', ')}.`);
	}
	validateImage(spec);
	vboxElements(spec.vboxJobXml ?? '');
	validateResources(spec.resources);
	validateReplication(spec.replication);
	validatePath(spec.progressFile ?? 'fraction_done', 'progress file');
	validateAllInputs(spec);
	validateWords(spec);
	validateLabels(spec);
}

/** Labels stand in names of workunits, which reach SQL, file names and a regular expression of the runner as they are. */
function validateLabels({ jobs }: BatchSpec): void {
	for (const { label } of jobs) {
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
}

/** The program and its arguments by Docker's rules: a new entry point drops the image's command. */
export function argumentsOf(spec: BatchSpec, command: readonly string[] | undefined): string[] {
	const { config } = spec.image;
	const entrypoint = spec.entrypoint ?? config.entrypoint;
	return [...entrypoint, ...(command ?? (spec.entrypoint === undefined ? config.cmd : []))];
}

/** `NAME=value` of each variable. Throws `job-invalid` for a name that no environment can hold. */
export function environmentWords(env: Readonly<Record<string, string>> | undefined): string[] {
	return Object.entries(env ?? {}).map(([name, value]) => {
		if (name === '' || name.includes('=') || name.includes('\0')) {
			throw invalid(`${JSON.stringify(name)} cannot be the name of an environment variable.`, 'Use a name without “=”.');
		}
		return `${name}=${value}`;
	});
}

function validateImage({ image }: BatchSpec): void {
	if (image.config.os !== 'linux') {
		throw new BoincError(
			'image-unsupported',
			`The image is for ${image.config.os}; volunteers’ computers run Linux containers.`,
			{
				remedy: 'Build the image for linux/amd64 or linux/arm64.',
				detail: { os: image.config.os },
			},
		);
	}
	if (image.packs.length === 0) {
		throw new BoincError('image-empty', 'The image has no files.', { remedy: 'Submit an image with a program in it.' });
	}
}

function validateResources(resources: Resources): void {
	for (const [name, value] of Object.entries(resources) as [keyof Resources, number][]) {
		if (!Number.isFinite(value) || value <= 0) {
			throw invalid(`${WORDS_OF[name]} must be more than zero.`, 'Give a number greater than zero, or leave it out.');
		}
	}
	if (resources.memoryBytes < 8_000_000) {
		throw invalid('The memory limit is below 8 MB, which no container fits in.', 'Give the limit with its unit, such as 500MB.');
	}
	if (resources.maxOutputBytes < 1000) {
		throw invalid('The limit for results is below 1 kB.', 'Give the limit with its unit, such as 100MB.');
	}
	if (resources.delayBoundSeconds > 2 ** 31 - 1) {
		throw invalid('The deadline is more than 68 years away.', 'Give a shorter deadline.');
	}
}

const WORDS_OF: Readonly<Record<keyof Resources, string>> = {
	memoryBytes: 'The memory limit',
	diskBytes: 'The disk limit',
	expectedSeconds: 'The expected time',
	limitSeconds: 'The time limit',
	delayBoundSeconds: 'The deadline',
	maxOutputBytes: 'The limit for results',
};

function validateReplication(replication: Replication): void {
	const { minQuorum, targetNresults, maxErrorResults, maxTotalResults, maxSuccessResults } = replication;
	for (const value of [minQuorum, targetNresults, maxErrorResults, maxTotalResults, maxSuccessResults]) {
		if (!Number.isInteger(value) || value < 1 || value > 99) {
			// BOINC takes a zero for "not given" and creates nothing.
			throw invalid(`${value} is not a number of copies.`, 'Use whole numbers from 1 to 99.');
		}
	}
	if (minQuorum < 1 || targetNresults < minQuorum) {
		throw invalid(
			`${targetNresults} copies cannot reach an agreement of ${minQuorum}.`,
			'Ask for at least as many copies as must agree, and for at least one.',
		);
	}
	if (Math.max(maxSuccessResults, maxErrorResults) > maxTotalResults) {
		throw invalid(
			`There can be ${maxTotalResults} copies in all, and the limits for failed or successful ones are above that.`,
			'Raise the limit for all copies, or lower the others.',
		);
	}
	if (maxTotalResults < targetNresults || maxSuccessResults < targetNresults) {
		throw invalid(
			`The job starts with ${targetNresults} copies, but its limits stop it earlier.`,
			'Raise the limits for all and for successful copies.',
		);
	}
}

function validateAllInputs(spec: BatchSpec): void {
	const common = spec.inputs ?? [];
	const first = spec.jobs[0]?.inputs ?? [];
	validateInputs([...common, ...first]);
	const expected = pathsOf(first);
	for (const [index, job] of spec.jobs.entries()) {
		if (index > 0 && pathsOf(job.inputs ?? []) !== expected) {
			throw invalid(
				`Job ${index} has other inputs than job 0.`,
				'Give all jobs of a batch inputs with the same paths; their contents may differ.',
			);
		}
	}
}

const pathsOf = (inputs: readonly JobInput[]): string => JSON.stringify(inputs.map(({ path }) => path));

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

function validatePath(path: string, what: string): void {
	const parts = path.split('/');
	if (parts.some((part) => part === '' || part === '.' || part === '..') || path.includes('\0') || path.length > 1000) {
		throw invalid(
			`${JSON.stringify(path)} cannot be the path of the ${what}.`,
			'Use a path relative to /root/shared, without “..” and with “/” between the names.',
		);
	}
}

function validateWords(spec: BatchSpec): void {
	const common = [...spec.image.config.env, ...environmentWords(spec.env), ...(spec.before ?? []), ...(spec.after ?? [])];
	for (const [index, job] of spec.jobs.entries()) {
		const argv = argumentsOf(spec, job.command);
		if (argv.length === 0 || argv[0] === '') {
			throw invalid(
				'There is nothing to run: the image has neither an entry point nor a command.',
				'Give the job a command, or the image a CMD.',
			);
		}
		const words = [...argv, ...environmentWords(job.env)];
		// What is the same for all jobs is measured once.
		for (const word of index === 0 ? [...common, ...words] : words) {
			encodeWord(word);
			if (Buffer.byteLength(word) > MAX_WORD_BYTES) {
				throw invalid(
					`Job ${index} has an argument or variable of more than ${MAX_WORD_BYTES} bytes, which Linux cannot pass to a program.`,
					'Put the text into an input file.',
				);
			}
		}
		const bytes = [...common, ...words].reduce((sum, word) => sum + word.length, 0);
		if (bytes > MAX_WORDS_BYTES) {
			throw invalid(`Arguments and variables of job ${index} have ${bytes} characters in all.`, 'Put them into an input file.');
		}
	}
}

function invalid(message: string, remedy: string): BoincError {
	return new BoincError('job-invalid', message, { remedy });
}
