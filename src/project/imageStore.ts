import { createHash, randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';

import findImages from '../../templates/server/find-images.sh';
import publishImage from '../../templates/server/publish-image.sh';
import readManifestsScript from '../../templates/server/read-manifests.sh';
import { contentOfBytes } from '../common/content.js';
import { BoincError, messageOf } from '../common/errors.js';
import type { FileCache } from '../common/fileCache.js';
import type { OperationContext } from '../common/ports.js';
import { makeDirectory } from '../connection/files.js';
import { run } from '../connection/run.js';
import { hierarchyPath } from './hierarchy.js';
import type { Project } from './project.js';

/** The folder of the project in which it is kept what images and packs the server has. */
const STORE = '.boinc2docker';

/** A pack as its file in the download hierarchy. */
interface PackFile {
	readonly name: string;
	readonly size: number;
	readonly md5: string;
}

/** What a server knows of an image. */
export interface ImageRecord {
	/** Under which it was found. */
	readonly name: string;
	/** As `storeImage` was given it; from a server, so not to be trusted. */
	readonly description: unknown;
	/** Packs that are gone, or are not what they were. They must not be used. */
	readonly damaged: readonly string[];
}

/**
 * The image of this name that the server knows, in one round trip of a few kilobytes. The name has lower-case letters and
 * digits. What `cache` has of it does not travel again.
 */
export async function findImage(
	project: Project,
	name: string,
	cache: FileCache,
	ctx: OperationContext,
): Promise<ImageRecord | undefined> {
	const place = createHash('sha256')
		.update(JSON.stringify([project.connection.name, project.root, name]))
		.digest('hex');
	const file = `record-${place.slice(0, 32)}`;
	const had = await cache.get(file);
	const [found] = await records(project, ['name', name], ctx, had);
	if (found && found.bytes !== had) {
		await cache.put(new Map([[file, found.bytes]]));
	}
	return found?.record;
}

/** The images of a server that were used last. */
export async function recentImages(project: Project, count: number, ctx: OperationContext): Promise<ImageRecord[]> {
	return (await records(project, ['recent', String(count)], ctx)).map(({ record }) => record);
}

interface FoundRecord {
	readonly record: ImageRecord;
	readonly bytes: Buffer;
}

async function records(project: Project, what: readonly string[], ctx: OperationContext, had?: Buffer): Promise<FoundRecord[]> {
	const hash = had ? createHash('md5').update(had).digest('hex') : 'none';
	const { stdout } = await run(
		project.connection,
		['sh', '-c', briefScript(findImages), 'sh', project.root, project.config.downloadDir, hash, ...what],
		{
			doing: `look which images ${project.name} has`,
			// Once a week the contents of all packs of an image are read.
			timeoutMs: 600_000,
			...(ctx.signal && { signal: ctx.signal }),
		},
	);
	const found: FoundRecord[] = [];
	for (const { kind, name, bytes: sent, lines } of framed(stdout, ['record', 'same'])) {
		const bytes = kind === 'same' && had ? had : sent;
		const damaged = lines.flatMap((line) =>
			line.startsWith('damaged ') ? [line.slice(line.lastIndexOf('/') + 1).replace('damaged ', '')] : [],
		);
		const description = await descriptionOf(bytes).catch((error: unknown) => {
			ctx.log.warn(`what ${project.name} knows of the image ${name} cannot be read: ${messageOf(error)}`);
			return undefined;
		});
		if (description !== undefined && lines.at(-1) === 'end') {
			found.push({ record: { name, description, damaged }, bytes });
		}
	}
	return found;
}

async function descriptionOf(record: Buffer): Promise<unknown> {
	const text = (await promisify(gunzip)(record)).toString('utf8');
	const value: unknown = JSON.parse(text.slice(text.indexOf('\n{') + 1));
	return value;
}

/** A script without its comments and indents. None of ours has a text of several lines. */
const briefScript = (script: string): string => script.replaceAll(/^[ \t]+/gm, '').replaceAll(/^#.*\n/gm, '');

interface Framed {
	readonly kind: string;
	readonly name: string;
	readonly bytes: Buffer;
	/** What follows the bytes up to the next frame. */
	readonly lines: readonly string[];
}

/** Takes apart `WORD NAME SIZE` with one of the words, a line end, SIZE bytes, lines, and so on. What is cut off is left out. */
function framed(output: Buffer, words: readonly string[]): Framed[] {
	const frames: (Framed & { lines: string[] })[] = [];
	for (let at = 0; at < output.length;) {
		const newline = output.indexOf(0x0a, at);
		const end = newline < 0 ? output.length : newline;
		const line = output.toString('latin1', at, end);
		at = end + 1;
		const [kind, name, size] = line.split(' ');
		if (kind !== undefined && words.includes(kind) && name !== undefined && size !== undefined && /^\d+$/.test(size)) {
			if (at + Number(size) > output.length) {
				break;
			}
			frames.push({ kind, name, bytes: output.subarray(at, at + Number(size)), lines: [] });
			at += Number(size);
		} else {
			frames.at(-1)?.lines.push(line);
		}
	}
	return frames;
}

/** The manifests of those packs that the server has one of, as `storeImage` was given them. One round trip. */
export async function readManifests(
	project: Project,
	names: readonly string[],
	ctx: OperationContext,
): Promise<ReadonlyMap<string, Buffer>> {
	if (names.length === 0) {
		return new Map();
	}
	const { stdout } = await run(project.connection, ['sh', '-c', readManifestsScript, 'sh', project.root], {
		doing: `read which files are in the packs of ${project.name}`,
		stdin: names.map((name) => `${name}\n`).join(''),
		maxStdout: 1 << 30,
		timeoutMs: 600_000,
		...(ctx.signal && { signal: ctx.signal }),
	});
	return new Map(framed(stdout, ['manifest']).map(({ name, bytes }) => [name, bytes]));
}

export interface StoredImage {
	/** Each finds it. */
	readonly names: readonly string[];
	/** All packs of the image. */
	readonly packs: readonly PackFile[];
	/** Any JSON value that is an object. */
	readonly description: object;
	/** Manifests of packs that are new on the server. */
	readonly manifests: ReadonlyMap<string, Uint8Array>;
}

/** Records an image whose packs are all there, so that later ones find it. Two round trips. */
export async function storeImage(project: Project, image: StoredImage, ctx: OperationContext): Promise<number> {
	const lines = image.packs.map(
		({ name, size, md5 }) => `pack ${hierarchyPath(name, project.config.uldlDirFanout)} ${String(size)} ${md5}`,
	);
	const record = await promisify(gzip)(`${lines.join('\n')}\n${JSON.stringify(image.description)}\n`, { level: 9 });
	const parts: Uint8Array[] = [];
	const index: string[] = [];
	let offset = 0;
	const add = (targets: readonly string[], bytes: Uint8Array): void => {
		parts.push(bytes);
		index.push(...targets.map((target) => `${target} ${String(offset)} ${String(bytes.length)}\n`));
		offset += bytes.length;
	};
	for (const [name, bytes] of image.manifests) {
		add([`packs/${name}`], bytes);
	}
	add(
		image.names.map((name) => `images/${name}`),
		record,
	);
	const blob = contentOfBytes(Buffer.concat(parts));
	const folder = `${project.root}/${STORE}`;
	const file = `${folder}/incoming-${randomUUID()}`;
	const signal = ctx.signal && { signal: ctx.signal };
	await makeDirectory(project.connection, folder, signal);
	const { bytesSent } = await project.connection.upload(blob, file, { ...signal });
	const { stdout } = await run(
		project.connection,
		['sh', '-c', publishImage, 'sh', project.root, file, project.config.downloadDir],
		{
			doing: `record the image in ${folder}`,
			stdin: index.join(''),
			...signal,
		},
	);
	if (stdout.toString('utf8').trim() !== 'done') {
		throw new BoincError('command-failed', `The image could not be recorded in ${folder} on ${project.connection.name}.`);
	}
	return bytesSent;
}
