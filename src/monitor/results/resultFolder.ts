import { appendFileSync, closeSync, lstatSync, openSync, renameSync } from 'node:fs';
import { lstat, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';

import * as v from 'valibot';

import { BoincError } from '../../common/errors.js';
import { makeFolder } from '../../common/makeFolder.js';
import { lockLocally } from '../../connection/localLock.js';
import type { MetricRow } from './metrics.js';

/** Written into each batch folder, a line for each result: says that the folder is ours and which results are in it. */
const RECORD = '.boinc2docker.jsonl';
const SCRATCH = '.fetching';

const headSchema = v.object({ batch: v.number() });
const tableSchema = v.object({ table: v.string() });
const lineSchema = v.object({
	job: v.string(),
	size: v.number(),
	modified: v.number(),
	folder: v.string(),
	rows: v.optional(v.array(v.record(v.string(), v.union([v.string(), v.number()]))), []),
});

/** A result that is in the folder. */
export interface KeptResult {
	readonly job: string;
	readonly size: number;
	/** UNIX seconds, of the file on the server. */
	readonly modified: number;
	/** Name of its folder. */
	readonly folder: string;
	readonly rows: readonly MetricRow[];
}

const inTheWay = (folder: string, why: string): BoincError =>
	new BoincError('file-in-the-way', `The results cannot be put into ${folder}: ${why}.`, {
		remedy: 'Rename or move it, or choose another folder for the results.',
		detail: { folder },
	});

/** The local folder of a batch's results: what is in it, and the only way to put more into it. */
export class ResultFolder {
	readonly path: string;
	readonly #kept: Map<string, KeptResult>;
	readonly #present: Set<string>;
	/** Descriptor of the record. Lines are written at once: each is a moment, and there is one for each result. */
	readonly #record: number;
	readonly #unlock: () => Promise<void>;
	/** MD5 of the table of metrics that was written last. */
	#table: string | undefined;

	private constructor(
		folder: string,
		kept: Map<string, KeptResult>,
		present: Set<string>,
		record: number,
		unlock: () => Promise<void>,
	) {
		this.path = folder;
		this.#kept = kept;
		this.#present = present;
		this.#record = record;
		this.#unlock = unlock;
	}

	/**
	 * Opens the folder, or makes it. Rejects with `file-in-the-way` when something else has its name, and with `busy` in
	 * `detail` while another process puts results into it.
	 */
	static async open(folder: string, batch: number): Promise<ResultFolder> {
		const file = path.join(folder, RECORD);
		await readRecord(folder, batch);
		await makeFolder(folder);
		const unlock = await lockLocally(file);
		if (!unlock) {
			throw new BoincError('file-in-the-way', `Another window or command is putting results into ${folder} at this moment.`, {
				remedy: 'Wait until it is done.',
				detail: { folder, busy: true },
			});
		}
		try {
			// Read only now: whoever had the lock before has written more.
			const text = await readRecord(folder, batch);
			const kept = keptIn(text ?? '');
			// What was unpacked but not moved into place when an earlier call was cut off is fetched again.
			const scratch = path.join(folder, SCRATCH);
			for (const name of await readdir(scratch).catch(() => [])) {
				kept.delete([...kept.values()].find((result) => result.folder === name)?.job ?? '');
			}
			// The record is first: with anything else in it, a folder without one is not ours, for who comes meanwhile or after a cut.
			const record = openSync(file, 'a');
			if (text === undefined) {
				appendFileSync(record, `${JSON.stringify({ batch })}\n`);
			} else if (!text.endsWith('\n')) {
				appendFileSync(record, '\n');
			}
			await rm(scratch, { recursive: true, force: true });
			await mkdir(scratch);
			const opened = new ResultFolder(folder, kept, new Set(await readdir(folder)), record, unlock);
			opened.#table = tableIn(text ?? '');
			return opened;
		} catch (error) {
			await unlock();
			throw error;
		}
	}

	get table(): string | undefined {
		return this.#table;
	}

	/** Writes down which table of metrics is ours, before it gets its place. */
	noteTable(md5: string): void {
		this.#table = md5;
		appendFileSync(this.#record, `${JSON.stringify({ table: md5 })}\n`);
	}

	/** All results that were put here, in the order of their coming. */
	kept(): readonly KeptResult[] {
		return [...this.#kept.values()];
	}

	get(job: string): KeptResult | undefined {
		return this.#kept.get(job);
	}

	/** Whether a folder or file of that name is there. */
	has(name: string): boolean {
		return this.#present.has(name);
	}

	/** Where a result is unpacked before it gets its place. */
	scratch(name: string): string {
		return path.join(this.path, SCRATCH, name);
	}

	/**
	 * Moves what was unpacked to `scratch(result.folder)` to its place, and writes it down. Throws `file-in-the-way` when
	 * something has its name; never overwrites.
	 */
	accept(result: KeptResult): void {
		const target = path.join(this.path, result.folder);
		if (lstatSync(target, { throwIfNoEntry: false })) {
			throw new BoincError('file-in-the-way', `${target} exists already and is not overwritten.`, {
				remedy: 'Rename or delete it, then fetch again.',
			});
		}
		// Written down first: a folder that nobody knows would be in the way of the next call.
		appendFileSync(this.#record, `${JSON.stringify(result)}\n`);
		renameSync(this.scratch(result.folder), target);
		this.#kept.set(result.job, result);
		this.#present.add(result.folder);
	}

	async close(): Promise<void> {
		closeSync(this.#record);
		await rm(path.join(this.path, SCRATCH), { recursive: true, force: true });
		await this.#unlock();
	}
}

/** The results of a batch that are in a folder, as they were written down last; none when it is not the batch's. Needs no lock. */
export async function keptResults(folder: string, batch: number): Promise<readonly KeptResult[]> {
	const text = await readFile(path.join(folder, RECORD), 'utf8').catch(() => '');
	return headOf(text) === batch ? [...keptIn(text).values()] : [];
}

/** When the record of a folder was changed last, to see whether it has to be read again; empty when there is none. */
export async function recordStamp(folder: string): Promise<string> {
	const found = await lstat(path.join(folder, RECORD)).catch(() => undefined);
	return found ? `${found.mtimeMs} ${found.size}` : '';
}

/** The text of the record; `undefined` where the folder can be ours but is not yet. Rejects with `file-in-the-way`. */
async function readRecord(folder: string, batch: number): Promise<string | undefined> {
	const found = await lstat(folder).catch(() => undefined);
	if (!found) {
		return undefined;
	}
	if (!found.isDirectory()) {
		throw inTheWay(folder, 'a file has that name');
	}
	// One without a word was just made, or its call was cut off.
	const written = await readFile(path.join(folder, RECORD), 'utf8').catch(() => '');
	const text = written === '' ? undefined : written;
	// A folder that is empty but for what a call that was cut off left behind is ours to take.
	if (text === undefined && (await readdir(folder)).some((name) => !name.startsWith(RECORD))) {
		throw inTheWay(folder, 'a folder of that name exists already');
	}
	if (text !== undefined && headOf(text) !== batch) {
		throw inTheWay(folder, 'it holds the results of another batch');
	}
	return text;
}

function headOf(text: string): number | undefined {
	const head = v.safeParse(headSchema, parsed(text.slice(0, text.indexOf('\n'))));
	return head.success ? head.output.batch : undefined;
}

/** Lines that cannot be read, such as the last one of a call that was cut off, say nothing. */
function keptIn(text: string): Map<string, KeptResult> {
	const kept = new Map<string, KeptResult>();
	for (const line of text.split('\n').slice(1)) {
		const result = v.safeParse(lineSchema, parsed(line));
		if (result.success) {
			kept.set(result.output.job, result.output);
		}
	}
	return kept;
}

function tableIn(text: string): string | undefined {
	const lines = text.split('\n').flatMap((line) => {
		const noted = line.startsWith('{"table"') ? v.safeParse(tableSchema, parsed(line)) : undefined;
		return noted?.success === true ? [noted.output.table] : [];
	});
	return lines.at(-1);
}

function parsed(line: string): unknown {
	try {
		return JSON.parse(line) as unknown;
	} catch {
		return undefined;
	}
}
