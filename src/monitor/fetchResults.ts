import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { BoincError, isAbort, messageOf, throwIfAborted } from '../common/errors.js';
import { eachParallel } from '../common/parallel.js';
import type { OperationContext } from '../common/ports.js';
import type { Connection } from '../connection/connection.js';
import { type DirectoryEntry, listDirectory } from '../connection/files.js';
import { unpackResult } from './unpackResult.js';

/** Where the results of a batch are and where they shall go. */
export interface FetchRequest {
	/** Folder on the server that the app's assimilator collects into. */
	readonly resultsDir: string;
	readonly batch: { readonly id: number; readonly name: string };
	/** Local folder; a folder for the batch is made in it. */
	readonly folder: string;
	/** Only these jobs; all that have results by default. */
	readonly jobs?: readonly string[];
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
}

/** Written into each batch folder: says that the folder is ours and which version of each result is in it. */
const RECORD = '.boinc2docker.json';
const SUFFIX = '.tgz';
const PARALLEL = 4;

interface FetchRecord {
	batch: number;
	results: Record<string, { size: number; modified: number }>;
}

/** A name that every file system takes: letters, digits and `._-`, at most 60 characters. */
export function folderName(batch: { readonly id: number; readonly name: string }): string {
	const plain = batch.name
		.normalize('NFKD')
		.replace(/[^A-Za-z0-9._-]+/g, '-')
		.replace(/^[-.]+|[-.]+$/g, '')
		.slice(0, 60);
	return plain === '' ? `batch-${batch.id}` : `${plain}-${batch.id}`;
}

/**
 * Fetches the results that are not there yet, each into a folder named after its job: temporary name, hash compared,
 * unpacked, renamed. A job that fails does not stop the others. Rejects with `file-in-the-way` when the batch's folder
 * exists and is not ours; never overwrites what a person put there.
 */
export async function fetchResults(connection: Connection, request: FetchRequest, ctx: OperationContext): Promise<FetchReport> {
	const folder = path.join(request.folder, folderName(request.batch));
	const record = await openFolder(folder, request.batch.id);
	const remote = path.posix.join(request.resultsDir, String(request.batch.id));
	const entries = (await listResults(connection, remote)).filter((entry) => !request.jobs || request.jobs.includes(jobOf(entry)));
	const wanted = entries.filter((entry) => !isCurrent(record.results[jobOf(entry)], entry));
	const report = {
		folder,
		fetched: [] as string[],
		already: [] as string[],
		failed: [] as { job: string; why: string }[],
		refused: [] as string[],
	};
	report.already.push(...entries.filter((entry) => !wanted.includes(entry)).map(jobOf));
	const scratch = await mkdtemp(path.join(folder, '.fetching-'));
	try {
		let done = 0;
		await eachParallel(wanted, PARALLEL, async (entry) => {
			throwIfAborted(ctx.signal);
			const job = jobOf(entry);
			try {
				report.refused.push(...(await fetchOne(connection, path.posix.join(remote, entry.name), folder, scratch, job, ctx)));
				record.results[job] = { size: entry.size, modified: entry.modified };
				report.fetched.push(job);
			} catch (error) {
				if (isAbort(error) || BoincError.is(error, 'connection-lost', 'server-unreachable', 'disk-full')) {
					throw error;
				}
				report.failed.push({ job, why: messageOf(error) });
			}
			done += 1;
			ctx.progress.report({
				message: `Fetched ${done} of ${wanted.length} results`,
				current: done,
				total: wanted.length,
				unit: 'items',
			});
		});
	} finally {
		await rm(scratch, { recursive: true, force: true });
		await saveRecord(folder, record);
	}
	ctx.log.info(`Fetched ${report.fetched.length} results of batch ${request.batch.id} into ${folder}`);
	return report;
}

const jobOf = (entry: DirectoryEntry): string => entry.name.slice(0, -SUFFIX.length);

const isCurrent = (known: { size: number; modified: number } | undefined, entry: DirectoryEntry): boolean =>
	known?.size === entry.size && known.modified === entry.modified;

async function listResults(connection: Connection, remote: string): Promise<DirectoryEntry[]> {
	try {
		const entries = await listDirectory(connection, remote);
		return entries.filter((entry) => entry.kind === 'file' && /^[A-Za-z0-9_-][A-Za-z0-9._-]*\.tgz$/.test(entry.name));
	} catch (error) {
		if (BoincError.is(error, 'file-not-found')) {
			return []; // nothing has been collected yet
		}
		throw error;
	}
}

async function openFolder(folder: string, batch: number): Promise<FetchRecord> {
	const inTheWay = (why: string): BoincError =>
		new BoincError('file-in-the-way', `The results cannot be put into ${folder}: ${why}.`, {
			remedy: 'Rename or move it, or choose another folder for the results.',
			detail: { folder },
		});
	const found = await stat(folder).catch(() => undefined);
	if (!found) {
		await mkdir(folder, { recursive: true });
		await saveRecord(folder, { batch, results: {} });
		return { batch, results: {} };
	}
	if (!found.isDirectory()) {
		throw inTheWay('a file has that name');
	}
	const text = await readFile(path.join(folder, RECORD), 'utf8').catch(() => undefined);
	const record = text === undefined ? undefined : parseRecord(text);
	if (record?.batch !== batch) {
		throw inTheWay(text === undefined ? 'a folder of that name exists already' : 'it holds the results of another batch');
	}
	return record;
}

function parseRecord(text: string): FetchRecord | undefined {
	try {
		const value: unknown = JSON.parse(text);
		const isRecord = typeof value === 'object' && value !== null && 'batch' in value && 'results' in value;
		return isRecord ? (value as FetchRecord) : undefined;
	} catch {
		return undefined;
	}
}

async function saveRecord(folder: string, record: FetchRecord): Promise<void> {
	const temporary = path.join(folder, `${RECORD}.${process.pid}`);
	await writeFile(temporary, `${JSON.stringify(record, undefined, '\t')}\n`);
	await rename(temporary, path.join(folder, RECORD));
}

async function fetchOne(
	connection: Connection,
	remote: string,
	folder: string,
	scratch: string,
	job: string,
	ctx: OperationContext,
): Promise<string[]> {
	const target = path.join(folder, job);
	if (await stat(target).catch(() => undefined)) {
		throw new BoincError('file-in-the-way', `${target} exists already and is not overwritten.`, {
			remedy: 'Rename or delete it, then fetch again.',
		});
	}
	const archive = path.join(scratch, `${job}${SUFFIX}`);
	const unpacked = path.join(scratch, job);
	await connection.download(remote, archive, { ...(ctx.signal && { signal: ctx.signal }) });
	const refused = await unpackResult(archive, unpacked, ctx.signal);
	await rename(unpacked, target);
	await rm(archive, { force: true });
	return refused.map((line) => `${job}/${line}`);
}
