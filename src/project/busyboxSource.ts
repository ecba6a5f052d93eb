import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';

import { contentOfBytes } from '../common/content.js';
import { BoincError, isAbort, messageOf } from '../common/errors.js';
import type { OperationContext } from '../common/ports.js';
import type { Connection } from '../connection/connection.js';
import { readFile as readRemoteFile } from '../connection/files.js';
import type { GetOptions } from './httpGet.js';
import type { BusyboxFile } from './install/spec.js';
import { getKept } from './keptDownloads.js';
import { programFacts } from './programFile.js';
import { checkPins } from './wrapperPins.js';

/** Where a static busybox comes from: a file or folder on this machine, an address, or the server's own. */
export type BusyboxSource =
	| { readonly file: string }
	| { readonly folder: string }
	| { readonly url: string }
	| { readonly server: Connection; readonly path?: string };

const MAX_BUSYBOX = 16 << 20;

/** Places of busybox on systems; Debian's package `busybox-static` provides a static one. */
const USUAL_PLACES = ['/bin/busybox', '/usr/bin/busybox', '/bin/busybox.static'] as const;

/**
 * Static busybox programs of the given sources, the first of each architecture. Rejects with `wrapper-missing` when a
 * named file is unsuitable; a folder's unsuitable files are passed over.
 */
export async function busyboxBinaries(
	sources: readonly BusyboxSource[],
	ctx: OperationContext,
	options: FetchOptions & { readonly pinFile?: string } = {},
): Promise<BusyboxFile[]> {
	const found = new Map<BusyboxFile['architecture'], BusyboxFile>();
	const pins: { name: string; sha256: string }[] = [];
	for (const source of sources) {
		for (const { bytes, name } of await read(source, ctx, options)) {
			const file = check(bytes, name);
			if (!found.has(file.architecture)) {
				found.set(file.architecture, file);
				ctx.log.info(`busybox for ${file.architecture}: ${name}, ${file.content.size} bytes, SHA-256 ${file.content.sha256}`);
				if ('url' in source) {
					pins.push({ name: source.url, sha256: file.content.sha256 });
				}
			}
		}
	}
	if (options.pinFile !== undefined && pins.length > 0) {
		await checkPins(options.pinFile, pins);
	}
	return [...found.values()];
}

/** The static busybox of this machine or of the server, if there is one; `undefined` otherwise. */
export async function ownBusybox(ctx: OperationContext, server?: Connection): Promise<BusyboxFile | undefined> {
	for (const place of USUAL_PLACES) {
		try {
			const bytes = server
				? await readRemoteFile(server, place, { maxBytes: MAX_BUSYBOX })
				: (await stat(place)).size <= MAX_BUSYBOX
					? await readFile(place)
					: Buffer.alloc(0);
			return check(bytes, place);
		} catch (error) {
			if (isAbort(error) || BoincError.is(error, 'connection-lost')) {
				throw error;
			}
			ctx.log.debug(`${place}${server ? ` on ${server.name}` : ''}: ${messageOf(error)}`);
		}
	}
	return undefined;
}

interface Candidate {
	readonly name: string;
	readonly bytes: Buffer;
}

interface FetchOptions {
	readonly env?: GetOptions['env'];
	/** Folder on this machine in which downloads are kept for the next time. */
	readonly keepIn?: string;
}

async function read(source: BusyboxSource, ctx: OperationContext, { env, keepIn }: FetchOptions): Promise<Candidate[]> {
	if ('url' in source) {
		const get = { maxBytes: MAX_BUSYBOX, ...(ctx.signal && { signal: ctx.signal }), ...(env && { env }) };
		const { body } = await getKept(source.url, get, keepIn, isSuitable);
		return [{ name: source.url, bytes: body }];
	}
	if ('server' in source) {
		const place = source.path ?? USUAL_PLACES[0];
		return [
			{ name: `${place} of ${source.server.name}`, bytes: await readRemoteFile(source.server, place, { maxBytes: MAX_BUSYBOX }) },
		];
	}
	try {
		if ('file' in source) {
			return [{ name: source.file, bytes: await readFile(source.file) }];
		}
		const candidates: Candidate[] = [];
		for (const name of (await readdir(source.folder)).filter((each) => /^busybox/i.test(each)).sort()) {
			const bytes = await readFile(path.join(source.folder, name));
			if (isSuitable(bytes)) {
				candidates.push({ name: path.join(source.folder, name), bytes });
			}
		}
		return candidates;
	} catch (cause) {
		throw new BoincError('wrapper-missing', `No busybox can be read there: ${messageOf(cause)}.`, { cause });
	}
}

function isSuitable(bytes: Buffer): boolean {
	const facts = programFacts(bytes);
	return facts.architecture !== undefined && facts.isStatic;
}

function check(bytes: Buffer, name: string): BusyboxFile {
	const { kind, architecture, isStatic } = programFacts(bytes);
	if (architecture === undefined || !isStatic) {
		const why =
			kind !== 'elf'
				? 'it is not a Linux program'
				: architecture === undefined
					? 'it is for another architecture than amd64 and arm64'
					: 'it is linked dynamically, and containers have no libraries for it';
		throw new BoincError('wrapper-missing', `${name} cannot be the busybox of the app: ${why}.`, {
			remedy: 'Give a static busybox; on Debian and Ubuntu the package busybox-static has one.',
			detail: { name, kind },
		});
	}
	return { architecture, content: contentOfBytes(bytes) };
}
