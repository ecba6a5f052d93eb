import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

import * as v from 'valibot';

import { contentOfBytes } from '../common/content.js';
import { BoincError, messageOf } from '../common/errors.js';
import type { OperationContext } from '../common/ports.js';
import { type GetOptions, httpGet } from './httpGet.js';
import type { WrapperFile } from './install/spec.js';
import { getKept } from './keptDownloads.js';
import { programFacts } from './programFile.js';
import { type Platform, PLATFORMS, type Runtime } from './types.js';
import { parseWrapperName, WRAPPER_PROGRAMS, wrapperFileName } from './wrapperNames.js';
import { checkPins } from './wrapperPins.js';
import { readZip } from './zipArchive.js';

/**
 * Where wrapper programs come from: a folder on this machine; an address (a program, a zip archive, or a page that
 * links to them); or a release of BOINC (its number, or `latest`).
 */
export type WrapperSource =
	| { readonly folder: string }
	| { readonly url: string }
	| {
			readonly release: string;
			/** Address of the list of releases in GitHub's format; for mirrors. */
			readonly api?: string;
	  };

export interface WrapperOptions {
	/** Whose wrapper: docker_wrapper (the default) or vboxwrapper. */
	readonly runtime?: Runtime;
	/** File on this machine that remembers the hash of each name; without it nothing is compared. */
	readonly pinFile?: string;
	/** Leave other platforms out. */
	readonly platforms?: readonly Platform[];
	/** Folder on this machine in which downloads are kept for the next time. */
	readonly keepIn?: string;
	/** For proxies; default: of this process. */
	readonly env?: GetOptions['env'];
}

/** A program as it was found, before it is known for which platform it is. */
interface Found {
	readonly name: string;
	readonly bytes: Buffer;
}

const RELEASES = 'https://api.github.com/repos/BOINC/boinc/releases';
const MAX_PROGRAM = 64 << 20;
const MAX_PAGE = 8 << 20;

/**
 * The wrapper programs of a source, newest of each platform, each checked to be a program and to have the hash that its
 * name had before. Rejects with `wrapper-missing`, `wrapper-changed`, `download-failed`, `timeout`.
 */
export async function wrapperBinaries(
	source: WrapperSource,
	ctx: OperationContext,
	options: WrapperOptions = {},
): Promise<WrapperFile[]> {
	const get = {
		...(ctx.signal && { signal: ctx.signal }),
		...(options.env && { env: options.env }),
		...(options.keepIn !== undefined && { keepIn: options.keepIn }),
	};
	const runtime = options.runtime ?? 'docker';
	const { program, example } = WRAPPER_PROGRAMS[runtime];
	const matches = (name: string): boolean => {
		const platform = parseWrapperName(name, runtime)?.platform;
		return platform !== undefined && (options.platforms ?? PLATFORMS).includes(platform);
	};
	const { found, version, where } = await find(source, { runtime, matches }, get, ctx);
	const newest = new Map<Platform, { readonly version: number; readonly wrapper: WrapperFile }>();
	for (const { name, bytes } of found) {
		const parsed = parseWrapperName(name, runtime);
		if (!parsed) {
			continue;
		}
		checkRelease(name, parsed.version ?? version, runtime);
		checkProgram(name, bytes, parsed.platform, where);
		const content = contentOfBytes(bytes);
		const known = newest.get(parsed.platform);
		if (!known || known.version < (parsed.version ?? 0)) {
			const fileName = wrapperFileName(name, parsed, runtime, version, content.sha256);
			newest.set(parsed.platform, {
				version: parsed.version ?? 0,
				wrapper: { platform: parsed.platform, fileName, content, ...apiVersionOf(bytes) },
			});
		}
	}
	if (newest.size === 0) {
		throw new BoincError('wrapper-missing', `There is no ${program} for any wanted platform in ${where}.`, {
			remedy: `Names look like ${example}.`,
			detail: { where },
		});
	}
	const wrappers = PLATFORMS.flatMap((platform) => newest.get(platform)?.wrapper ?? []);
	if (options.pinFile !== undefined) {
		await checkPins(
			options.pinFile,
			wrappers.map(({ fileName, content }) => ({ name: fileName, sha256: content.sha256 })),
		);
	}
	for (const { fileName, content } of wrappers) {
		ctx.log.info(`${fileName}: ${content.size} bytes, SHA-256 ${content.sha256}`);
	}
	return wrappers;
}

/** Where `bin/update_versions` looks for it. */
function apiVersionOf(bytes: Buffer): Pick<WrapperFile, 'apiVersion'> {
	const apiVersion = /API_VERSION_(\d+\.\d+\.\d+)/.exec(bytes.toString('latin1'))?.[1];
	return apiVersion === undefined ? {} : { apiVersion };
}

interface Findings {
	readonly found: readonly Found[];
	readonly version: number | undefined;
	/** For messages. */
	readonly where: string;
}

type Get = Pick<GetOptions, 'signal' | 'env'> & Pick<WrapperOptions, 'keepIn'>;
interface Wanted {
	readonly runtime: Runtime;
	readonly matches: (name: string) => boolean;
}

async function find(source: WrapperSource, wanted: Wanted, get: Get, ctx: OperationContext): Promise<Findings> {
	if ('folder' in source) {
		return { found: await inFolder(source.folder, wanted), version: undefined, where: `the folder ${source.folder}` };
	}
	if ('url' in source) {
		return { found: await atUrl(source.url, wanted, get, ctx), version: undefined, where: source.url };
	}
	return inRelease(source.release, source.api ?? RELEASES, wanted, get, ctx);
}

async function inFolder(folder: string, wanted: Wanted): Promise<Found[]> {
	let names: string[];
	try {
		names = await readdir(folder);
	} catch (cause) {
		throw new BoincError('wrapper-missing', `The folder ${folder} cannot be read: ${messageOf(cause)}.`, {
			remedy: `Give a folder on this machine that holds ${WRAPPER_PROGRAMS[wanted.runtime].program} programs.`,
			cause,
		});
	}
	const found: Found[] = [];
	for (const name of names.filter((name) => wanted.matches(name))) {
		found.push({ name, bytes: await readFile(path.join(folder, name)) });
	}
	return found;
}

const isZip = (bytes: Buffer): boolean => bytes.subarray(0, 2).toString('latin1') === 'PK';

/** An archive or a program: no page of links, which changes, and no error page. */
const isLastingFile = (bytes: Buffer): boolean => isZip(bytes) || programFacts(bytes).kind !== 'other';

async function atUrl(url: string, wanted: Wanted, get: Get, ctx: OperationContext): Promise<Found[]> {
	ctx.progress.report({ message: `Fetching ${url}` });
	const own = decodeURIComponent(new URL(url).pathname.split('/').at(-1) ?? '');
	// After a redirect the name is that of the other address.
	const isLasting = (bytes: Buffer): boolean => isZip(bytes) || (wanted.matches(own) && isLastingFile(bytes));
	const { body, url: address } = await getKept(url, { ...get, maxBytes: MAX_PROGRAM }, get.keepIn, isLasting);
	const name = decodeURIComponent(new URL(address).pathname.split('/').at(-1) ?? '');
	const fileName = wanted.matches(own) ? own : name;
	if (wanted.matches(fileName)) {
		return [{ name: fileName, bytes: body }];
	}
	if (isZip(body)) {
		return inZip(url, body, wanted);
	}
	const links = [...body.toString('utf8').matchAll(/href\s*=\s*["']([^"'<>]+)["']/gi)].map(
		(match) => new URL((match[1] ?? '').replaceAll('&amp;', '&'), address).href,
	);
	return fetchAll(links, wanted, get, ctx);
}

/** Files of a list of addresses that are wrappers, or zip archives that hold some. */
async function fetchAll(addresses: readonly string[], wanted: Wanted, get: Get, ctx: OperationContext): Promise<Found[]> {
	const found: Found[] = [];
	const { program } = WRAPPER_PROGRAMS[wanted.runtime];
	for (const address of new Set(addresses)) {
		const name = decodeURIComponent(new URL(address).pathname.split('/').at(-1) ?? '');
		const isArchive = name.toLowerCase().endsWith('.zip') && name.toLowerCase().startsWith(program);
		if (wanted.matches(name) || isArchive) {
			ctx.progress.report({ message: `Fetching ${name}` });
			const { body } = await getKept(address, { ...get, maxBytes: MAX_PROGRAM }, get.keepIn, isLastingFile);
			found.push(...(isArchive ? inZip(address, body, wanted) : [{ name, bytes: body }]));
		}
	}
	return found;
}

function inZip(url: string, archive: Buffer, wanted: Wanted): Found[] {
	try {
		return readZip(archive, (name) => wanted.matches(path.posix.basename(name)), MAX_PROGRAM).map(({ name, bytes }) => ({
			name: path.posix.basename(name),
			bytes,
		}));
	} catch (cause) {
		throw new BoincError('download-failed', `The archive ${url} cannot be read: ${messageOf(cause)}.`, {
			detail: { url },
			cause,
		});
	}
}

const Release = v.object({
	tag_name: v.string(),
	assets: v.array(v.object({ name: v.string(), browser_download_url: v.string() })),
});

async function inRelease(release: string, api: string, wanted: Wanted, get: Get, ctx: OperationContext): Promise<Findings> {
	const { program, tag, example } = WRAPPER_PROGRAMS[wanted.runtime];
	if (release !== 'latest' && !/^\d{1,6}$/.test(release)) {
		throw new BoincError('wrapper-missing', `“${release}” is not a release of ${program}.`, {
			remedy: `Give a number such as ${/\d+/.exec(example)?.[0] ?? ''}, or latest.`,
		});
	}
	const address = release === 'latest' ? `${api}?per_page=100` : `${api}/tags/${encodeURIComponent(`${tag}/${release}`)}`;
	ctx.progress.report({ message: `Looking up the release of ${program}` });
	const { body } = await httpGet(address, { ...get, maxBytes: MAX_PAGE, accept: 'application/vnd.github+json' });
	let releases: v.InferOutput<typeof Release>[];
	try {
		const answer: unknown = JSON.parse(body.toString('utf8'));
		releases = v.parse(v.array(Release), Array.isArray(answer) ? answer : [answer]);
	} catch (cause) {
		throw new BoincError('download-failed', `${address} did not answer with a list of releases: ${messageOf(cause)}.`, { cause });
	}
	const numbered = releases.flatMap((each) => {
		const number = each.tag_name.startsWith(`${tag}/`) ? each.tag_name.slice(tag.length + 1) : '';
		return /^\d+$/.test(number) ? [{ number: Number(number), assets: each.assets }] : [];
	});
	const chosen = numbered.sort((a, b) => b.number - a.number)[0];
	if (!chosen) {
		throw new BoincError('wrapper-missing', `There is no release of ${program} at ${address}.`);
	}
	const found = await fetchAll(
		chosen.assets.map((asset) => asset.browser_download_url),
		wanted,
		get,
		ctx,
	);
	return { found, version: chosen.number, where: `release ${chosen.number} of ${program}` };
}

function checkRelease(name: string, version: number | undefined, runtime: Runtime): void {
	const { program, least } = WRAPPER_PROGRAMS[runtime];
	if (version !== undefined && version < least) {
		throw new BoincError('wrapper-missing', `${name} is too old: our jobs need ${program} ${least} or later.`, {
			remedy: `Older ones cannot share the job's folder with the virtual machine. Take a newer release, or leave it out.`,
			detail: { name, version, least },
		});
	}
}

/** An error page or a cut download must not become a signed program. Scripts pass: stand-ins for trying are scripts. */
function checkProgram(name: string, bytes: Buffer, platform: Platform, where: string): void {
	const { kind } = programFacts(bytes);
	const expected = platform.startsWith('windows') ? 'pe' : platform.endsWith('darwin') ? 'mach-o' : 'elf';
	if (kind !== expected && kind !== 'script') {
		throw new BoincError('wrapper-missing', `${name} from ${where} is not a program for ${platform}.`, {
			remedy: 'The file may be damaged, or an error page under its name: fetch it again.',
			detail: { name, platform, kind },
		});
	}
}
