import { rm } from 'node:fs/promises';
import path from 'node:path';

import { md5OfFile } from '../../common/content.js';
import { BoincError, isAbort, messageOf, throwIfAborted } from '../../common/errors.js';
import type { Gate } from '../../common/gate.js';
import type { OperationContext } from '../../common/ports.js';
import type { Connection } from '../../connection/connection.js';
import type { FetchReport, FetchRequest } from './fetchRequest.js';
import { type KeepRequest, type Kept, requireHash } from './keepArchive.js';
import { batchFolder, listResults, type RemoteResult } from './listResults.js';
import { readMetrics } from './metrics.js';
import { writeMetrics } from './metricsFile.js';
import type { ResultFolder } from './resultFolder.js';
import { LARGEST_STREAMED, LONGEST_STREAMED } from './resultStream.js';
import type { Unpacker } from './unpacker.js';
import { type PackedResult, unpackResult } from './unpackResult.js';

/** What the fetching of several batches has in common. */
export interface SharedWork {
	readonly connection: Connection;
	readonly ctx: OperationContext;
	readonly gate: Gate;
	unpacker: Unpacker;
	/** Results that are fetched in all, and what is done with. */
	total: number;
	done: number;
}

/** The fetching of one batch. */
export class Fetching {
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
		const metrics = await writeMetrics(this.folder, this.request.parameters, this.#fetched.length > 0);
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
		requireHash(md5 === undefined ? '' : (await md5OfFile(archive.file)).md5, md5);
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
