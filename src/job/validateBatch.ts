import { BoincError } from '../common/errors.js';
import { invalidJob as invalid } from './invalidJob.js';
import { EXTRA_CREATE_ARGS } from './jobToml.js';
import { MAX_JOBS } from './names.js';
import { checkShared, surveyJobs, validatePath } from './surveyJobs.js';
import { type BatchSpec, type JobSurvey, NETWORK_POLICIES, type Replication, type Resources } from './types.js';
import { vboxElements } from './vboxElements.js';

/** Checks everything of a batch that can be checked without a server, each job too. Throws `job-invalid` or `image-unsupported`. */
export function validateBatch(spec: BatchSpec): JobSurvey {
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
	if (spec.createArgs !== undefined && !EXTRA_CREATE_ARGS.test(spec.createArgs)) {
		throw invalid(
			`The engine cannot be given ${JSON.stringify(spec.createArgs)}.`,
			'Use --shm-size=SIZE, --ulimit=NAME=VALUE and --hostname=NAME only.',
		);
	}
	vboxElements(spec.vboxJobXml ?? '');
	validateResources(spec.resources);
	validateReplication(spec.replication);
	validatePath(spec.progressFile ?? 'fraction_done', 'progress file');
	const survey = spec.survey ?? surveyJobs(spec.jobs);
	checkShared(spec, survey);
	return survey;
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
	const numbers = {
		'number of results that must agree': minQuorum,
		'number of copies': targetNresults,
		'number of failures': maxErrorResults,
		'total of copies': maxTotalResults,
		'number of successes': maxSuccessResults,
	};
	for (const [name, value] of Object.entries(numbers)) {
		if (!Number.isInteger(value) || value < 1 || value > 99) {
			// BOINC takes a zero for "not given" and creates nothing.
			throw invalid(`The ${name} cannot be ${value}.`, 'Use whole numbers from 1 to 99.');
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
