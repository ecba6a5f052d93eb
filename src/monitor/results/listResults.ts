import path from 'node:path';

import { BoincError } from '../../common/errors.js';
import type { Connection } from '../../connection/connection.js';
import { listDirectory } from '../../connection/files.js';

/** A collected result on the server. */
export interface RemoteResult {
	/** Name of its job; jobs with several outputs have `_1` and so on behind it. */
	readonly job: string;
	/** Name of its file in the batch's folder. */
	readonly file: string;
	readonly size: number;
	/** UNIX seconds. */
	readonly modified: number;
}

const SUFFIX = '.tgz';

/** The folder on the server with the results of a batch. */
export const batchFolder = (resultsDir: string, batchId: number): string => path.posix.join(resultsDir, String(batchId));

/** The results that have been collected into a folder on the server, by name. None when there is no such folder yet. */
export async function listResults(connection: Connection, folder: string, signal?: AbortSignal): Promise<RemoteResult[]> {
	try {
		const entries = await listDirectory(connection, folder, signal ? { signal } : {});
		return entries
			.filter(({ kind, name }) => kind === 'file' && /^[A-Za-z0-9_-][A-Za-z0-9._-]*\.tgz$/.test(name))
			.map(({ name, size, modified }) => ({ job: name.slice(0, -SUFFIX.length), file: name, size, modified }));
	} catch (error) {
		if (BoincError.is(error, 'file-not-found')) {
			return [];
		}
		throw error;
	}
}
