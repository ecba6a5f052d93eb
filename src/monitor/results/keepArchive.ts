import { createHash } from 'node:crypto';

import { BoincError } from '../../common/errors.js';
import type { GunzipRoom } from './gunzipRoom.js';
import { type MetricRow, readMetrics } from './metrics.js';
import { unpackResult } from './unpackResult.js';

export interface KeepRequest {
	/** Folder that is made for the result. */
	readonly folder: string;
	/** MD5 that its host reported. */
	readonly md5: string | undefined;
}

/** What was in a result. */
export interface Kept {
	/** Entries that were not written, with the reason. */
	readonly refused: readonly string[];
	readonly rows: readonly MetricRow[];
}

/** Throws `transfer-corrupt` when a result is not the one that its host reported. */
export function requireHash(found: string, wanted: string | undefined): void {
	if (wanted !== undefined && found !== wanted) {
		throw new BoincError('transfer-corrupt', `its MD5 is ${found}, and the host that made it reported ${wanted}.`, {
			remedy: 'Fetch it again. If that does not help, the file on the server was changed after the upload.',
		});
	}
}

/**
 * Compares a result in memory with its hash and unpacks it, in `room` if there is one. Rejects with `transfer-corrupt`, or as
 * `unpackResult` does.
 */
export async function keepArchive(bytes: Buffer, { folder, md5 }: KeepRequest, room?: GunzipRoom): Promise<Kept> {
	if (md5 !== undefined) {
		requireHash(createHash('md5').update(bytes).digest('hex'), md5);
	}
	const refused = await unpackResult(bytes, folder, room ? { room } : {});
	return { refused, rows: readMetrics(folder) };
}
