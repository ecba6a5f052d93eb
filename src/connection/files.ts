import { contentOfBytes } from '../common/content.js';
import type { Argv, Connection, ExecOptions } from './connection.js';
import { commandError, run } from './run.js';
import hashScript from './scripts/hash.sh';
import listScript from './scripts/list.sh';
import statScript from './scripts/stat.sh';

export type FileKind = 'file' | 'folder' | 'link' | 'other';

export interface FileStatus {
	readonly kind: FileKind;
	readonly size: number;
	/** Seconds since the epoch. */
	readonly modified: number;
	/** Permission bits. */
	readonly mode: number;
}

export interface DirectoryEntry extends FileStatus {
	/** Name within the folder. */
	readonly name: string;
}

export interface FileHash {
	/** Lower-case hex. */
	readonly hash: string;
	readonly size: number;
}

type Limits = Pick<ExecOptions, 'signal'>;

const DEFAULT_MAX_BYTES = 16 * 1024 * 1024;
/** So many paths fit into one command with room to spare. */
const PATHS_AT_ONCE = 400;

/** Reads a whole file. A file of more than `maxBytes` (default 16 MiB) is an error. Links are followed. */
export async function readFile(
	connection: Connection,
	path: string,
	options: Limits & { readonly maxBytes?: number } = {},
): Promise<Buffer> {
	const { maxBytes = DEFAULT_MAX_BYTES, ...limits } = options;
	const { stdout } = await run(connection, ['cat', '--', path], { doing: `read ${path}`, ...limits, maxStdout: maxBytes });
	return stdout;
}

/**
 * Writes a small file in one step: readers see the old content or the new. Mode by default 0o644.
 * Rejects as `Connection.upload` does.
 */
export async function writeFileAtomic(
	connection: Connection,
	path: string,
	bytes: Uint8Array | string,
	options: Limits & { readonly mode?: number } = {},
): Promise<void> {
	await connection.upload(contentOfBytes(bytes), path, options);
}

/** Whether there is anything under `path`, a dangling link included. */
export async function fileExists(connection: Connection, path: string, limits: Limits = {}): Promise<boolean> {
	return (await statFile(connection, path, { ...limits, links: 'show' })) !== undefined;
}

/** What is under `path`, or undefined when nothing is. Links are followed unless `links` is `show`. */
export async function statFile(
	connection: Connection,
	path: string,
	options: Limits & { readonly links?: 'follow' | 'show' } = {},
): Promise<FileStatus | undefined> {
	const { links = 'follow', ...limits } = options;
	const doing = `look at ${path}`;
	const { stdout } = await run(connection, script(statScript, links, path), { doing, ...limits });
	const text = stdout.toString('latin1').trim();
	if (text === 'absent') {
		return undefined;
	}
	const status = statusOf(text.split(' '));
	if (!status) {
		throw commandError(connection.name, 'stat', doing, 1, text);
	}
	return status;
}

/** The entries of a folder, sorted by name; links are shown as links. Throws `file-not-found` when it does not exist. */
export async function listDirectory(connection: Connection, path: string, limits: Limits = {}): Promise<DirectoryEntry[]> {
	const { stdout } = await run(connection, script(listScript, path), {
		doing: `list ${path}`,
		...limits,
		timeoutMs: 300_000,
		maxStdout: 256 << 20,
	});
	const fields = stdout.toString('utf8').split('\0');
	const entries: DirectoryEntry[] = [];
	for (let at = 0; at + 1 < fields.length; at += 2) {
		const status = statusOf((fields[at] ?? '').trim().split(' '));
		if (status) {
			entries.push({ name: fields[at + 1] ?? '', ...status });
		}
	}
	return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Makes a folder and those above it. One that is there already is fine. */
export async function makeDirectory(connection: Connection, path: string, limits: Limits = {}): Promise<void> {
	await run(connection, ['mkdir', '-p', '--', path], { doing: `make the folder ${path}`, ...limits });
}

/** Removes files, not folders. Absent ones are fine. */
export async function removeFiles(connection: Connection, paths: readonly string[], limits: Limits = {}): Promise<void> {
	for (const some of chunks(paths)) {
		await run(connection, ['rm', '-f', '--', ...some], {
			doing: `remove ${some[0] ?? ''}${some.length > 1 ? ` and ${some.length - 1} more` : ''}`,
			...limits,
		});
	}
}

/** Gives a file another name in the same file system, replacing what is there. Refuses to move into a folder. */
export async function renameFile(connection: Connection, from: string, to: string, limits: Limits = {}): Promise<void> {
	const text = 'if [ -d "$2" ]; then echo "$2 is a folder" >&2; exit 1; fi; exec mv -f -- "$1" "$2"';
	await run(connection, script(text, from, to), { doing: `rename ${from} to ${to}`, ...limits });
}

/** Sizes and hashes of those of `paths` that are readable files; others are absent from the map. */
export async function hashFiles(
	connection: Connection,
	paths: readonly string[],
	algorithm: 'md5' | 'sha256',
	limits: Limits = {},
): Promise<Map<string, FileHash>> {
	const found = new Map<string, FileHash>();
	for (const some of chunks(paths)) {
		const { stdout } = await run(connection, script(hashScript, algorithm, ...some), {
			doing: `compute the ${algorithm.toUpperCase()} of ${some[0] ?? ''}`,
			timeoutMs: Number.POSITIVE_INFINITY,
			...limits,
		});
		for (const line of stdout.toString('latin1').split('\n')) {
			const [index, size, hash] = line.split(' ');
			const path = some[Number(index)];
			if (index !== '' && path !== undefined && hash !== undefined && /^[0-9a-f]{32,64}$/.test(hash)) {
				found.set(path, { hash, size: Number(size) });
			}
		}
	}
	return found;
}

const script = (text: string, ...args: string[]): Argv => ['sh', '-c', text, 'sh', ...args];

function* chunks(paths: readonly string[]): Generator<readonly string[]> {
	for (let start = 0; start < paths.length; start += PATHS_AT_ONCE) {
		yield paths.slice(start, start + PATHS_AT_ONCE);
	}
}

/** Fields: mode in hex, size, seconds; or a letter for the type, permission bits in octal, size, seconds. */
function statusOf(fields: readonly string[]): FileStatus | undefined {
	const [size, modified] = fields.slice(-2).map(Number);
	const [first = '', second = ''] = fields;
	const bits = fields.length === 3 ? Number.parseInt(first, 16) : Number.parseInt(second, 8);
	if (
		fields.length < 3 ||
		fields.length > 4 ||
		size === undefined ||
		modified === undefined ||
		[bits, size, modified].some(Number.isNaN)
	) {
		return undefined;
	}
	const kind = fields.length === 3 ? KINDS[bits & 0o170000] : LETTERS[first];
	return { kind: kind ?? 'other', size, modified: Math.floor(modified), mode: bits & 0o7777 };
}

const KINDS: Readonly<Record<number, FileKind>> = { 0o100000: 'file', 0o040000: 'folder', 0o120000: 'link' };
const LETTERS: Readonly<Record<string, FileKind>> = { f: 'file', d: 'folder', l: 'link' };
