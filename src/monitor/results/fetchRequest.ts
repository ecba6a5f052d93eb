/** Where the results of a batch are and where they shall go. */
export interface FetchRequest {
	/** Folder on the server that the app's assimilator collects into. */
	readonly resultsDir: string;
	readonly batch: { readonly id: number; readonly name: string };
	/** Local folder; a folder for the batch is made in it. */
	readonly folder: string;
	/** Only these jobs; all that have results by default. */
	readonly jobs?: readonly string[];
	/** Whether results that were fetched, and whose folders a person removed, are fetched again. Default yes. */
	readonly removed?: 'restore' | 'leave';
	/** Seconds to wait while another window or command puts results of the same batch into the same folder. Default 0. */
	readonly patience?: number;
	/** Names for the folders of jobs, instead of the jobs' own. */
	readonly names?: ReadonlyMap<string, string>;
	/** Parameters by job, for the table of metrics. */
	readonly parameters?: ReadonlyMap<string, ReadonlyMap<string, string>>;
	/** Folder with our other programs. Default: the one that this program is in. */
	readonly programs?: string;
	/** MD5 of the files as the hosts reported them, by job, for those of `jobs`. What is absent is not compared. */
	readonly hashes?: (jobs: readonly string[]) => Promise<ReadonlyMap<string, string>>;
}

export interface FetchReport {
	/** The batch's local folder. */
	readonly folder: string;
	/** Jobs whose results were fetched now. */
	readonly fetched: readonly string[];
	/** Jobs whose results were there already. */
	readonly already: readonly string[];
	/** Jobs whose results could not be had, and why. */
	readonly failed: readonly { readonly job: string; readonly why: string }[];
	/** Entries of results that were not written, as `job/path: why`. */
	readonly refused: readonly string[];
	/** The table of all metrics; `undefined` when a file in the way is not ours. */
	readonly metrics: string | undefined;
}
