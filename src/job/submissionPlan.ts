import type { OperationContext } from '../common/ports.js';
import type { Sequence } from '../common/sequence.js';
import type { PackFacts } from '../image/types.js';
import { equipmentOfApp, usesMachines } from '../project/apps.js';
import type { Project } from '../project/project.js';
import { chooseApp, needsOf } from './chooseApp.js';
import { hostNeeds } from './hostNeeds.js';
import { packBytes } from './packBytes.js';
import { jobWords } from './parameters.js';
import { boincBounds } from './resources.js';
import type { ImageToSend } from './shipImage.js';
import type { BatchSpec, JobInput, JobSpec } from './types.js';

/** What a submission will do, worked out before anything is sent. Sizes in bytes, times in seconds. */
export interface SubmissionPlan {
	readonly name: string;
	readonly app: string;
	/** > 0: the jobs are for this version of the app only. */
	readonly versionNum: number;
	readonly jobs: number;
	readonly image: {
		readonly id: string;
		readonly architecture: string;
		readonly treeBytes: number;
		/** Packs of it that the server has. */
		readonly keptPacks: number;
		readonly newPacks: number;
		/** Of the new packs, before they are compressed, and about how many it will be. */
		readonly newBytes: number;
		readonly newPackedBytes: number;
	};
	/** Inputs of all jobs and of single ones; what the server has of them is not sent. */
	readonly inputBytes: number;
	/** Of all parameter tables; estimated from some jobs. */
	readonly tableBytes: number;
	/** What a host fetches: the image once, the rest for each job. New packs are estimated. */
	readonly hostImageBytes: number;
	readonly hostJobBytes: number;
	readonly resources: BatchSpec['resources'];
	/** Nobody gave a limit of disk, and what new packs will take is estimated. */
	readonly diskEstimated: boolean;
	readonly replication: BatchSpec['replication'];
	readonly network: BatchSpec['network'];
	/** Processors of each job. */
	readonly cpus: number;
	/** Of each job. */
	readonly gpu: BatchSpec['gpu'];
	/** In sentences: what hosts cannot keep of the image, limits that may be too low, inputs that would be sent back. */
	readonly warnings: readonly string[];
	/** What BOINC asks of hosts. */
	readonly bounds: ReturnType<typeof boincBounds>;
}

/** The usual share of a tar that is left by gzip. */
export const USUAL_COMPRESSION = 0.4;
/** Jobs that are looked at for the size of the tables. */
const SAMPLE = 100;
/** Jobs that share a table. */
const TABLE_JOBS = 500;
const NAME_BYTES = 24;

/** Packs as they will be, as far as sizes go. `compression` is bytes of gzip for a byte of tar. */
export function expectedPacks({ packs, newPacks, newBytes }: ImageToSend, compression: number): PackFacts[] {
	const fresh: PackFacts = {
		name: 'b2d_pack_new.tar.gz',
		...{ size: Math.round(newBytes * compression), unpackedSize: newBytes, entries: 0, sha256: '', md5: '' },
		...{ kind: 'files', generation: 0, times: 0 },
	};
	return newPacks === 0 ? [...packs] : [...packs, fresh];
}

/** Works the plan of a batch out; its packs are those of `expectedPacks`. Rejects as `chooseApp` does. */
export async function submissionPlan(
	project: Project,
	spec: BatchSpec,
	image: ImageToSend,
	{ given, warnings }: { readonly given: Partial<BatchSpec['resources']>; readonly warnings: readonly string[] },
	ctx: OperationContext,
): Promise<SubmissionPlan> {
	const { app, appVersionNum } = await chooseApp(project, spec.app, needsOf(spec), ctx.signal);
	const own = spec.jobs.at(0)?.inputs ?? [];
	const jobBytes = lineBytes(spec.jobs);
	const common = bytesOf(spec.inputs ?? []);
	return {
		name: spec.name,
		app: spec.app,
		versionNum: spec.boinc?.appVersionNum ?? appVersionNum ?? 0,
		jobs: spec.jobs.length,
		image: {
			id: spec.image.id,
			architecture: spec.image.config.architecture,
			treeBytes: spec.image.treeSize,
			keptPacks: image.packs.length,
			newPacks: image.newPacks,
			newBytes: image.newBytes,
			newPackedBytes: packBytes(spec.image.packs) - packBytes(image.packs),
		},
		inputBytes: common + bytesOf(own) * spec.jobs.length,
		tableBytes: jobBytes * spec.jobs.length,
		hostImageBytes: packBytes(spec.image.packs),
		hostJobBytes: common + bytesOf(own) + jobBytes * Math.min(TABLE_JOBS, spec.jobs.length),
		resources: spec.resources,
		diskEstimated: given.diskBytes === undefined && image.newPacks > 0,
		replication: spec.replication,
		network: spec.network,
		cpus: equipmentOfApp(app).cpus,
		gpu: spec.gpu,
		warnings,
		bounds: boincBounds(spec.resources, hostNeeds(spec, usesMachines(app)), equipmentOfApp(app)),
	};
}

const bytesOf = (inputs: readonly JobInput[]): number => inputs.reduce((sum, { file }) => sum + file.content.size, 0);

/** Bytes of a job's line on the average, from jobs over the whole of the list. */
function lineBytes(jobs: Sequence<JobSpec>): number {
	const looked = Math.min(SAMPLE, jobs.length);
	let bytes = 0;
	for (let n = 0; n < looked; n++) {
		const job = jobs.at(Math.floor((n * jobs.length) / looked));
		const env = Object.entries(job?.env ?? {}).map(([name, value]) => `${name}=${value}`);
		bytes += NAME_BYTES + jobWords({ argv: job?.command ?? [], env }).length;
	}
	return Math.round(bytes / Math.max(1, looked));
}
