import { join } from 'node:path';

import { contentOfBytes } from '../common/content.js';
import { abortError, BoincError, throwIfAborted } from '../common/errors.js';
import type { OperationContext } from '../common/ports.js';
import { entriesOf, mapped, type Sequence } from '../common/sequence.js';
import type { Engine } from '../image/engine.js';
import { LayerCache } from '../image/layerCache.js';
import type { ImageConfig, ShippedImage } from '../image/types.js';
import { architecturesOf, installedApps } from '../project/apps.js';
import type { GpuNeeds } from '../project/gpu.js';
import type { Project } from '../project/project.js';
import type { Architecture } from '../project/types.js';
import { chooseApp } from './chooseApp.js';
import { fetchInputs } from './fetchInputs.js';
import { type ImageRequest, imageToShip, NATIVE } from './imageSource.js';
import { keepJobFile } from './keptJobFile.js';
import { checkInput, InputFiles, type LocalInput } from './localInputs.js';
import { ManifestCache } from './manifestCache.js';
import { collectCommand, type Outputs, returnedInputs } from './outputs.js';
import { packBytes } from './packBytes.js';
import { defaultResources } from './resources.js';
import { type ImageToSend, shipImage } from './shipImage.js';
import { expectedPacks, type SubmissionPlan, submissionPlan, USUAL_COMPRESSION } from './submissionPlan.js';
import { submitBatch, type SubmitSteps } from './submit.js';
import type {
	BatchSpec,
	BoincExtras,
	JobInput,
	JobSpec,
	JobSurvey,
	NetworkPolicy,
	Replication,
	Resources,
	SubmittedBatch,
} from './types.js';
import { validateBatch } from './validateBatch.js';

/** What differs from job to job. */
export interface JobRequest {
	readonly command?: readonly string[];
	readonly env?: Readonly<Record<string, string>>;
	readonly inputs?: readonly LocalInput[];
	/** A part of the job's name for people. */
	readonly label?: string;
}

/** A container to run on volunteers' computers, as a person asks for it. */
export interface ContainerRequest extends JobRequest, ImageRequest {
	/** For people; any text. */
	readonly name: string;
	readonly app: string;
	readonly entrypoint?: readonly string[];
	readonly before?: readonly string[];
	readonly after?: readonly string[];
	readonly outputs?: Outputs;
	readonly progressFile?: string;
	/** Default `none`. */
	readonly network?: NetworkPolicy;
	/** Elements that are added to `vbox_job.xml` for virtual machines. */
	readonly vboxJobXml?: string;
	/** Options for the engine's `create`; see `EXTRA_CREATE_ARGS`. */
	readonly createArgs?: string;
	readonly resources?: Partial<Resources>;
	/** Processors of each job; the app must give as many. */
	readonly cpus?: number;
	/** A GPU for each job; the app must give the same. */
	readonly gpu?: GpuNeeds;
	readonly replication?: Partial<Replication>;
	readonly priority?: number;
	readonly boinc?: BoincExtras;
	readonly userId?: number;
	/** Number of equal jobs; each knows its own by `B2D_INDEX` and `B2D_COUNT`. Default 1. Not together with `jobs`. */
	readonly count?: number;
	/** The job file that says all this, which is kept with the batch. */
	readonly jobFile?: string;
	readonly jobs?: Sequence<JobRequest>;
	readonly repeated?: BatchSpec['repeated'];
	readonly stopped?: BatchSpec['stopped'];
}

/** One result suffices; a failed copy is tried again on other hosts up to three times. */
export const DEFAULT_REPLICATION: Replication = {
	minQuorum: 1,
	targetNresults: 1,
	maxErrorResults: 3,
	maxTotalResults: 5,
	maxSuccessResults: 2,
};

/**
 * The whole way of a container: build it (or take it), take it apart into packs, send what the server lacks, create the jobs. Each
 * stage can be cancelled, and what can be refused is refused before the build. Rejects as the stages do.
 */
export async function submitContainer(
	project: Project,
	asked: ContainerRequest,
	services: {
		/** Is shown what will happen before anything is sent; `false` ends it with an `AbortError`. Default: nobody is asked. */
		readonly approve?: (plan: SubmissionPlan) => Promise<boolean>;
		/** Makes the jobs in parts, with waits between them. Default: all at once. */
		readonly steps?: SubmitSteps;
		/** Needed to build and to read the engine's images; an archive is read without it. */
		readonly engine: Engine | undefined;
		/** Folder on this computer in which it is kept what is in layers and in the packs of servers: saves reading that again. */
		readonly cacheDir?: string;
	},
	ctx: OperationContext,
): Promise<SubmittedBatch> {
	const jobs = jobsOf(asked);
	const request = { ...asked, ...(asked.inputs && { inputs: await fetchInputs(asked.inputs, services.cacheDir, ctx) }) };
	const survey = await checkEarly(request, jobs);
	const architecture = await architectureFor(project, request.app, ctx.signal);
	// An image that no version of the app runs is refused before anything of it is sent.
	const check = async (config: ImageConfig): Promise<void> => {
		await chooseApp(
			project,
			request.app,
			{ architecture: config.architecture, cpus: request.cpus, gpu: request.gpu },
			ctx.signal,
		);
	};
	const cacheIn = (name: string): string | undefined => services.cacheDir && join(services.cacheDir, name);
	const layers = new LayerCache(cacheIn('layers'));
	const source = await imageToShip(request, { engine: services.engine, layers }, architecture, check, ctx);
	throwIfAborted(ctx.signal);
	ctx.progress.report({ message: 'Reading the inputs' });
	const files = new InputFiles();
	const inputs = await files.all(request.inputs);
	for (const [, job] of entriesOf(withOwnInputs(jobs))) {
		throwIfAborted(ctx.signal);
		await files.all(job.inputs);
	}
	const jobSpecs = mapped(jobs, (job): JobSpec => ({ ...jobOf(job), inputs: files.known(job.inputs) }));
	// What files of their own jobs have, the early survey did not know.
	const known = withOwnInputs(jobs).length === 0 ? { survey } : {};
	const inputBytes = [...inputs, ...(jobSpecs.at(0)?.inputs ?? [])].reduce((sum, { file }) => sum + file.content.size, 0);
	const specFor = (image: ShippedImage): { spec: BatchSpec; notes: readonly string[]; warnings: readonly string[] } => {
		const sizes = { packBytes: packBytes(image.packs), inputBytes };
		const { resources, notes, warnings } = defaultResources(sizes, request.resources);
		const returned = returnedInputs(request.outputs ?? {}, [...inputs, ...(jobSpecs.at(0)?.inputs ?? [])]);
		return {
			spec: { ...sharedOf(request), image, inputs, resources, jobs: jobSpecs, ...known },
			notes,
			warnings: [...image.warnings, ...warnings, ...returned],
		};
	};
	const approve = async (found: ImageToSend): Promise<void> => {
		const compression = services.approve ? await found.compression() : USUAL_COMPRESSION;
		const { spec, warnings } = specFor({ ...found, packs: expectedPacks(found, compression) });
		// Only now the image is known; what cannot run is refused before anybody is asked and anything is sent.
		validateBatch({ ...spec, survey });
		const said = { given: request.resources ?? {}, warnings };
		const plan = services.approve && (await submissionPlan(project, spec, found, said, ctx));
		if (plan && !(await services.approve(plan))) {
			throw abortError();
		}
	};
	const { bytesSent, ...image } = await shipImage(project, source, new ManifestCache(cacheIn('packs')), ctx, approve);
	const { spec, notes, warnings } = specFor(image);
	const batch = await submitBatch(project, spec, ctx, services.steps);
	if (request.jobFile !== undefined) {
		await keepJobFile(project, batch.id, request.jobFile, ctx);
	}
	// Who was shown the plan knows these.
	const unsaid = services.approve ? [] : [...warnings.map((text) => `Warning: ${text}`), ...notes];
	return { ...batch, bytesSent: batch.bytesSent + bytesSent, notes: [...unsaid, ...batch.notes] };
}

/** The jobs that a request asks for. Throws `job-invalid` for what is no number of jobs. */
export function jobsOf(request: Pick<ContainerRequest, 'count' | 'jobs' | 'command'>): Sequence<JobRequest> {
	const { count, jobs } = request;
	if (jobs && count !== undefined) {
		throw new BoincError('job-invalid', 'The jobs are given one by one and as a number.', { remedy: 'Give either of them.' });
	}
	if (count !== undefined && (!Number.isInteger(count) || count < 1 || count > 1_000_000)) {
		throw new BoincError('job-invalid', `${count} is not a number of jobs.`, {
			remedy: 'Give a whole number from 1 to 1,000,000.',
		});
	}
	const length = count ?? 1;
	const list: Sequence<JobRequest> = jobs ?? { length, at: (index) => (index < length ? {} : undefined) };
	return mapped(list, (job, index) => ({
		...(request.command && { command: request.command }),
		...job,
		env: { B2D_INDEX: String(index), B2D_COUNT: String(list.length), ...job.env },
	}));
}

/** All of them, or none: jobs of a batch have inputs with the same paths, which is checked. */
function withOwnInputs(jobs: Sequence<JobRequest>): Sequence<JobRequest> {
	return (jobs.at(0)?.inputs ?? []).length > 0 ? jobs : [];
}

function jobOf({ command, env, label }: JobRequest): JobSpec {
	return { ...(command && { command }), ...(env && { env }), ...(label !== undefined && { label }) };
}

/** What all jobs of a request share. */
export function sharedOf(request: Omit<ContainerRequest, 'image'>): Omit<BatchSpec, 'image' | 'inputs' | 'resources' | 'jobs'> {
	return {
		name: request.name,
		app: request.app,
		network: request.network ?? 'none',
		replication: replicationOf(request.replication),
		...(request.entrypoint && { entrypoint: request.entrypoint }),
		...(request.env && { env: request.env }),
		...(request.before && { before: request.before }),
		...afterOf(request),
		...(request.progressFile !== undefined && { progressFile: request.progressFile }),
		...(request.vboxJobXml !== undefined && { vboxJobXml: request.vboxJobXml }),
		...(request.createArgs !== undefined && { createArgs: request.createArgs }),
		...(request.cpus !== undefined && { cpus: request.cpus }),
		...(request.gpu && { gpu: request.gpu }),
		...(request.priority !== undefined && { priority: request.priority }),
		...(request.boinc && { boinc: request.boinc }),
		...(request.userId !== undefined && { userId: request.userId }),
		...(request.repeated && { repeated: request.repeated }),
		...(request.stopped && { stopped: request.stopped }),
	};
}

function afterOf({ after, outputs }: Pick<ContainerRequest, 'after' | 'outputs'>): Pick<BatchSpec, 'after'> {
	return outputs ? { after: collectCommand(outputs, after ?? []) } : after ? { after } : {};
}

/** More copies need room for more failures; what is given is kept. No limit may be above that of all copies. */
function replicationOf(given: Partial<Replication> = {}): Replication {
	const minQuorum = given.minQuorum ?? DEFAULT_REPLICATION.minQuorum;
	const targetNresults = given.targetNresults ?? Math.max(minQuorum, DEFAULT_REPLICATION.targetNresults);
	const maxTotalResults = given.maxTotalResults ?? targetNresults + 4;
	return {
		minQuorum,
		targetNresults,
		// BOINC refuses a limit of zero; that there is no second try is the limit of all copies.
		maxErrorResults: Math.max(1, given.maxErrorResults ?? Math.min(DEFAULT_REPLICATION.maxErrorResults, maxTotalResults)),
		maxTotalResults,
		maxSuccessResults: given.maxSuccessResults ?? Math.min(targetNresults + 1, maxTotalResults),
	};
}

/** Refuses what is wrong anyhow before minutes go into a build: the image's part is filled in with what always passes. */
async function checkEarly(request: ContainerRequest, jobs: Sequence<JobRequest>): Promise<JobSurvey> {
	const nothing = { name: 'b2d_none', content: contentOfBytes('') };
	const facts = { size: 0, sha256: '', md5: '', unpackedSize: 0, entries: 0, kind: 'files' as const, generation: 0, times: 0 };
	const stand = (inputs: readonly LocalInput[] | undefined): JobInput[] =>
		(inputs ?? []).map(({ path }) => ({ path, file: nothing }));
	const survey = validateBatch({
		...sharedOf(request),
		image: {
			id: '',
			config: { os: 'linux', architecture: '', entrypoint: ['unknown'], cmd: [], env: [], workingDir: '', user: '', labels: {} },
			packs: [{ name: 'b2d_none', ...facts }],
			treeSize: 0,
			entries: 0,
			sharedLink: '',
			warnings: [],
		},
		inputs: stand(request.inputs),
		resources: defaultResources({ packBytes: 0, inputBytes: 0 }, request.resources).resources,
		jobs: mapped(jobs, (job) => ({ ...jobOf(job), inputs: stand(job.inputs) })),
	});
	await checkInputs(request.inputs ?? [], jobs);
	return survey;
}

/** Refuses local inputs that cannot be read: `input-missing`. */
export async function checkInputs(shared: readonly LocalInput[], jobs: Sequence<JobRequest>): Promise<void> {
	const files = new Map(shared.map(({ file, place }) => [file, place]));
	for (const [, { inputs }] of entriesOf(withOwnInputs(jobs))) {
		inputs?.forEach(({ file, place }) => files.set(file, place));
	}
	for (const [file, place] of files) {
		await checkInput(file, place);
	}
}

/** The architecture that the image must be for: this computer's, if the app runs it. */
async function architectureFor(project: Project, name: string, signal: AbortSignal | undefined): Promise<Architecture> {
	const app = (await installedApps(project, signal)).find((each) => each.name === name);
	if (!app) {
		throw new BoincError('app-missing', `The project ${project.name} has no app “${name}”.`, {
			remedy: 'Install the app first: Install App in the editor, or boinc2docker install.',
			detail: { app: name },
		});
	}
	const own = NATIVE[process.arch] ?? 'amd64';
	const known = architecturesOf(app);
	return known.includes(own) ? own : (known[0] ?? own);
}
