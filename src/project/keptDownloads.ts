import { createHash } from 'node:crypto';

import { FileCache } from '../common/fileCache.js';
import { type Downloaded, type GetOptions, httpGet } from './httpGet.js';

/** Programs and ISOs of several releases. */
const MOST_BYTES = 2_000_000_000;

/** Readable, and different for each address. */
function nameOf(url: string): string {
	const base = decodeURIComponent(new URL(url).pathname.split('/').at(-1) ?? '').replace(/[^A-Za-z0-9._-]/g, '_');
	return `${createHash('sha256').update(url).digest('hex').slice(0, 12)}-${base}`;
}

/**
 * As `httpGet`, but what `isLasting` says to be worth it is kept in a folder of this computer and taken from there the next time: for
 * addresses under which there is one content for ever. Without a folder nothing is kept.
 */
export async function getKept(
	url: string,
	options: GetOptions,
	folder: string | undefined,
	isLasting: (body: Buffer) => boolean,
): Promise<Downloaded> {
	const kept = new FileCache(folder, MOST_BYTES);
	const body = await kept.get(nameOf(url));
	if (body) {
		return { url, body };
	}
	const downloaded = await httpGet(url, options);
	if (isLasting(downloaded.body)) {
		await kept.put(new Map([[nameOf(url), downloaded.body]]));
	}
	return downloaded;
}
