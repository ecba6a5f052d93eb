import { createReadStream, createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { open, rm, statfs } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createGunzip, gunzip } from 'node:zlib';

import { BoincError, isAbort, messageOf, throwIfAborted } from '../../common/errors.js';
import { formatBytes } from '../../common/format.js';
import { ForwardReader, LocalFile, MemoryFile, type RandomAccess } from '../../image/archive/randomAccess.js';
import { readTar, type TarEntry } from '../../image/tar/readTar.js';
import { entryPath, refusal } from './entryRules.js';
import type { GunzipRoom } from './gunzipRoom.js';

/** What unpacks to at most this much is unpacked in memory. */
const IN_MEMORY = 64 * 2 ** 20;
/** Most that one result may unpack to; far above any sensible output. */
const MAX_BYTES = 50 * 2 ** 30;
const MAX_ENTRIES = 1_000_000;
/** gzip ends at about 1030 to 1. A GiB out of less than a MiB is one byte repeated. */
const MAX_RATIO = 1000;
const PLENTY = 2 ** 30;
/** What stays free for everything else on the computer. */
const SPARE = 2 ** 30;

const unzip = promisify(gunzip);

export interface UnpackLimits {
	/** Most bytes that the archive may unpack to; by default what the disk and common sense allow. */
	readonly maxBytes?: number;
	readonly signal?: AbortSignal;
	/** Where small archives are unpacked, without waiting; nobody else may use it meanwhile. By default new memory, beside other work. */
	readonly room?: GunzipRoom;
}

/** A packed result: its bytes, or the file that holds them. */
export type PackedResult = Buffer | { readonly file: string; readonly size: number };

/**
 * Unpacks a result into `folder`, which is made; an archive that is not small is unpacked beside it first. Entries that are
 * not plain files or folders inside of it, that do not fit, or that cannot be written here are left out; the return value
 * names them with the reason. Rejects with `result-corrupt` when the archive cannot be read, `disk-full`, or as the signal says.
 */
export async function unpackResult(archive: PackedResult, folder: string, limits: UnpackLimits = {}): Promise<string[]> {
	mkdirSync(folder);
	const size = 'file' in archive ? archive.size : archive.length;
	const allowed = Math.min(limits.maxBytes ?? MAX_BYTES, Math.max(PLENTY, size * MAX_RATIO));
	const content = await unzipSmall(archive, allowed, limits.room);
	const most = content ? allowed : Math.min(allowed, await roomIn(folder));
	if (content) {
		return writeEntries({ source: new MemoryFile(content), cut: false, most }, folder, limits.signal);
	}
	const spooled = `${folder}.tar`;
	try {
		const cut = await unzipLarge(archive, spooled, most, limits.signal);
		const source = await LocalFile.open(spooled);
		try {
			return await writeEntries({ source, cut, most }, folder, limits.signal);
		} finally {
			await source.close();
		}
	} finally {
		await rm(spooled, { force: true });
	}
}

async function roomIn(folder: string): Promise<number> {
	const { bavail, bsize } = await statfs(folder);
	return Math.max(0, bavail * bsize - SPARE);
}

const corrupt = (cause: unknown): BoincError =>
	new BoincError('result-corrupt', `The result cannot be unpacked: ${messageOf(cause)}`, {
		remedy: 'Fetch it again. If that does not help, the archive on the server is damaged: look at the job’s log.',
		cause,
	});

const codeOf = (error: unknown): string =>
	error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

/** The unpacked bytes of a small archive; `undefined` when they are not few. */
async function unzipSmall(archive: PackedResult, most: number, room: GunzipRoom | undefined): Promise<Buffer | undefined> {
	if ('file' in archive) {
		return undefined;
	}
	// The last four bytes say how much it is, if they are honest: then one step of the library does it.
	const told = archive.length < 4 ? 0 : archive.readUInt32LE(archive.length - 4);
	const largest = Math.min(IN_MEMORY, most);
	try {
		if (room) {
			return room.unzip(archive, told, Math.max(1, largest));
		}
		return await unzip(archive, {
			chunkSize: Math.min(IN_MEMORY, Math.max(1 << 14, told + 64)),
			maxOutputLength: Math.max(1, largest),
		});
	} catch (error) {
		if (codeOf(error) === 'ERR_BUFFER_TOO_LARGE') {
			return undefined;
		}
		throw corrupt(error);
	}
}

/** Unpacks into a file; resolves to whether it was cut off at `most` bytes. */
async function unzipLarge(
	archive: PackedResult,
	target: string,
	most: number,
	signal: AbortSignal | undefined,
): Promise<boolean> {
	let written = 0;
	const input = 'file' in archive ? createReadStream(archive.file) : Readable.from([archive], { objectMode: false });
	const bounded = async function* (pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
		for await (const piece of pieces) {
			const rest = most - written;
			written += piece.length;
			if (piece.length > rest) {
				yield piece.subarray(0, rest);
				return;
			}
			yield piece;
		}
	};
	try {
		await pipeline(input, createGunzip(), bounded, createWriteStream(target, { mode: 0o600 }), signal ? { signal } : {});
	} catch (error) {
		throwIfAborted(signal);
		// Whoever stops reading early makes the pipeline fail.
		if (written > most && (isAbort(error) || codeOf(error) === 'ERR_STREAM_PREMATURE_CLOSE')) {
			return true;
		}
		throw codeOf(error) === 'ENOSPC' ? fullDisk(target, error) : corrupt(error);
	}
	return written > most;
}

const fullDisk = (file: string, cause: unknown): BoincError =>
	new BoincError('disk-full', `There is no room on this computer for ${path.basename(file)}.`, {
		remedy: 'Make room, or choose another folder for the results.',
		cause,
	});

interface Unzipped {
	readonly source: RandomAccess;
	/** Whether there is more of it. */
	readonly cut: boolean;
	readonly most: number;
}

async function writeEntries({ source, cut, most }: Unzipped, folder: string, signal: AbortSignal | undefined): Promise<string[]> {
	const refused: string[] = [];
	const reader = new ForwardReader(source);
	const made = new Set<string>([folder]);
	let [bytes, entries] = [0, 0];
	try {
		for await (const entry of readTar({ source, start: 0, end: source.size, label: 'result' }, reader)) {
			throwIfAborted(signal);
			const name = entryPath(entry.name);
			const why = ++entries > MAX_ENTRIES ? `it is one of more than ${MAX_ENTRIES}` : refusal(name, entry.kind);
			if (why === undefined && bytes + entry.size > most) {
				refused.push(`${name}: ${tooLarge(most)}`);
			} else if (why === undefined) {
				bytes += entry.size;
				const trouble = await writeEntry(entry, path.join(folder, name), folder, made);
				refused.push(...(trouble === undefined ? [] : [`${name}: ${trouble}`]));
			} else if (refused.length < 1000) {
				refused.push(`${name}: ${why}`);
			}
		}
	} catch (error) {
		if (!BoincError.is(error, 'archive-corrupt', 'image-unsupported')) {
			throw error;
		}
		if (!cut) {
			throw corrupt(error);
		}
		refused.push(`${String(error.detail.entry ?? 'the rest')} and what follows: ${tooLarge(most)}`);
	}
	return refused;
}

const tooLarge = (most: number): string => `the result would unpack to more than ${formatBytes(most)}`;

/** Writes one entry; resolves to why it cannot be, as far as it is the entry's own fault. */
async function writeEntry(entry: TarEntry, target: string, folder: string, made: Set<string>): Promise<string | undefined> {
	try {
		const parent = entry.kind === 'directory' ? target : path.dirname(target);
		if (!made.has(parent)) {
			mkdirSync(parent, { recursive: true });
			made.add(parent);
		}
		if (entry.kind === 'file') {
			await writeContent(entry, target);
		}
		return undefined;
	} catch (error) {
		const code = codeOf(error);
		if (code === 'ENOSPC' || code === 'EDQUOT') {
			throw fullDisk(target, error);
		}
		if (code === '' || path.relative(folder, target).startsWith('..')) {
			throw error;
		}
		return CAUSES[code] ?? `it cannot be written here (${code})`;
	}
}

const CAUSES: Readonly<Record<string, string>> = {
	ENAMETOOLONG: 'its name is too long',
	ENOTDIR: 'a file of the result has the name of its folder',
	EISDIR: 'a folder of the result has its name',
	EEXIST: 'a file of the result has the name of its folder',
};

const PIECE = 1 << 20;

/**
 * Small results are unpacked in memory and written without waiting: each file is there in a moment, and with thousands of them
 * waiting would cost several times what the work does.
 */
async function writeContent(entry: TarEntry, target: string): Promise<void> {
	const { source, offset, size } = entry;
	const mode = entry.mode & 0o111 ? 0o755 : 0o644;
	// Nothing in the folder is a link, and the folder is ours alone: a later entry of a name replaces an earlier one.
	if (source instanceof MemoryFile) {
		writeFileSync(target, source.bytes.subarray(offset, offset + size), { mode });
		return;
	}
	const file = await open(target, 'w', mode);
	try {
		for (let at = 0; at < size;) {
			const piece = Buffer.allocUnsafe(Math.min(PIECE, size - at));
			await source.readInto(piece, offset + at);
			await file.write(piece);
			at += piece.length;
		}
	} finally {
		await file.close();
	}
}
