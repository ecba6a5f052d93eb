import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

import findImages from '../../templates/server/find-images.sh';
import readManifestsScript from '../../templates/server/read-manifests.sh';
import { messageOf } from '../common/errors.js';
import type { FileCache } from '../common/fileCache.js';
import type { OperationContext } from '../common/ports.js';
import { run } from '../connection/run.js';
import { briefScript } from './briefScript.js';
import type { Project } from './project.js';

/** The folder of the project in which it is kept what images and packs the server has. */
export const IMAGE_STORE = '.boinc2docker';

/** What a server knows of an image. */
export interface ImageRecord {
	/** Under which it was found. */
	readonly name: string;
	/** As `publishImage` was given it; from a server, so not to be trusted. */
	readonly description: unknown;
	/** Packs that are gone, or are not what they were. They must not be used. */
	readonly damaged: readonly string[];
}

/** What is asked about the images of a server. */
export interface ImageQuestion {
	/** An image by its name, of lower-case letters and digits. The question is on its way before that is known. */
	readonly name?: string | Promise<string | undefined> | undefined;
	/** How many of the images that were used last are wanted if the named one is not known and intact. */
	readonly recent: number;
}

/** The answer comes in two parts. Both reject for the same reasons; who does not wait for one misses nothing. */
export interface ImageAnswer {
	/** There before the others if there is no such image. */
	readonly named: Promise<ImageRecord | undefined>;
	readonly recent: Promise<RecentImages>;
}

export interface RecentImages {
	readonly records: readonly ImageRecord[];
	/** Whether the server has no others. */
	readonly isAll: boolean;
}

/**
 * Asks what a server knows of images, in one round trip. What `cache` has of the answer does not travel again. Once a week the
 * contents of all packs of an image are read for it. Rejects as `name` does.
 */
export function askForImages(project: Project, question: ImageQuestion, cache: FileCache, ctx: OperationContext): ImageAnswer {
	let settleEarly: (none: undefined) => void = () => undefined;
	const early = new Promise<undefined>((resolve) => (settleEarly = resolve));
	const whole = answerTo(project, question, cache, ctx, () => settleEarly(undefined));
	const named = Promise.race([early, whole.then((answer) => answer.named)]);
	const recent = whole.then(({ records, isAll }) => ({ records, isAll }));
	named.catch(() => undefined);
	recent.catch(() => undefined);
	return { named, recent };
}

interface WholeAnswer extends RecentImages {
	readonly named: ImageRecord | undefined;
}

const NONE = 'unknown\n';

async function answerTo(
	project: Project,
	question: ImageQuestion,
	cache: FileCache,
	ctx: OperationContext,
	onUnknown: () => void,
): Promise<WholeAnswer> {
	const recentFile = fileOf(project, 'recent', '');
	const hadRecent = question.recent > 0 ? await cache.get(recentFile) : undefined;
	const had = new Map(framed(hadRecent ?? Buffer.alloc(0)).map(({ bytes }) => [md5Of(bytes), bytes]));
	let name: string | undefined;
	const ask = async function* (): AsyncGenerator<Buffer, void, undefined> {
		const known = [...had.keys()].map((hash) => `had ${hash}\n`);
		name = await question.name;
		const record = name === undefined ? undefined : await cache.get(fileOf(project, 'record', name));
		if (record) {
			had.set(md5Of(record), record);
			known.push(`had ${md5Of(record)}\n`);
		}
		yield Buffer.from(`${known.join('')}${name === undefined ? '' : `name ${name}\n`}`);
	};
	const { root, config, connection } = project;
	const pieces: Uint8Array[] = [];
	await run(connection, ['sh', '-c', briefScript(findImages), 'sh', root, config.downloadDir, String(question.recent)], {
		doing: `look which images ${project.name} has`,
		stdin: ask(),
		onStdout: (piece) => {
			if (pieces.length === 0 && Buffer.from(piece).toString('latin1', 0, NONE.length) === NONE) {
				onUnknown();
			}
			pieces.push(piece);
		},
		timeoutMs: 600_000,
		...(ctx.signal && { signal: ctx.signal }),
	});
	const frames = framed(Buffer.concat(pieces));
	// An answer that was cut off counts for nothing.
	const isWhole = frames.at(-1)?.lines.at(-1) === 'end';
	const isEmpty = pieces.length === 0;
	const found = isWhole ? await recordsOf(frames, had, project, ctx) : [];
	const recent = found.filter(({ record }) => record.name !== name);
	if (recent.some(({ isNew }) => isNew)) {
		const kept = recent.flatMap(({ record, bytes }) => frameOf({ name: record.name, bytes }));
		await cache.put(new Map([[recentFile, Buffer.concat(kept)]]));
	}
	const named = found.find(({ record }) => record.name === name);
	if (named?.isNew) {
		await cache.put(new Map([[fileOf(project, 'record', named.record.name), named.bytes]]));
	}
	const others = frames.filter((frame) => frame.name !== name).length;
	const records = recent.map(({ record }) => record);
	return { named: named?.record, records, isAll: isEmpty || (isWhole && others < question.recent) };
}

/** Records that are kept as those that a server was asked for lately. */
const MOST_RECENT = 12;

/** Keeps the record of an image that a server has been given just now under these names: it need not come back with an answer. */
export async function keepRecord(project: Project, names: readonly string[], record: Buffer, cache: FileCache): Promise<void> {
	const recentFile = fileOf(project, 'recent', '');
	const others = framed((await cache.get(recentFile)) ?? Buffer.alloc(0)).slice(0, MOST_RECENT - 1);
	const recent = [{ name: names[0] ?? '', bytes: record }, ...others].flatMap(frameOf);
	const named = names.map((name): [string, Buffer] => [fileOf(project, 'record', name), record]);
	await cache.put(new Map([[recentFile, Buffer.concat(recent)], ...named]));
}

/** As `framed` takes it apart. */
const frameOf = ({ name, bytes }: { readonly name: string; readonly bytes: Buffer }): readonly Buffer[] => [
	Buffer.from(`record ${name} ${bytes.length}\n`),
	bytes,
];

const md5Of = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex');

function fileOf({ connection, root }: Project, kind: 'record' | 'recent', name: string): string {
	const place = createHash('sha256')
		.update(JSON.stringify([connection.name, root, name]))
		.digest('hex');
	return `${kind}-${place.slice(0, 32)}`;
}

interface FoundRecord {
	readonly record: ImageRecord;
	readonly bytes: Buffer;
	/** Whether it travelled. */
	readonly isNew: boolean;
}

async function recordsOf(
	frames: readonly Framed[],
	had: ReadonlyMap<string, Buffer>,
	project: Project,
	ctx: OperationContext,
): Promise<FoundRecord[]> {
	const damaged = new Set(
		frames.flatMap(({ lines }) =>
			lines.flatMap((line) => (line.startsWith('damaged ') ? (/[^/ ]+$/.exec(line)?.[0] ?? []) : [])),
		),
	);
	const found: FoundRecord[] = [];
	for (const { kind, name, hash, bytes: sent } of frames) {
		const bytes = kind === 'same' ? had.get(hash) : sent;
		try {
			const text = bytes && (await promisify(gunzip)(bytes)).toString('utf8');
			if (bytes && text !== undefined) {
				const start = text.indexOf('\n{') + 1;
				const packs = text.slice(0, start).match(/[^/ ]+(?= \d+ [0-9a-f]*$)/gm) ?? [];
				const description: unknown = JSON.parse(text.slice(start));
				const record = { name, description, damaged: packs.filter((pack) => damaged.has(pack)) };
				found.push({ record, bytes, isNew: kind !== 'same' });
			}
		} catch (error) {
			ctx.log.warn(`what ${project.name} knows of the image ${name} cannot be read: ${messageOf(error)}`);
		}
	}
	return found;
}

interface Framed {
	readonly kind: string;
	readonly name: string;
	/** Of what the caller has. */
	readonly hash: string;
	readonly bytes: Buffer;
	/** What follows the bytes up to the next frame. */
	readonly lines: readonly string[];
}

const WORDS = ['record', 'same', 'manifest'];

/** Takes apart `WORD NAME SIZE`, a line end, SIZE bytes, lines, and so on. What is cut off is left out. */
function framed(output: Buffer): Framed[] {
	const frames: (Framed & { lines: string[] })[] = [];
	for (let at = 0; at < output.length;) {
		const newline = output.indexOf(0x0a, at);
		const end = newline < 0 ? output.length : newline;
		const line = output.toString('latin1', at, end);
		at = end + 1;
		const [kind = '', name, size, hash = ''] = line.split(' ');
		if (WORDS.includes(kind) && name !== undefined && size !== undefined && /^\d+$/.test(size)) {
			if (at + Number(size) > output.length) {
				break;
			}
			frames.push({ kind, name, hash, bytes: output.subarray(at, at + Number(size)), lines: [] });
			at += Number(size);
		} else {
			frames.at(-1)?.lines.push(line);
		}
	}
	return frames;
}

/** The manifests of those packs that the server has one of, as `publishImage` was given them. One round trip. */
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
	return new Map(framed(stdout).map(({ name, bytes }) => [name, bytes]));
}
