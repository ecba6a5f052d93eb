import { lstat, opendir, readFile } from 'node:fs/promises';
import path from 'node:path';

import { throwIfAborted } from '../../common/errors.js';
import { IgnoreRules } from './ignoreRules.js';

/** What a builder is given. */
export interface ContextSize {
	readonly bytes: number;
	readonly files: number;
	/** Whether all was counted: of a context with very many files only the first are. */
	readonly isWhole: boolean;
	/** What is at the top of the context, the largest first. */
	readonly largest: readonly { readonly name: string; readonly bytes: number }[];
	/** Name of the file that leaves things out, if there is one. */
	readonly ignoreFile: string | undefined;
}

/** Files that are counted. More would keep the disk busy for long, and that there are too many is known by then. */
const MOST_FILES = 200_000;
const LARGEST = 5;
const TOGETHER = 64;

/**
 * Bytes and files of a build context without what its ignore file leaves out. Rejects with the error of the file system when the folder
 * itself cannot be read; what cannot be read in it does not count.
 */
export async function contextSize(
	context: string,
	dockerfile: string,
	signal?: AbortSignal,
	mostFiles = MOST_FILES,
): Promise<ContextSize> {
	const { rules, name: ignoreFile } = await ignoreRulesOf(context, dockerfile);
	const tops = new Map<string, number>();
	let bytes = 0;
	let files = 0;
	const count = async (paths: readonly string[]): Promise<void> => {
		await Promise.all(
			paths.map(async (name) => {
				const size = (await lstat(path.join(context, name)).catch(() => undefined))?.size ?? 0;
				const top = name.split('/', 1)[0] ?? '';
				tops.set(top, (tops.get(top) ?? 0) + size);
				bytes += size;
				files += 1;
			}),
		);
	};
	const folders = [''];
	for (let folder = folders.pop(); folder !== undefined && files < mostFiles; folder = folders.pop()) {
		const waiting: string[] = [];
		for await (const entry of entriesOf(path.join(context, folder), folder === '')) {
			throwIfAborted(signal);
			const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
			const ignored = rules.ignores(name);
			if (entry.isDirectory()) {
				if (!ignored || rules.mayHaveExceptions(name)) {
					folders.push(name);
				}
			} else if (!ignored) {
				waiting.push(name);
			}
			if (waiting.length >= TOGETHER) {
				await count(waiting.splice(0));
				if (files >= mostFiles) {
					break;
				}
			}
		}
		await count(waiting);
	}
	const largest = [...tops].map(([name, size]) => ({ name, bytes: size })).sort((a, b) => b.bytes - a.bytes);
	return { bytes, files, isWhole: files < mostFiles, largest: largest.slice(0, LARGEST), ignoreFile };
}

interface Entry {
	readonly name: string;
	isDirectory(): boolean;
}

async function* entriesOf(folder: string, isContext: boolean): AsyncGenerator<Entry, void, undefined> {
	try {
		yield* await opendir(folder, { bufferSize: 256 });
	} catch (error) {
		if (isContext) {
			throw error;
		}
	}
}

/** Docker prefers the file beside the Dockerfile with its name in front; Podman also knows `.containerignore`. */
async function ignoreRulesOf(context: string, dockerfile: string): Promise<{ rules: IgnoreRules; name: string | undefined }> {
	const file = path.resolve(context, dockerfile);
	for (const candidate of [`${file}.dockerignore`, path.join(context, '.containerignore'), path.join(context, '.dockerignore')]) {
		const text = await readFile(candidate, 'utf8').catch(() => undefined);
		if (text !== undefined) {
			return { rules: new IgnoreRules(text), name: path.basename(candidate) };
		}
	}
	return { rules: new IgnoreRules(''), name: undefined };
}
