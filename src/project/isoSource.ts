import { open } from 'node:fs/promises';

import { type Content, contentOfBytes, contentOfFile } from '../common/content.js';
import { BoincError, messageOf } from '../common/errors.js';
import type { OperationContext } from '../common/ports.js';
import type { GetOptions } from './httpGet.js';
import { getKept } from './keptDownloads.js';
import { checkPins } from './wrapperPins.js';

/** Where the bootable ISO of the VM runtime comes from: a file on this machine or an address. */
export type IsoSource = { readonly file: string } | { readonly url: string };

/** The label of the volume that `npm run iso` builds; the ISO of another system has another one. */
export const ISO_LABEL = 'BOINC2DOCKER';

const MAX_ISO = 256 << 20;
/** The sectors of a CD have 2048 bytes; the first 16 are unused, and the boot record is the 18th. */
const VOLUME = 16 * 2048;
const BOOT_RECORD = 17 * 2048;

/**
 * The ISO of a source, checked to be one that boots and to be ours. Rejects with `wrapper-missing`, `wrapper-changed`,
 * `download-failed`, `timeout`.
 */
export async function isoImage(
	source: IsoSource,
	ctx: OperationContext,
	options: { readonly pinFile?: string; readonly keepIn?: string; readonly env?: GetOptions['env'] } = {},
): Promise<Content> {
	const name = 'url' in source ? source.url : source.file;
	const content = 'url' in source ? await fetchIso(source.url, ctx, options) : await readIso(source.file);
	if ('url' in source && options.pinFile !== undefined) {
		await checkPins(options.pinFile, [{ name, sha256: content.sha256 }]);
	}
	ctx.log.info(`${name}: ${content.size} bytes, SHA-256 ${content.sha256}`);
	return content;
}

async function fetchIso(
	url: string,
	ctx: OperationContext,
	{ env, keepIn }: { readonly env?: GetOptions['env']; readonly keepIn?: string },
): Promise<Content> {
	ctx.progress.report({ message: `Fetching ${url}` });
	const get = { maxBytes: MAX_ISO, ...(ctx.signal && { signal: ctx.signal }), ...(env && { env }) };
	const isOurs = (bytes: Buffer): true => {
		check(bytes, url);
		return true;
	};
	const { body } = await getKept(url, get, keepIn, isOurs);
	check(body, url);
	return contentOfBytes(body);
}

async function readIso(file: string): Promise<Content> {
	const head = Buffer.alloc(BOOT_RECORD + 2048);
	try {
		const handle = await open(file);
		try {
			await handle.read(head, 0, head.length, 0);
		} finally {
			await handle.close();
		}
	} catch (cause) {
		throw new BoincError('wrapper-missing', `The ISO for virtual machines cannot be read: ${messageOf(cause)}.`, {
			remedy: 'Build it with “npm run iso” in the sources of boinc2docker, or name a file or an address.',
			detail: { file },
			cause,
		});
	}
	check(head, file);
	return contentOfFile(file);
}

function check(bytes: Buffer, name: string): void {
	const text = (from: number, length: number): string => bytes.toString('latin1', from, from + length);
	const boots = text(VOLUME + 1, 5) === 'CD001' && text(BOOT_RECORD + 7, 9) === 'EL TORITO';
	const label = text(VOLUME + 40, 32).trim();
	if (!boots || label !== ISO_LABEL) {
		throw new BoincError(
			'wrapper-missing',
			boots
				? `${name} is the ISO of another system (its label is “${label}”): virtual machines that boot it know nothing of our jobs.`
				: `${name} is not the image of a CD that boots.`,
			{ remedy: 'Build ours with “npm run iso” in the sources of boinc2docker.', detail: { name, label } },
		);
	}
}
