import path from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

import { BoincError, messageOf } from '../../common/errors.js';
import { formatBytes } from '../../common/format.js';
import type { Connection } from '../../connection/connection.js';
import { readFile } from '../../connection/files.js';
import { ForwardReader, MemoryFile } from '../../image/archive/randomAccess.js';
import { readTar } from '../../image/tar/readTar.js';
import { entryPath, refusal } from './entryRules.js';
import { batchFolder } from './listResults.js';

/** The files of a result that stays on the server. */
export interface ArchivedResult {
	/** Contents by path; folders are not listed. */
	readonly files: ReadonlyMap<string, Uint8Array>;
}

/** What is larger is fetched, not looked into. */
const MOST_PACKED = 64 * 2 ** 20;
const MOST_UNPACKED = 256 * 2 ** 20;
const MOST_ENTRIES = 20_000;

const unzip = promisify(gunzip);

/**
 * Reads the result of a job in place: into memory, nothing is written here. Entries that `unpackResult` would refuse are left out.
 * Rejects with `result-missing`, or `result-corrupt` for what cannot be read or is too large.
 */
export async function archivedResult(
	connection: Connection,
	where: { readonly resultsDir: string; readonly batchId: number; readonly job: string },
	signal?: AbortSignal,
): Promise<ArchivedResult> {
	const { resultsDir, batchId, job } = where;
	if (!/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(job)) {
		throw new BoincError('result-missing', `“${job}” is not the name of a job.`);
	}
	const found = await packedFiles(connection, path.posix.join(batchFolder(resultsDir, batchId), `${job}.tgz`), job, signal);
	if (!found) {
		throw new BoincError(
			'result-missing',
			`The result of ${job} is not on the server: it has not been collected yet, or was removed.`,
			{ remedy: 'Refresh the view.' },
		);
	}
	return found;
}

/**
 * Reads a packed result of the job, wherever it is on the server; `undefined` when it is not there. Rejects with `result-corrupt` as
 * `archivedResult` does.
 */
export async function packedFiles(
	connection: Connection,
	file: string,
	job: string,
	signal?: AbortSignal,
): Promise<ArchivedResult | undefined> {
	const tooLarge = (cause: unknown): BoincError =>
		new BoincError(
			'result-corrupt',
			`The result of ${job} has more than ${formatBytes(MOST_PACKED)}, or unpacks to more than ${formatBytes(MOST_UNPACKED)}: too much to look into.`,
			{
				remedy: 'Fetch the results instead.',
				cause,
			},
		);
	const packed = await readFile(connection, file, { maxBytes: MOST_PACKED, ...(signal && { signal }) }).catch(
		(cause: unknown) => {
			if (BoincError.is(cause, 'file-not-found')) {
				return undefined;
			}
			throw BoincError.is(cause, 'command-failed') && cause.detail.maxStdout !== undefined ? tooLarge(cause) : cause;
		},
	);
	if (!packed) {
		return undefined;
	}
	try {
		return await contentsOf(await unzip(packed, { maxOutputLength: MOST_UNPACKED }));
	} catch (cause) {
		if (cause instanceof Error && 'code' in cause && cause.code === 'ERR_BUFFER_TOO_LARGE') {
			throw tooLarge(cause);
		}
		throw new BoincError('result-corrupt', `The result of ${job} cannot be read: ${messageOf(cause)}`, {
			remedy: 'The archive on the server is damaged: look at the job’s log.',
			cause,
		});
	}
}

async function contentsOf(tar: Buffer): Promise<ArchivedResult> {
	const source = new MemoryFile(tar);
	const files = new Map<string, Uint8Array>();
	for await (const entry of readTar({ source, start: 0, end: tar.length, label: 'result' }, new ForwardReader(source))) {
		const name = path.posix.normalize(entryPath(entry.name));
		if (entry.kind === 'file' && refusal(name, entry.kind) === undefined && files.size < MOST_ENTRIES) {
			const plain = entry.source === source;
			const content = plain
				? tar.subarray(entry.offset, entry.offset + entry.size)
				: Buffer.alloc(Math.min(entry.size, MOST_UNPACKED));
			if (!plain) {
				await entry.source.readInto(content, entry.offset);
			}
			files.set(name, content);
		}
	}
	return { files };
}
