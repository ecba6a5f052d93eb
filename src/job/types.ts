import type { ImageConfig } from '../image/types.js';
import type { StagedFile } from '../project/types.js';

/** Limits and estimates of one job. */
export interface Resources {
	/** Memory that the container may use, in bytes. */
	readonly memoryBytes: number;
	/** Disk that the slot may use, in bytes: inputs and outputs; the engine's image store is not counted. */
	readonly diskBytes: number;
	/** Expected run time on a reference host (1 GFLOPS), in seconds. */
	readonly expectedSeconds: number;
	/** Run time after which the client gives up, in seconds on a reference host. */
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

/** Whether the container may reach the network. */
export type NetworkPolicy = 'none' | 'host';

/** One file for a job: appears as `/root/shared/<path>` in the container. */
export interface JobInput {
	/** Relative path with `/`, no `..`, not starting with `results/`. */
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
}

/** A batch as it is submitted: what all jobs share, and the jobs. */
export interface BatchSpec {
	/** For people; any text. */
	readonly name: string;
	readonly app: string;
	readonly image: {
		/** `PackedImage.id`. */
		readonly id: string;
		readonly config: ImageConfig;
		readonly packs: readonly StagedFile[];
	};
	/** Replaces the image's entry point. An empty list means none. */
	readonly entrypoint?: readonly string[];
	readonly env?: Readonly<Record<string, string>>;
	readonly inputs?: readonly JobInput[];
	readonly network: NetworkPolicy;
	readonly resources: Resources;
	readonly replication: Replication;
	/** BOINC's priority; higher first. */
	readonly priority?: number;
	readonly jobs: readonly JobSpec[];
}

export interface SubmittedBatch {
	/** `batch.id` in the database. */
	readonly id: number;
	readonly name: string;
	/** Names of the workunits in order of the jobs. */
	readonly jobNames: readonly string[];
	/** Bytes that were sent to the server for it. */
	readonly bytesSent: number;
	/** Plain sentences: which bounds were computed and why, what was warned about. */
	readonly notes: readonly string[];
}
