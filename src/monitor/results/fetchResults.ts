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
	const remote = batchFolder(request.resultsDir, request.batch.id);
	const folder = await ResultFolder.open(path.join(request.folder, folderName(request.batch)), request.batch.id);
	try {
		const entries = (await listResults(connection, remote, ctx.signal)).filter(({ job }) => request.jobs?.includes(job) ?? true);
		// A thread costs a moment, which few results are not worth.
		const unpacker = entries.length < MANY ? inThisThread : createUnpacker(request.programs);
		const fetching = new Fetching(connection, remote, folder, request, unpacker, ctx);
		try {
			await fetching.run(entries);
		} finally {
			await unpacker.close();
		}
		const metrics = await writeMetrics(folder, request, fetching.fetched.length > 0);
		ctx.log.info(`Fetched ${fetching.fetched.length} results of batch ${request.batch.id} into ${folder.path}`);
		const { fetched, already, failed, refused } = fetching;
		return { folder: folder.path, fetched: fetched.sort(), already, failed, refused, metrics };
	} finally {
		await folder.close();
	}
}

class Fetching {
	readonly fetched: string[] = [];
	readonly already: string[] = [];
	readonly failed: { job: string; why: string }[] = [];
	readonly refused: string[] = [];
	readonly #gate = new Gate(PARALLEL, IN_FLIGHT);
	#hashes: ReadonlyMap<string, string> = new Map();
	#total = 0;

	constructor(
		readonly connection: Connection,
		readonly remote: string,
		readonly folder: ResultFolder,
		readonly request: FetchRequest,
		readonly unpacker: Unpacker,
		readonly ctx: OperationContext,
	) {}

	async run(entries: readonly RemoteResult[]): Promise<void> {
		const wanted = new Map<string, RemoteResult>();
		for (const entry of entries) {
			if (this.#isHere(entry)) {
				this.already.push(entry.job);
			} else if (this.folder.has(this.#folderOf(entry.job))) {
				const target = path.join(this.folder.path, this.#folderOf(entry.job));
				this.#fail(entry.job, `${target} exists already and is not overwritten.`);
			} else {
				wanted.set(entry.file, entry);
			}
		}
		this.#total = wanted.size;
		const all = [...wanted.values()];
		this.#hashes = wanted.size === 0 ? this.#hashes : ((await this.request.hashes?.(all.map(({ job }) => job))) ?? this.#hashes);
		const isSmall = ({ size, file }: RemoteResult): boolean => size <= LARGEST_STREAMED && file.length <= LONGEST_STREAMED;
		await this.#streamSmall(all.filter(isSmall), wanted);
		await eachParallel(
			all.filter((entry) => !isSmall(entry)),
			2,
			(entry) => this.#fetchLarge(entry),
		);
	}

	#folderOf(job: string): string {
		return this.request.names?.get(job) ?? job;
	}

	#isHere(entry: RemoteResult): boolean {
		const known = this.folder.get(entry.job);
		const same = known?.size === entry.size && known.modified === entry.modified;
		return same && (this.request.removed === 'leave' || this.folder.has(known.folder));
	}

	async #streamSmall(entries: readonly RemoteResult[], wanted: ReadonlyMap<string, RemoteResult>): Promise<void> {
		if (entries.length === 0) {
			return;
		}
		const missing = new Set(entries);
		let trouble: unknown;
		const take = ({ name, bytes }: ArrivedFile): void | Promise<void> => {
			const entry = wanted.get(name);
			if (!entry || !missing.delete(entry)) {
				return;
			}
			if (trouble !== undefined) {
				throw trouble as Error;
			}
			return this.#gate.enter(
				bytes.length,
				() => this.#keep(entry, bytes),
				(error) => (trouble ??= error),
			);
		};
		try {
			await streamFiles(
				this.connection,
				this.remote,
				entries.map(({ file }) => file),
				take,
				this.ctx.signal,
			);
		} finally {
			await this.#gate.empty();
		}
		if (trouble !== undefined) {
			throw trouble as Error;
		}
		for (const { job } of missing) {
			this.#fail(job, 'it is not on the server any more.');
		}
	}

	async #fetchLarge(entry: RemoteResult): Promise<void> {
		const archive = path.join(this.folder.path, `.${entry.file}`);
		const { signal } = this.ctx;
		try {
			await this.connection.download(path.posix.join(this.remote, entry.file), archive, signal ? { signal } : {});
		} catch (error) {
			if (!BoincError.is(error, 'file-not-found', 'transfer-corrupt')) {
				throw error;
			}
			this.#fail(entry.job, messageOf(error));
			return;
		}
		try {
			await this.#keep(entry, { file: archive, size: entry.size });
		} finally {
			await rm(archive, { force: true });
		}
	}

	/** Compares, unpacks and puts in place. What is wrong with this result alone is written down. */
	async #keep(entry: RemoteResult, archive: PackedResult): Promise<void> {
		const { job, size, modified } = entry;
		const folder = this.#folderOf(job);
		const scratch = this.folder.scratch(folder);
		try {
			throwIfAborted(this.ctx.signal);
			const { refused, rows } = await this.#unpack(archive, { folder: scratch, md5: this.#hashes.get(job) });
			this.folder.accept({ job, size, modified, folder, rows });
			this.refused.push(...refused.map((line) => `${job}/${line}`));
			this.fetched.push(job);
		} catch (error) {
			if (isAbort(error) || BoincError.is(error, 'connection-lost', 'server-unreachable', 'disk-full')) {
				throw error;
			}
			await rm(scratch, { recursive: true, force: true });
			this.#fail(job, messageOf(error));
		}
		this.#report();
	}

	async #unpack(archive: PackedResult, request: KeepRequest): Promise<Kept> {
		if (!('file' in archive)) {
			return this.unpacker.keep(archive, request);
		}
		const { md5, folder } = request;
		requireHash(md5 === undefined ? '' : await md5Of(archive.file), md5);
		const refused = await unpackResult(archive, folder, this.ctx.signal ? { signal: this.ctx.signal } : {});
		return { refused, rows: readMetrics(folder) };
	}

	#fail(job: string, why: string): void {
		this.failed.push({ job, why });
	}

	#report(): void {
		const done = this.fetched.length + this.failed.length;
		const message = `Fetched ${this.fetched.length} of ${this.#total} results`;
		this.ctx.progress.report({ message, current: done, total: this.#total, unit: 'items' });
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
