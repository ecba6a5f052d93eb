import { type Dir, type Dirent, lstatSync, opendirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { IgnoreRules } from './ignoreRules.js';

/** What a builder is given. */
export interface ContextSize {
	readonly bytes: number;
	readonly files: number;
	/** Whether all was counted. */
	readonly isWhole: boolean;
	/** What is at the top of the context, the largest first. */
	readonly largest: readonly { readonly name: string; readonly bytes: number }[];
	/** Name of the file that leaves things out, if there is one. */
	readonly ignoreFile: string | undefined;
}

const LARGEST = 5;
/** Names that are read at once: folders with a million files do not fit anywhere else either. */
const NAMES = 512;
/** Entries of folders between two reports. */
const STEP = 500;

/**
 * Counts bytes and files of a build context without what its ignore file leaves out. Yields what it has counted every few
 * hundred entries and returns the whole; what is kept meanwhile does not grow with the number of files. It waits for the file system.
 * Throws the error of the file system when the folder itself cannot be read; what cannot be read in it does not count.
 */
export function* countContext(context: string, dockerfile: string): Generator<ContextSize, ContextSize, undefined> {
	const { rules, name: ignoreFile } = ignoreRulesOf(context, dockerfile);
	const tops = new Tops();
	let bytes = 0;
	let files = 0;
	let entries = 0;
	const size = (isWhole: boolean): ContextSize => ({ bytes, files, isWhole, largest: tops.largest(), ignoreFile });
	// The last folder first: all of one that is at the top is counted before the next.
	const folders = [''];
	for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
		tops.enter(folder.split('/', 1)[0] ?? '');
		for (const entry of entriesOf(path.join(context, folder), folder === '')) {
			const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
			const ignored = rules.ignores(name);
			if (entry.isDirectory()) {
				if (!ignored || rules.mayHaveExceptions(name)) {
					folders.push(name);
				}
			} else if (!ignored) {
				const own = sizeOf(path.join(context, name));
				bytes += own;
				files += 1;
				tops.add(folder === '' ? entry.name : undefined, own);
			}
			if (++entries % STEP === 0) {
				yield size(false);
			}
		}
	}
	return size(true);
}

/** Keeps the largest of what is at the top; a context may have a million files there. */
class Tops {
	#best: { readonly name: string; readonly bytes: number }[] = [];
	#folder = '';
	#bytes = 0;

	/** What is added from now on is in that folder. */
	enter(folder: string): void {
		if (folder !== this.#folder) {
			this.#best = this.largest();
			this.#folder = folder;
			this.#bytes = 0;
		}
	}

	/** Adds a file, with its name if it is at the top itself. */
	add(name: string | undefined, bytes: number): void {
		if (name === undefined) {
			this.#bytes += bytes;
		} else if (this.#best.length < LARGEST || bytes > (this.#best.at(-1)?.bytes ?? 0)) {
			this.#best = sorted([...this.#best, { name, bytes }]);
		}
	}

	largest(): { readonly name: string; readonly bytes: number }[] {
		return this.#folder === '' ? [...this.#best] : sorted([...this.#best, { name: this.#folder, bytes: this.#bytes }]);
	}
}

const sorted = <T extends { readonly bytes: number }>(all: readonly T[]): T[] =>
	all.toSorted((a, b) => b.bytes - a.bytes).slice(0, LARGEST);

function sizeOf(file: string): number {
	try {
		return lstatSync(file).size;
	} catch {
		return 0; // gone meanwhile
	}
}

function* entriesOf(folder: string, isContext: boolean): Generator<Dirent, void, undefined> {
	let dir: Dir | undefined;
	try {
		dir = opendirSync(folder, { bufferSize: NAMES });
		for (let entry = dir.readSync(); entry !== null; entry = dir.readSync()) {
			yield entry;
		}
	} catch (error) {
		if (isContext) {
			throw error;
		}
	} finally {
		dir?.closeSync();
	}
}

/** Docker prefers the file beside the Dockerfile with its name in front; Podman also knows `.containerignore`. */
function ignoreRulesOf(context: string, dockerfile: string): { rules: IgnoreRules; name: string | undefined } {
	const file = path.resolve(context, dockerfile);
	for (const candidate of [`${file}.dockerignore`, path.join(context, '.containerignore'), path.join(context, '.dockerignore')]) {
		try {
			return { rules: new IgnoreRules(readFileSync(candidate, 'utf8')), name: path.basename(candidate) };
		} catch {
			// There is none.
		}
	}
	return { rules: new IgnoreRules(''), name: undefined };
}
