import type { Sequence } from '../common/sequence.js';
import type { ShippedImage } from '../image/types.js';
import type { GpuNeeds } from '../project/gpu.js';
import type { StagedFile } from '../project/types.js';

/** Limits and estimates of one job. */
export interface Resources {
	/** Memory that the container may use, in bytes. */
	readonly memoryBytes: number;
	/** Disk that the slot may use, in bytes: inputs and outputs; the engine's image store is not counted. */
	readonly diskBytes: number;
	/** Expected run time on an ordinary host (`REFERENCE_FLOPS` of `resources.ts`), in seconds. */
	readonly expectedSeconds: number;
	/** Seconds after which the runner stops the program, on any host; the time in which the job is suspended does not count. */
	readonly limitSeconds: number;
	/** From sending to deadline, in seconds. */
	readonly delayBoundSeconds: number;
	/** Largest `results.tgz` that is accepted, in bytes. */
	readonly maxOutputBytes: number;
}

/** Replication and retries; the names are BOINC's. */
export interface Replication {
	readonly minQuorum: number;
	readonly targetNresults: number;
	readonly maxErrorResults: number;
	readonly maxTotalResults: number;
	readonly maxSuccessResults: number;
}

/**
 * Whether the container may reach the network: not at all, through the engine's own network (the Internet, but not
 * what listens on the host's loopback), or as the host does.
 */
export const NETWORK_POLICIES = ['none', 'bridge', 'host'] as const;
export type NetworkPolicy = (typeof NETWORK_POLICIES)[number];

/** One file for a job: appears as `/root/shared/<path>` in the container. */
export interface JobInput {
	/** Relative path with `/`, no `..`, not starting with `results/`; any characters but NUL. */
	readonly path: string;
	readonly file: StagedFile;
}

/** What differs from job to job. */
export interface JobSpec {
	/** Replaces the image's command. Absent: the image's own. */
	readonly command?: readonly string[];
	/** Added to the image's and the batch's environment. */
	readonly env?: Readonly<Record<string, string>>;
	/** Besides the batch's inputs. All jobs of a batch have the same input paths. */
	readonly inputs?: readonly JobInput[];
	/** A part of the job's name for people: at most 60 letters, digits, `-` and `_`. */
	readonly label?: string;
}

/** What `create_work` can do besides what the other fields of a batch say; names and meanings are BOINC's. */
export interface BoincExtras {
	/** Credit to grant when the validator runs with `--credit_from_wu`. */
	readonly credit?: number;
	/** Homogeneous redundancy class. */
	readonly hrClass?: number;
	/** For apps with several size classes of hosts. */
	readonly sizeClass?: number;
	/** Numbers of keywords, as BOINC lists them. */
	readonly keywords?: readonly number[];
	/** Shown to volunteers beside the app's name. */
	readonly subAppname?: string;
	/** Only this host, user or team gets the jobs; the project needs `enable_assignment`. */
	readonly target?: { readonly kind: 'host' | 'user' | 'team'; readonly id: number };
	/** Every host of the project, of a user or of a team runs each job; the project needs `enable_assignment_multi`. */
	readonly broadcast?: { readonly kind: 'all' } | { readonly kind: 'user' | 'team'; readonly id: number };
	/** Exactly this version number of the app. Default: chosen by the image's architecture where that is needed. */
	readonly appVersionNum?: number;
}

/** What a look at each job of a batch found. */
export interface JobSurvey {
	/** Characters; 0 without labels. */
	readonly longestLabel: number;
	/** Bytes of the inputs of its own of that job which has most. */
	readonly mostInputBytes: number;
	/** The inputs of single jobs, each once. */
	readonly files: readonly StagedFile[];
	/** Hash of what the jobs are told themselves: equal for equal jobs. */
	readonly digest: string;
	/** Characters of arguments and variables of that job which has most of its own. */
	readonly mostWords: { readonly bytes: number; readonly index: number };
	/** `own commands`: each job names a program, unless the image does; `arguments only`: some name none. */
	readonly runs: 'own commands' | 'the image’s command' | 'arguments only';
}

/** A batch as it is submitted: what all jobs share, and the jobs. */
export interface BatchSpec {
	/** For people; any text. */
	readonly name: string;
	readonly app: string;
	/** Its packs are staged already, by `shipImage`. */
	readonly image: ShippedImage;
	/** Replaces the image's entry point. An empty list means none. */
	readonly entrypoint?: readonly string[];
	readonly env?: Readonly<Record<string, string>>;
	readonly inputs?: readonly JobInput[];
	/** Runs in the container before the program, as the same user; the job fails if it fails. */
	readonly before?: readonly string[];
	/** Runs in the container after the program, also if that failed. */
	readonly after?: readonly string[];
	/** File below `/root/shared` in which the program writes its progress, a number from 0 to 1. Default `fraction_done`. */
	readonly progressFile?: string;
	readonly network: NetworkPolicy;
	/** Elements that are added to `vbox_job.xml`; hosts that run the job in a container have no use for them. */
	readonly vboxJobXml?: string;
	/** Options for the engine's `create`; see `EXTRA_CREATE_ARGS`. */
	readonly createArgs?: string;
	readonly resources: Resources;
	/** Processors of each job; the app must give as many. Absent: what the app gives. */
	readonly cpus?: number;
	/** A GPU for each job; the app must give the same. Absent: none. */
	readonly gpu?: GpuNeeds;
	readonly replication: Replication;
	/** BOINC's priority; higher first. */
	readonly priority?: number;
	readonly boinc?: BoincExtras;
	/** `user.id` that owns the batch on the project's web pages. Default: the project's first user. */
	readonly userId?: number;
	readonly jobs: Sequence<JobSpec>;
	/** Of these jobs, where they were looked at before: a million of them take a while. */
	readonly survey?: JobSurvey;
	/** When equal jobs were submitted before: make new ones (the default), or take the batch that is there. */
	readonly repeated?: 'new' | 'take';
	/** When the person stops it midway: take back what was made (the default), or keep it, for the next call to go on from there. */
	readonly stopped?: 'take back' | 'keep';
}

export interface SubmittedBatch {
	/** `batch.id` in the database. */
	readonly id: number;
	readonly name: string;
	/** Number of its jobs. */
	readonly jobs: number;
	/** Names of the workunits in order of the jobs. */
	readonly jobNames: Sequence<string>;
	/** Bytes that were sent to the server for it. */
	readonly bytesSent: number;
	/** Whether it was there already, with all jobs. */
	readonly isOld: boolean;
	/** Plain sentences: which bounds were computed and why, what was warned about. */
	readonly notes: readonly string[];
}
