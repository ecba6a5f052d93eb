import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { BoincError, isAbort, messageOf, throwIfAborted } from '../../common/errors.js';
import { Gate } from '../../common/gate.js';
import { eachParallel } from '../../common/parallel.js';
import type { OperationContext } from '../../common/ports.js';
import type { Connection } from '../../connection/connection.js';
import { folderName } from './batchNames.js';
import { type KeepRequest, type Kept, requireHash } from './keepArchive.js';
import { batchFolder, listResults, type RemoteResult } from './listResults.js';
import { metricsTable, readMetrics } from './metrics.js';
import { ResultFolder } from './resultFolder.js';
import { type ArrivedFile, LARGEST_STREAMED, LONGEST_STREAMED, streamFiles } from './resultStream.js';
import { createUnpacker, inThisThread, type Unpacker } from './unpacker.js';
import { type PackedResult, unpackResult } from './unpackResult.js';

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

/** Results being unpacked at a time, and bytes of them in memory. */
const PARALLEL = 40;
const IN_FLIGHT = 64 * 2 ** 20;
const MANY = 50;
const METRICS = 'metrics.csv';

/**
 * Fetches the results that are not there yet, each into a folder of its own. Small ones come in one stream and are unpacked as they
 * arrive; large ones by themselves, so that a cut link costs no more than it must. A result is compared with the
 * MD5 that its host reported, unpacked under a temporary name, and renamed. A job that fails does not stop the others.
 * Rejects with `file-in-the-way` when the batch's folder exists and is not ours; never overwrites what a person put there.
 */
export async function fetchResults(connection: Connection, request: FetchRequest, ctx: OperationContext): Promise<FetchReport> {
	const [report] = await fetchBatches(connection, [request], ctx);
	if (!report) {
		throw new Error('one request has one report');
	}
	return report;
}

/** The same for several batches of a server, whose small results come in one stream too. The reports are in the order of the requests. */
export async function fetchBatches(
	connection: Connection,
	requests: readonly FetchRequest[],
	ctx: OperationContext,
): Promise<FetchReport[]> {
	const all: Fetching[] = [];
	const work: SharedWork = { connection, ctx, gate: new Gate(PARALLEL, IN_FLIGHT), total: 0, done: 0, unpacker: inThisThread };
	try {
		for (const request of requests) {
			all.push(new Fetching(await openFolder(request, ctx), request, work));
		}
		for (const fetching of all) {
			await fetching.plan();
		}
		// A thread costs a moment, which few results are not worth.
		work.unpacker = work.total < MANY ? inThisThread : createUnpacker(requests[0]?.programs);
		try {
			await run(all, work);
		} finally {
			await work.unpacker.close();
		}
		const reports: FetchReport[] = [];
		for (const fetching of all) {
			reports.push(await fetching.report());
		}
		return reports;
	} finally {
		for (const { folder } of all) {
			await folder.close();
		}
	}
}

/** Milliseconds between two looks whether another window is done. */
const LOOK_AGAIN = 500;

/** Opens the folder of a batch; waits while another window or command puts results into it, if that is wanted. */
async function openFolder({ folder, batch, patience = 0 }: FetchRequest, ctx: OperationContext): Promise<ResultFolder> {
	const until = ctx.clock.now() + patience * 1000;
	for (;;) {
		try {
			return await ResultFolder.open(path.join(folder, folderName(batch)), batch.id);
		} catch (error) {
			const isBusy = BoincError.is(error, 'file-in-the-way') && error.detail.busy === true;
			if (!isBusy || ctx.clock.now() >= until) {
				throw error;
			}
		}
		ctx.progress.report({ message: 'Waiting for another window that fetches the same results' });
		await ctx.clock.sleep(LOOK_AGAIN, ctx.signal);
	}
}

/** What the fetching of several batches has in common. */
interface SharedWork {
	readonly connection: Connection;
	readonly ctx: OperationContext;
	readonly gate: Gate;
	unpacker: Unpacker;
	/** Results that are fetched in all, and what is done with. */
	total: number;
	done: number;
}

/** Small results in one stream for each folder with results on the server, then the others one by one. */
async function run(all: readonly Fetching[], work: SharedWork): Promise<void> {
	for (const resultsDir of new Set(all.map(({ request }) => request.resultsDir))) {
		await streamSmall(
			resultsDir,
			all.filter(({ request }) => request.resultsDir === resultsDir),
			work,
		);
	}
	const large = all.flatMap((fetching) => fetching.large.map((entry) => ({ fetching, entry })));
	await eachParallel(large, 2, ({ fetching, entry }) => fetching.fetchLarge(entry));
}

async function streamSmall(resultsDir: string, all: readonly Fetching[], { connection, ctx, gate }: SharedWork): Promise<void> {
	const wanted = new Map(
		all.flatMap((fetching) => fetching.small.map((entry) => [fetching.streamName(entry), { fetching, entry }] as const)),
	);
	if (wanted.size === 0) {
		return;
	}
	const missing = new Set(wanted.values());
	let trouble: unknown;
	const take = ({ name, bytes }: ArrivedFile): void | Promise<void> => {
		const found = wanted.get(name);
		if (!found || !missing.delete(found)) {
			return;
		}
		if (trouble !== undefined) {
			throw trouble as Error;
		}
		return gate.enter(
			bytes.length,
			() => found.fetching.keep(found.entry, bytes),
			(error) => (trouble ??= error),
		);
	};
	try {
		await streamFiles(connection, resultsDir, [...wanted.keys()], take, ctx.signal);
	} finally {
		await gate.empty();
	}
	if (trouble !== undefined) {
		throw trouble as Error;
	}
	for (const { fetching, entry } of missing) {
		fetching.fail(entry.job, 'it is not on the server any more.');
	}
}

/** The fetching of one batch. */
class Fetching {
	readonly folder: ResultFolder;
	readonly request: FetchRequest;
	readonly #work: SharedWork;
	readonly #fetched: string[] = [];
	readonly #already: string[] = [];
	readonly #failed: { job: string; why: string }[] = [];
	readonly #refused: string[] = [];
	#hashes: ReadonlyMap<string, string> = new Map();
	/** What comes in the stream, and what comes by itself. */
	small: readonly RemoteResult[] = [];
	large: readonly RemoteResult[] = [];

	constructor(folder: ResultFolder, request: FetchRequest, work: SharedWork) {
		this.folder = folder;
		this.request = request;
		this.#work = work;
	}

	/** Finds out what is there, here and on the server. */
	async plan(): Promise<void> {
		const { connection, ctx } = this.#work;
		const remote = batchFolder(this.request.resultsDir, this.request.batch.id);
		const { jobs } = this.request;
		const chosen = jobs && new Set(jobs);
		const wanted: RemoteResult[] = [];
		for (const entry of (await listResults(connection, remote, ctx.signal)).filter(({ job }) => chosen?.has(job) ?? true)) {
			if (this.#isHere(entry)) {
				this.#already.push(entry.job);
			} else if (this.folder.has(this.#folderOf(entry.job))) {
				const target = path.join(this.folder.path, this.#folderOf(entry.job));
				this.fail(entry.job, `${target} exists already and is not overwritten.`);
			} else {
				wanted.push(entry);
			}
		}
		this.#work.total += wanted.length;
		this.#hashes =
			wanted.length === 0 ? this.#hashes : ((await this.request.hashes?.(wanted.map(({ job }) => job))) ?? this.#hashes);
		const isSmall = (entry: RemoteResult): boolean =>
			entry.size <= LARGEST_STREAMED && this.streamName(entry).length <= LONGEST_STREAMED;
		this.small = wanted.filter(isSmall);
		this.large = wanted.filter((entry) => !isSmall(entry));
	}

	/** Its name in a stream from the folder with the results of all batches. */
	streamName({ file }: RemoteResult): string {
		return `${String(this.request.batch.id)}/${file}`;
	}

	async report(): Promise<FetchReport> {
		const metrics = await writeMetrics(this.folder, this.request, this.#fetched.length > 0);
		const { path: folder } = this.folder;
		this.#work.ctx.log.info(`Fetched ${this.#fetched.length} results of batch ${this.request.batch.id} into ${folder}`);
		return {
			folder,
			fetched: this.#fetched.sort(),
			already: this.#already,
			failed: this.#failed,
			refused: this.#refused,
			metrics,
		};
	}

	#folderOf(job: string): string {
		return this.request.names?.get(job) ?? job;
	}

	#isHere(entry: RemoteResult): boolean {
		const known = this.folder.get(entry.job);
		const same = known?.size === entry.size && known.modified === entry.modified;
		return same && (this.request.removed === 'leave' || this.folder.has(known.folder));
	}

	async fetchLarge(entry: RemoteResult): Promise<void> {
		const { connection, ctx } = this.#work;
		const archive = path.join(this.folder.path, `.${entry.file}`);
		const remote = path.posix.join(batchFolder(this.request.resultsDir, this.request.batch.id), entry.file);
		try {
			await connection.download(remote, archive, ctx.signal ? { signal: ctx.signal } : {});
		} catch (error) {
			if (!BoincError.is(error, 'file-not-found', 'transfer-corrupt')) {
				throw error;
			}
			this.fail(entry.job, messageOf(error));
			return;
		}
		try {
			await this.keep(entry, { file: archive, size: entry.size });
		} finally {
			await rm(archive, { force: true });
		}
	}

	/** Compares, unpacks and puts in place. What is wrong with this result alone is written down. */
	async keep(entry: RemoteResult, archive: PackedResult): Promise<void> {
		const { job, size, modified } = entry;
		const folder = this.#folderOf(job);
		const scratch = this.folder.scratch(folder);
		try {
			throwIfAborted(this.#work.ctx.signal);
			const { refused, rows } = await this.#unpack(archive, { folder: scratch, md5: this.#hashes.get(job) });
			this.folder.accept({ job, size, modified, folder, rows });
			this.#refused.push(...refused.map((line) => `${job}/${line}`));
			this.#fetched.push(job);
		} catch (error) {
			if (isAbort(error) || BoincError.is(error, 'connection-lost', 'server-unreachable', 'disk-full')) {
				throw error;
			}
			await rm(scratch, { recursive: true, force: true });
			this.fail(job, messageOf(error));
		}
		this.#tell();
	}

	async #unpack(archive: PackedResult, request: KeepRequest): Promise<Kept> {
		const { unpacker, ctx } = this.#work;
		if (!('file' in archive)) {
			return unpacker.keep(archive, request);
		}
		const { md5, folder } = request;
		requireHash(md5 === undefined ? '' : await md5Of(archive.file), md5);
		const refused = await unpackResult(archive, folder, ctx.signal ? { signal: ctx.signal } : {});
		return { refused, rows: readMetrics(folder) };
	}

	fail(job: string, why: string): void {
		this.#failed.push({ job, why });
	}

	#tell(): void {
		const { ctx, total } = this.#work;
		this.#work.done += 1;
		const message = `Fetched ${this.#work.done} of ${total} results`;
		ctx.progress.report({ message, current: this.#work.done, total, unit: 'items' });
	}
}

async function md5Of(file: string): Promise<string> {
	const hash = createHash('md5');
	for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
		hash.update(chunk);
	}
	return hash.digest('hex');
}

/** Writes the table anew when there is something new; resolves to its path. Never overwrites a file that is not ours. */
async function writeMetrics(folder: ResultFolder, request: FetchRequest, isNew: boolean): Promise<string | undefined> {
	const file = path.join(folder.path, METRICS);
	const found = await lstat(file).catch(() => undefined);
	if (found && !(found.isFile() && folder.table === (await md5Of(file)))) {
		return undefined;
	}
	if (isNew || (!found && folder.kept().length > 0)) {
		const text = metricsTable(folder.kept(), request.parameters);
		const temporary = folder.scratch(METRICS);
		await writeFile(temporary, text);
		folder.noteTable(createHash('md5').update(text).digest('hex'));
		await rename(temporary, file);
		return file;
	}
	return found ? file : undefined;
}
