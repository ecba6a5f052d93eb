import { BoincError, messageOf } from '../../common/errors.js';
import { given } from '../../common/given.js';
import type { OperationContext } from '../../common/ports.js';
import type { JobParameters } from '../../job/parameters.js';
import type { Project } from '../../project/project.js';
import { resultsDirectory } from '../../project/resultsDirectory.js';
import { jobParameters } from '../jobParameters.js';
import type { Queries } from '../queries.js';
import { parameterColumns, parameterNames } from './batchNames.js';
import type { FetchReport, FetchRequest } from './fetchRequest.js';
import { fetchResults } from './fetchResults.js';

/** Whose results. */
export interface ResultBatch {
	readonly id: number;
	readonly name: string;
	readonly appId: number;
}

export interface BatchFetchOptions {
	/** Local folder; a folder for the batch is made in it. */
	readonly folder: string;
	/** Only these jobs. */
	readonly jobs?: readonly string[];
	/** See `FetchRequest`. */
	readonly removed?: 'restore' | 'leave';
	/** See `FetchRequest`. */
	readonly patience?: number;
	/** How the folders of jobs are called. Default: by what differs between the jobs. */
	readonly naming?: 'parameters' | 'job';
}

/** In larger batches folders have the names of jobs: their parameter tables would have to be read to the last first. */
const MOST_NAMED = 10_000;
const AT_ONCE = 500;

/** The results of one batch: knows where they are, their hashes, and what the jobs were told, which it reads once. */
export class BatchResults {
	readonly #project: Project;
	readonly #batch: ResultBatch;
	#told: { readonly jobs: number; readonly values: ReadonlyMap<string, JobParameters> } | undefined;

	constructor(project: Project, batch: ResultBatch) {
		this.#project = project;
		this.#batch = batch;
	}

	/** Fetches what is not there yet; see `fetchResults`. */
	async fetch(options: BatchFetchOptions, ctx: OperationContext): Promise<FetchReport> {
		return fetchResults(this.#project.connection, await this.request(options, ctx), ctx);
	}

	/** What `fetchBatches` needs to know for that. */
	async request(options: BatchFetchOptions, ctx: OperationContext): Promise<FetchRequest> {
		const { folder, jobs, removed, patience, naming = 'parameters' } = options;
		const db = await this.#project.database();
		const values = await this.#values(db, ctx);
		return {
			resultsDir: await resultsDirectory(this.#project, this.#batch.appId),
			batch: this.#batch,
			folder,
			parameters: parameterColumns(values),
			hashes: (names) => reportedHashes(db, names),
			...given({ jobs, removed, patience, names: naming === 'parameters' ? parameterNames(values) : undefined }),
		};
	}

	/** What each job was told; empty when that cannot be known any more. */
	async #values(db: Queries, ctx: OperationContext): Promise<ReadonlyMap<string, JobParameters>> {
		const [row] = await db.select('SELECT COUNT(*) AS n FROM workunit WHERE batch = ?', [this.#batch.id]);
		const jobs = Number(row?.n ?? 0);
		if (this.#told?.jobs !== jobs) {
			this.#told = { jobs, values: jobs <= MOST_NAMED ? await this.#read(ctx) : new Map() };
		}
		return this.#told.values;
	}

	async #read(ctx: OperationContext): Promise<Map<string, JobParameters>> {
		try {
			return await jobParameters(this.#project, this.#batch.id);
		} catch (error) {
			if (!BoincError.is(error, 'file-not-found', 'command-failed')) {
				throw error;
			}
			ctx.log.debug(`What the jobs of batch ${this.#batch.id} were told cannot be read: ${messageOf(error)}`);
			return new Map();
		}
	}
}

/**
 * The MD5 of each job's packed result as the host reported it: of the accepted instance, in the order of its outputs, under the
 * names that the assimilator gives them. Jobs that were purged are absent.
 */
export async function reportedHashes(db: Queries, jobs: readonly string[]): Promise<Map<string, string>> {
	const hashes = new Map<string, string>();
	const units = [...new Set(jobs.map((job) => /^(b2d_\d+_\d{6})_\d+$/.exec(job)?.[1] ?? job))];
	for (let start = 0; start < units.length; start += AT_ONCE) {
		const some = units.slice(start, start + AT_ONCE);
		const rows = await db.select(
			`SELECT w.name, r.xml_doc_out FROM workunit w JOIN result r ON r.id = w.canonical_resultid
			WHERE w.name IN (${some.map(() => '?').join(', ')})`,
			some,
		);
		for (const { name, xml_doc_out: xml } of rows) {
			const text = xml instanceof Uint8Array ? Buffer.from(xml).toString('utf8') : String(xml);
			const found = [...text.matchAll(/<file_info>.*?<\/file_info>/gs)].map(
				([info]) => /<md5_cksum>\s*([0-9a-f]{32})\s*</.exec(info)?.[1],
			);
			found.forEach((md5, at) => {
				if (md5 !== undefined) {
					hashes.set(at === 0 ? String(name) : `${String(name)}_${String(at)}`, md5);
				}
			});
		}
	}
	return hashes;
}
