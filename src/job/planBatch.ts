import { contentOfBytes } from '../common/content.js';
import { BoincError } from '../common/errors.js';
import { formatBytes } from '../common/format.js';
import { dockerfileFor, imageName } from '../image/recipe.js';
import type { ProjectConfig, StagedFile } from '../project/types.js';
import { checkCommandLength, jobToml } from './jobToml.js';
import { argumentsOf, environmentWords } from './jobWords.js';
import { jobName, MAX_JOBS, shortHash, stagedName, templatePath } from './names.js';
import { packBytes } from './packBytes.js';
import { commonLine, jobWords } from './parameters.js';
import { inputTemplate, isSafeName, outputTemplate, type TemplateFile } from './templates.js';
import type { BatchSpec, JobInput, JobSpec, JobSurvey } from './types.js';
import { validateBatch } from './validateBatch.js';
import { fitsMachine, machineDescription, vboxJob } from './virtualMachine.js';

/** A template and where it belongs. */
export interface PlannedTemplate {
	/** Relative to the project. */
	readonly path: string;
	readonly text: string;
}

/** A batch worked out up to the names of its jobs, which need the batch's number. */
export interface BatchPlan {
	/** What all jobs share, to be staged. */
	readonly files: readonly StagedFile[];
	/** What only some jobs have, to be staged; each once. */
	readonly jobFiles: readonly StagedFile[];
	readonly input: PlannedTemplate;
	readonly output: PlannedTemplate;
	/** First line of each parameter table. */
	readonly common: string;
	/** The line of a job in its table, after the name. */
	wordsOf(job: JobSpec): string;
	/** Paths in the slot of the inputs, by their paths below `/root/shared`. */
	readonly openNames: ReadonlyMap<string, string>;
	/** Equal for equal jobs with equal files: 128 bits in hex. */
	readonly digest: string;
}

/**
 * Raised with whatever changes the digest of a batch whose jobs are the same as before: templates, parameter lines, files that all batches get. A
 * batch that was begun under another version is not taken for the same, and that is told. Versions before 2 had none.
 */
export const DIGEST_VERSION = 2;

/** The name of the parameter table in the slot; `templates/runner.sh` looks for it. */
export const PARAMETERS = 'b2d_params';
/** Logs, parameter table and templates. */
const DISK_LEAST = 1_000_000;

/** Validates a batch and works out everything that is sent. Throws `job-invalid`, `image-unsupported` or `image-empty`. */
export function planBatch(spec: BatchSpec, config: Pick<ProjectConfig, 'masterUrl' | 'downloadUrl'>): BatchPlan {
	const survey = validateBatch(spec);
	const image = imageName(spec.image.id);
	checkCommandLength(config.masterUrl, longestName(survey), image, spec);
	checkDisk(spec, survey);
	const jobInputs = spec.jobs.at(0)?.inputs ?? [];
	const { openNames, moves } = placeInputs([...(spec.inputs ?? []), ...jobInputs]);
	const openName = (path: string): string => openNames.get(path) ?? path;
	const packs = spec.image.packs.map(({ name }) => name);
	const recipe = textFile('dockerfile', dockerfileFor({ id: spec.image.id, config: spec.image.config, packs }));
	const job = textFile('job', jobToml(image, spec));
	const machine = machineFiles(spec);
	const shared: TemplateFile[] = [
		...packs.map((name) => ({ openName: name, physicalName: name, sticky: true })),
		{ openName: 'Dockerfile', physicalName: recipe.name, sticky: true },
		{ openName: 'job.toml', physicalName: job.name, sticky: true },
		...machine.map(({ openName: name, file }) => ({ openName: name, physicalName: file.name, sticky: false })),
		...(spec.inputs ?? []).map(({ path, file }) => ({ openName: openName(path), physicalName: file.name, sticky: false })),
	];
	const own: TemplateFile[] = [PARAMETERS, ...jobInputs.map(({ path }) => openName(path))].map((name) => ({
		openName: name,
		sticky: false,
	}));
	const input = inputTemplate([...shared, ...own], config.downloadUrl);
	const output = outputTemplate(spec.resources.maxOutputBytes);
	const common = commonParameters(spec, moves);
	return {
		files: [recipe, job, ...machine.map(({ file }) => file), ...(spec.inputs ?? []).map(({ file }) => file)],
		jobFiles: survey.files,
		input: { path: templatePath('in', input), text: input },
		output: { path: templatePath('out', output), text: output },
		common,
		openNames,
		wordsOf: ({ command, env }) => jobWords({ argv: argumentsOf(spec, command), env: environmentWords(env) }),
		digest: shortHash(
			[input, output, common, jobWords({ argv: argumentsOf(spec, undefined), env: [] }), survey.digest].join('\n'),
		),
	};
}

function longestName({ longestLabel }: JobSurvey): string {
	return jobName(2 ** 31, MAX_JOBS - 1, longestLabel === 0 ? undefined : 'x'.repeat(longestLabel));
}

/**
 * What a virtual machine needs besides what a container does. Every batch that can run in one carries these two small files,
 * also where the app has no such versions yet: it may get them while the jobs wait, and then BOINC sends jobs to either.
 */
function machineFiles(spec: BatchSpec): { readonly openName: string; readonly file: StagedFile }[] {
	return fitsMachine(spec)
		? [
				{ openName: 'b2d_vm', file: textFile('vm', machineDescription(spec)) },
				{ openName: 'vbox_job.xml', file: textFile('vbox', vboxJob(spec)) },
			]
		: [];
}

function commonParameters(spec: BatchSpec, moves: ReadonlyMap<string, string>): string {
	return commonLine({
		user: spec.image.config.user,
		workingDir: spec.image.config.workingDir,
		env: [...spec.image.config.env, ...environmentWords(spec.env)],
		memoryBytes: spec.resources.memoryBytes,
		limitSeconds: spec.resources.limitSeconds,
		maxOutputBytes: spec.resources.maxOutputBytes,
		before: spec.before ?? [],
		after: spec.after ?? [],
		progressFile: spec.progressFile ?? 'fraction_done',
		comparable: spec.replication.minQuorum > 1,
		gpu: spec.gpu?.type,
		moves,
	});
}

/** Inputs with names that BOINC cannot carry travel under other names, and the runner moves them to their place. */
function placeInputs(inputs: readonly JobInput[]): { openNames: Map<string, string>; moves: Map<string, string> } {
	const openNames = new Map<string, string>();
	const moves = new Map<string, string>();
	for (const [index, { path }] of inputs.entries()) {
		const name = `shared/${path}`;
		if (isSafeName(name)) {
			openNames.set(path, name);
		} else {
			const plain = `b2d_input_${String(index)}`;
			openNames.set(path, `shared/${plain}`);
			moves.set(plain, path);
		}
	}
	return { openNames, moves };
}

/** A slot holds copies of the packs and inputs before the program writes a byte. */
function checkDisk({ image, inputs, resources }: BatchSpec, { mostInputBytes }: JobSurvey): void {
	const common = (inputs ?? []).reduce((bytes, { file }) => bytes + file.content.size, 0);
	const needed = packBytes(image.packs) + common + mostInputBytes + DISK_LEAST;
	if (resources.diskBytes < needed) {
		throw new BoincError(
			'job-invalid',
			`The disk limit of ${formatBytes(resources.diskBytes)} is below the ${formatBytes(needed)} that image and inputs take: clients would abort the job at once.`,
			{ remedy: 'Raise the disk limit, or leave it out.', detail: { needed, given: resources.diskBytes } },
		);
	}
}

function textFile(kind: 'dockerfile' | 'job' | 'vm' | 'vbox', text: string): StagedFile {
	return { name: stagedName(kind, text), content: contentOfBytes(text) };
}
