import { createHash } from 'node:crypto';

import { BoincError } from '../../common/errors.js';
import type { GunzipRoom } from './gunzipRoom.js';
import { type MetricRow, readMetrics } from './metrics.js';
import { unpackResult } from './unpackResult.js';

/** Bytes of results that a thread gets in a row, at most, to hash them together: large ones go to a thread each. */
export const GROUP_BYTES = 8 * 2 ** 20;

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

/** As 32 hexadecimal digits. */
export const md5Of = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex');

/** Throws `transfer-corrupt` when a result is not the one that its host reported. */
export function requireHash(found: string, wanted: string | undefined): void {
	if (wanted !== undefined && found !== wanted) {
		throw new BoincError('transfer-corrupt', `its MD5 is ${found}, and the host that made it reported ${wanted}.`, {
			remedy: 'Fetch it again. If that does not help, the file on the server was changed after the upload.',
		});
	}
}

/** What makes `keepArchive` faster. */
export interface KeepHelp {
	/** Where it is unpacked. */
	readonly room: GunzipRoom;
	/** MD5 of the bytes. */
	readonly digest: string;
}

/** Compares a result in memory with its hash and unpacks it. Rejects with `transfer-corrupt`, or as `unpackResult` does. */
export async function keepArchive(bytes: Buffer, { folder, md5 }: KeepRequest, help?: KeepHelp): Promise<Kept> {
	if (md5 !== undefined) {
		requireHash(help?.digest ?? md5Of(bytes), md5);
	}
	const refused = await unpackResult(bytes, folder, help ? { room: help.room } : {});
	return { refused, rows: readMetrics(folder) };
}
