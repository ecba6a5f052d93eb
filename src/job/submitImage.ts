import { join } from 'node:path';

import { contentOfBytes } from '../common/content.js';
import { BoincError, throwIfAborted } from '../common/errors.js';
import type { OperationContext } from '../common/ports.js';
import type { BuildRequest, Engine } from '../image/engine.js';
import { LayerCache } from '../image/layerCache.js';
import type { ImageConfig } from '../image/types.js';
import { architecturesOf, installedApps } from '../project/apps.js';
import type { Project } from '../project/project.js';
import type { Architecture } from '../project/types.js';
import { chooseApp } from './chooseApp.js';
import { imageOfEngine, openChecked } from './imageOfEngine.js';
import { checkInput, InputFiles, type LocalInput } from './localInputs.js';
import { ManifestCache } from './manifestCache.js';
import { packBytes } from './packBytes.js';
import { defaultResources } from './resources.js';
import { type ImageToShip, shipImage } from './shipImage.js';
import { submitBatch } from './submit.js';
import type {
	BatchSpec,
	BoincExtras,
	JobInput,
	JobSpec,
	NetworkPolicy,
	Replication,
	Resources,
	SubmittedBatch,
} from './types.js';
import { validateBatch } from './validateBatch.js';

/** Where the image comes from: built now, in the engine already, or saved in a file by `docker save`. */
export type ImageSource =
	| {
			readonly kind: 'dockerfile';
			readonly contextDir: string;
			/** Relative to `contextDir`, or absolute. */
			readonly dockerfile: string;
			readonly buildArgs?: Readonly<Record<string, string>>;
			readonly target?: string;
			/** As `linux/arm64`. Default: what the app's versions run. */
			readonly platform?: string;
	  }
	| { readonly kind: 'reference'; readonly reference: string }
	| { readonly kind: 'archive'; readonly file: string };

/** What differs from job to job. */
export interface JobRequest {
	readonly command?: readonly string[];
	readonly env?: Readonly<Record<string, string>>;
	readonly inputs?: readonly LocalInput[];
	/** A part of the job's name for people. */
	readonly label?: string;
}

/** A container to run on volunteers' computers, as a person asks for it. */
export interface ContainerRequest extends JobRequest {
	/** For people; any text. */
	readonly name: string;
	readonly app: string;
	readonly image: ImageSource;
	readonly entrypoint?: readonly string[];
	readonly before?: readonly string[];
	readonly after?: readonly string[];
	readonly progressFile?: string;
	/** Default `none`. */
	readonly network?: NetworkPolicy;
	/** Elements that are added to `vbox_job.xml` for virtual machines. */
	readonly vboxJobXml?: string;
	readonly resources?: Partial<Resources>;
	readonly replication?: Partial<Replication>;
	readonly priority?: number;
	readonly boinc?: BoincExtras;
	readonly userId?: number;
	/** Number of equal jobs; each knows its own by `B2D_INDEX` and `B2D_COUNT`. Default 1. Not together with `jobs`. */
	readonly count?: number;
	readonly jobs?: readonly JobRequest[];
	/** Folder for temporary files as big as the image. Default: the system's. */
	readonly tempDir?: string;
	/** Receives the lines of the build. */
	readonly onLog?: (line: string) => void;
}

/** One result suffices; a failed copy is tried again on other hosts up to four times. */
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
	request: ContainerRequest,
	services: {
		/** Needed to build and to read the engine's images; an archive is read without it. */
		readonly engine: Engine | undefined;
		/** Folder on this computer in which it is kept what is in layers and in the packs of servers: saves reading that again. */
		readonly cacheDir?: string;
	},
	ctx: OperationContext,
): Promise<SubmittedBatch> {
	const jobs = jobsOf(request);
	await checkEarly(request, jobs);
	const architecture = await architectureFor(project, request.app, ctx.signal);
	// An image that no version of the app runs is refused before anything of it is sent.
	const check = async (config: ImageConfig): Promise<void> => {
		await chooseApp(project, request.app, config.architecture, ctx.signal);
	};
	const cacheIn = (name: string): string | undefined => services.cacheDir && join(services.cacheDir, name);
	const layers = new LayerCache(cacheIn('layers'));
	const source = await imageToShip(request, { engine: services.engine, layers }, architecture, check, ctx);
	throwIfAborted(ctx.signal);
	ctx.progress.report({ message: 'Reading the inputs' });
	const files = new InputFiles();
	const inputs = await files.all(request.inputs);
	const jobSpecs: JobSpec[] = [];
	for (const job of jobs) {
		throwIfAborted(ctx.signal);
		jobSpecs.push({ ...jobOf(job), inputs: await files.all(job.inputs) });
	}
	const { bytesSent, ...image } = await shipImage(project, source, new ManifestCache(cacheIn('packs')), ctx);
	const inputBytes = [...inputs, ...(jobSpecs[0]?.inputs ?? [])].reduce((sum, { file }) => sum + file.content.size, 0);
	const sizes = { packBytes: packBytes(image.packs), treeBytes: image.treeSize, inputBytes };
	const { resources, notes } = defaultResources(sizes, request.resources);
	const spec: BatchSpec = { ...sharedOf(request), image, inputs, resources, jobs: jobSpecs };
	const batch = await submitBatch(project, spec, ctx);
	return { ...batch, bytesSent: batch.bytesSent + bytesSent, notes: [...image.warnings, ...notes, ...batch.notes] };
}

function jobsOf(request: ContainerRequest): JobRequest[] {
	const { count, jobs } = request;
	if (jobs && count !== undefined) {
		throw new BoincError('job-invalid', 'The jobs are given one by one and as a number.', { remedy: 'Give either of them.' });
	}
	if (count !== undefined && (!Number.isInteger(count) || count < 1 || count > 1_000_000)) {
		throw new BoincError('job-invalid', `${count} is not a number of jobs.`, {
			remedy: 'Give a whole number from 1 to 1,000,000.',
		});
	}
	const list: readonly JobRequest[] = jobs ?? Array.from({ length: count ?? 1 }, () => ({}));
	return list.map((job, index) => ({
		...(request.command && { command: request.command }),
		...job,
		env: { B2D_INDEX: String(index), B2D_COUNT: String(list.length), ...job.env },
	}));
}

function jobOf({ command, env, label }: JobRequest): JobSpec {
	return { ...(command && { command }), ...(env && { env }), ...(label !== undefined && { label }) };
}

function sharedOf(request: ContainerRequest): Omit<BatchSpec, 'image' | 'inputs' | 'resources' | 'jobs'> {
	return {
		name: request.name,
		app: request.app,
		network: request.network ?? 'none',
		replication: replicationOf(request.replication),
		...(request.entrypoint && { entrypoint: request.entrypoint }),
		...(request.env && { env: request.env }),
		...(request.before && { before: request.before }),
		...(request.after && { after: request.after }),
		...(request.progressFile !== undefined && { progressFile: request.progressFile }),
		...(request.vboxJobXml !== undefined && { vboxJobXml: request.vboxJobXml }),
		...(request.priority !== undefined && { priority: request.priority }),
		...(request.boinc && { boinc: request.boinc }),
		...(request.userId !== undefined && { userId: request.userId }),
	};
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
async function checkEarly(request: ContainerRequest, jobs: readonly JobRequest[]): Promise<void> {
	const nothing = { name: 'b2d_none', content: contentOfBytes('') };
	const facts = { size: 0, sha256: '', md5: '', unpackedSize: 0, entries: 0, kind: 'files' as const, generation: 0, times: 0 };
	const stand = (inputs: readonly LocalInput[] | undefined): JobInput[] =>
		(inputs ?? []).map(({ path }) => ({ path, file: nothing }));
	validateBatch({
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
		resources: defaultResources({ packBytes: 0, treeBytes: 0, inputBytes: 0 }, request.resources).resources,
		jobs: jobs.map((job) => ({ ...jobOf(job), inputs: stand(job.inputs) })),
	});
	for (const file of new Set([request, ...jobs].flatMap(({ inputs }) => (inputs ?? []).map((input) => input.file)))) {
		await checkInput(file);
	}
}

const NATIVE: Readonly<Partial<Record<NodeJS.Architecture, Architecture>>> = { x64: 'amd64', arm64: 'arm64' };

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

/** Builds the image if it must be built, and finds out what can be known of it without reading it. */
async function imageToShip(
	{ image, tempDir, onLog }: ContainerRequest,
	{ engine, layers }: { readonly engine: Engine | undefined; readonly layers: LayerCache },
	architecture: Architecture,
	check: (config: ImageConfig) => Promise<void>,
	ctx: OperationContext,
): Promise<ImageToShip> {
	const asked = image.kind === 'dockerfile' ? image.platform?.split('/')[1] : undefined;
	const options = { layers, architecture: asked ?? architecture, ...(tempDir !== undefined && { tempDir }) };
	if (image.kind === 'archive') {
		return { key: undefined, open: () => openChecked({ file: image.file }, { ...options, check }, ctx) };
	}
	if (!engine) {
		throw new BoincError('engine-missing', 'This image cannot be read without a container engine.', {
			remedy: 'Install Docker or Podman, or give an image that was saved in a file.',
		});
	}
	let reference: string;
	if (image.kind === 'dockerfile') {
		ctx.progress.report({ message: 'Building the image' });
		reference = await engine.build(buildRequestOf(image, architecture, onLog), ctx);
	} else {
		reference = image.reference;
	}
	return imageOfEngine(engine, reference, { ...options, check }, ctx);
}

function buildRequestOf(
	image: Extract<ImageSource, { kind: 'dockerfile' }>,
	architecture: Architecture,
	onLog: ((line: string) => void) | undefined,
): BuildRequest {
	// Some engines fetch a base image anew for a platform that is named, so this computer's own is not.
	const wanted = image.platform ?? (architecture === NATIVE[process.arch] ? undefined : `linux/${architecture}`);
	return {
		contextDir: image.contextDir,
		dockerfile: image.dockerfile,
		...(image.buildArgs && { buildArgs: image.buildArgs }),
		...(image.target !== undefined && { target: image.target }),
		...(wanted !== undefined && { platform: wanted }),
		...(onLog && { onLog }),
	};
}
