import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';

import { type Content, contentOfBytes } from '../../common/content.js';
import { BoincError, messageOf, throwIfAborted } from '../../common/errors.js';
import type { OperationContext } from '../../common/ports.js';
import type { Engine } from '../../image/engine.js';
import { factsOf, type FlatImage } from '../../image/flattenImage.js';
import { LayerCache } from '../../image/layerCache.js';
import { byOrder } from '../../image/pack/choosePacks.js';
import { dockerfileFor, imageName } from '../../image/recipe.js';
import type { Pack, PackFacts } from '../../image/types.js';
import { anyBusybox } from '../../project/anyBusybox.js';
import type { Architecture } from '../../project/types.js';
import { fetchInputs } from '../fetchInputs.js';
import { imageToShip, NATIVE } from '../imageSource.js';
import { jobToml } from '../jobToml.js';
import { InputFiles } from '../localInputs.js';
import { jobName } from '../names.js';
import { packBytes } from '../packBytes.js';
import { parameterTable } from '../parameters.js';
import { PARAMETERS, planBatch } from '../planBatch.js';
import { defaultResources } from '../resources.js';
import { runnerScript } from '../runner.js';
import { type ContainerRequest, jobsOf, sharedOf } from '../submitImage.js';
import type { BatchSpec, Resources } from '../types.js';
import { type EnginePlan, enginePlan } from './enginePlan.js';
import type { LocalSlot } from './localSlot.js';
import { slotParent } from './reproduce.js';
import { type LocalRunReport, runSlot } from './runSlot.js';

export interface LocalRunRequest extends Omit<ContainerRequest, 'app'> {
	/** Which of the jobs; from 0. */
	readonly index: number;
	/** Receives the program's output as it comes. */
	readonly onOutput: (chunk: Uint8Array) => void;
	/** A static busybox; by default one is found. */
	readonly busybox?: string;
}

/** What a job took here, and what its image takes on the hosts. */
export interface LocalJobReport extends LocalRunReport {
	/** Name of the folder and of the job. */
	readonly job: string;
	/** Bytes of the image's packs, which lie in the slot too on a volunteer's host. */
	readonly imageBytes: number;
	/** The limits that held. */
	readonly resources: Resources;
}

/** No project is needed for a local run, so the longest usual addresses stand in for it. */
const NO_PROJECT = { masterUrl: 'https://example.org/project/', downloadUrl: 'https://example.org/project/download' };

/**
 * Runs one job of a batch on this computer before anything is submitted: the same image, made of the same packs by the same
 * recipe, the same runner, mounts, limits, parameters and packing of the result as on a volunteer's host. `take` gets the
 * report while the packed result is still there. Rejects as building, `flattenImage`, `planBatch`, `runSlot` and `take` do.
 */
export async function runLocally<T>(
	asked: LocalRunRequest,
	services: { readonly engine: Engine; readonly cacheDir?: string },
	take: (report: LocalJobReport) => Promise<T>,
	ctx: OperationContext,
): Promise<T> {
	const { engine, cacheDir } = services;
	const request = { ...asked, ...(asked.inputs && { inputs: await fetchInputs(asked.inputs, cacheDir, ctx) }) };
	const architecture = NATIVE[process.arch] ?? 'amd64';
	const layers = new LayerCache(cacheDir === undefined ? undefined : path.join(cacheDir, 'layers'));
	const source = await imageToShip(request, { engine, layers }, architecture, () => Promise.resolve(), ctx);
	const image = await source.open();
	const dir = await mkdtemp(path.join(slotParent(), 'b2d-local-'));
	try {
		const busybox = await anyBusybox(architectureOf(image, architecture), cacheDir, ctx, request.busybox);
		const packs = new ImagePacks(image, cacheDir);
		const spec = await specOf(request, image, await packs.facts());
		const slot = await localSlot(dir, request, spec, { busybox, packs }, ctx);
		const report = await runSlot(slot, engine, request.onOutput, ctx);
		return await take({ ...report, job: slot.job, imageBytes: await packs.bytes(), resources: spec.resources });
	} finally {
		await image.dispose();
		await rm(dir, { recursive: true, force: true }).catch((error: unknown) => {
			ctx.log.warn(`The folder ${dir} could not be removed: ${messageOf(error)}`);
		});
	}
}

function architectureOf({ config }: FlatImage, own: Architecture): Architecture {
	const found = (['amd64', 'arm64'] as const).find((each) => each === config.architecture);
	if (found === undefined) {
		throw new BoincError('image-unsupported', `The image is for ${config.architecture}, which no volunteer’s host runs.`, {
			remedy: `Build the image for linux/${own}.`,
		});
	}
	return found;
}

/** The packs of an image. They are made only when the engine does not have the image; their size is remembered. */
class ImagePacks {
	readonly #image: FlatImage;
	readonly #record: string | undefined;
	#made: readonly PackFacts[] = [];

	constructor(image: FlatImage, cacheDir: string | undefined) {
		this.#image = image;
		this.#record = cacheDir === undefined ? undefined : path.join(cacheDir, 'local-images', image.id);
	}

	/** One that stands for all of them. */
	async facts(): Promise<PackFacts[]> {
		const facts = { unpackedSize: this.#image.treeSize, entries: this.#image.entries, sha256: '', md5: '' };
		return [{ name: 'b2d_pack_local.tar.gz', size: await this.bytes(), ...facts, kind: 'files', generation: 0, times: 0 }];
	}

	/** Bytes of all packs; a guess for an image that was never packed on this computer. */
	async bytes(): Promise<number> {
		if (this.#made.length > 0) {
			return packBytes(this.#made);
		}
		const text = this.#record === undefined ? '' : await readFile(this.#record, 'utf8').catch(() => '');
		return Number(text) > 0 ? Number(text) : Math.round(this.#image.treeSize * 0.4);
	}

	/** Makes them in a folder, with the recipe. */
	async write(dir: string, ctx: OperationContext): Promise<void> {
		const packs: Pack[] = [];
		for await (const pack of this.#image.write(await this.#image.plan([]), ctx)) {
			await writeFile(path.join(dir, pack.name), pack.content.open(0));
			await this.#image.discard(pack);
			packs.push(pack);
		}
		this.#made = packs.sort(byOrder);
		const { id, config } = this.#image;
		await writeFile(path.join(dir, 'Dockerfile'), dockerfileFor({ id, config, packs: packs.map(({ name }) => name) }));
		if (this.#record !== undefined) {
			await mkdir(path.dirname(this.#record), { recursive: true });
			await writeFile(this.#record, String(packBytes(packs)));
		}
	}
}

async function specOf(request: LocalRunRequest, image: FlatImage, packs: readonly PackFacts[]): Promise<BatchSpec> {
	const jobs = jobsOf(request);
	const job = jobs.at(request.index);
	if (!job) {
		throw new BoincError('job-invalid', `There is no job ${request.index}; the jobs have the numbers 0 to ${jobs.length - 1}.`, {
			remedy: 'Give another number.',
		});
	}
	const files = new InputFiles();
	const [inputs, own] = [await files.all(request.inputs), await files.all(job.inputs)];
	const inputBytes = [...inputs, ...own].reduce((sum, { file }) => sum + file.content.size, 0);
	const sizes = { packBytes: packBytes(packs), inputBytes };
	const { resources } = defaultResources(sizes, request.resources);
	const { label, ...rest } = job;
	return {
		...sharedOf({ ...request, app: 'local' }),
		image: { ...factsOf(image), packs },
		inputs,
		resources,
		jobs: [{ ...rest, ...(label !== undefined && { label }), inputs: own }],
	};
}

/** As docker_wrapper does for more than one; an engine refuses more than there are. */
function withProcessors(plan: EnginePlan, cpus = 1): EnginePlan {
	const here = Math.min(cpus, availableParallelism());
	return cpus === 1 ? plan : { ...plan, createArguments: [...plan.createArguments, '--cpus', String(here)] };
}

async function localSlot(
	dir: string,
	{ index }: LocalRunRequest,
	spec: BatchSpec,
	{ busybox, packs }: { readonly busybox: Content; readonly packs: ImagePacks },
	ctx: OperationContext,
): Promise<LocalSlot> {
	const plan = planBatch(spec, NO_PROJECT);
	const job = spec.jobs.at(0) ?? {};
	const name = jobName(0, index, job.label);
	const toml = jobToml(imageName(spec.image.id), spec);
	const files: [string, Content, number?][] = [
		['job.toml', contentOfBytes(toml)],
		[PARAMETERS, contentOfBytes(parameterTable(plan.common, [`${name} ${plan.wordsOf(job)}`]))],
		['busybox', busybox, 0o755],
		['runner', contentOfBytes(runnerScript), 0o755],
		[
			'init_data.xml',
			contentOfBytes(`<app_init_data>\n<wu_name>${name}</wu_name>\n<result_name>${name}_local</result_name>\n</app_init_data>\n`),
		],
		...[...(spec.inputs ?? []), ...(job.inputs ?? [])].map(({ path: inner, file }): [string, Content] => [
			plan.openNames.get(inner) ?? inner,
			file.content,
		]),
	];
	await mkdir(path.join(dir, 'shared'), { recursive: true });
	// The container's account is another one.
	await chmod(dir, 0o755);
	for (const [openName, content, mode] of files) {
		throwIfAborted(ctx.signal);
		const target = path.join(dir, openName);
		await mkdir(path.dirname(target), { recursive: true });
		await writeFile(target, content.open(0), { mode: mode ?? 0o644 });
	}
	return {
		dir,
		job: name,
		plan: withProcessors(enginePlan(toml), spec.cpus),
		diskBytes: spec.resources.diskBytes,
		fetchImage: (context) => packs.write(dir, context),
	};
}
