import { stat } from 'node:fs/promises';

import { type Content, contentOfFile } from '../common/content.js';
import { BoincError, messageOf } from '../common/errors.js';
import { shortHash } from './names.js';
import type { JobInput } from './types.js';

/** A local file that a job gets as `/root/shared/<path>`. */
export interface LocalInput {
	readonly path: string;
	/** Local path; of no meaning for an input from the web, until `fetchInputs`. */
	readonly file: string;
	readonly from?: { readonly url: string; readonly sha256: string };
	/** Where it is asked for: `boinc2docker.yml, line 3, column 9`. */
	readonly place?: string;
}

/** Refuses what cannot be read as a file: `input-missing`, which begins with the place where the file is named. */
export async function checkInput(file: string, place?: string): Promise<void> {
	let problem: string | undefined;
	let remedy = 'Check the path.';
	try {
		const found = await stat(file);
		if (found.isDirectory()) {
			problem = 'is a folder';
			remedy = 'Give a file; a folder must be packed into an archive first.';
		} else if (!found.isFile()) {
			problem = 'is not a file';
		}
	} catch (error) {
		const isAbsent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
		problem = isAbsent ? 'does not exist' : `cannot be read (${messageOf(error)})`;
	}
	if (problem !== undefined) {
		const where = place === undefined ? '' : `${place}: `;
		throw new BoincError('input-missing', `${where}The input ${file} ${problem}.`, { remedy, detail: { file } });
	}
}

/** Content of a file that says so if the file is another one when it is sent: its hash is in names and templates by then. */
async function steadyContent(file: string): Promise<Content> {
	const look = async (): Promise<string> => {
		const { size, mtimeMs, ino } = await stat(file);
		return [size, mtimeMs, ino].join(' ');
	};
	const before = await look();
	const content = await contentOfFile(file);
	return {
		...content,
		open: async function* (offset, chunks) {
			if ((await look().catch(() => 'gone')) !== before) {
				throw new BoincError('input-missing', `The input ${file} was changed while it was being submitted.`, {
					remedy: 'Submit again when it is complete.',
					detail: { file },
				});
			}
			yield* content.open(offset, chunks);
		},
	};
}

/** Reads each local file once, however many jobs use it. */
export class InputFiles {
	readonly #known = new Map<string, JobInput['file']>();

	async all(inputs: readonly LocalInput[] | undefined): Promise<JobInput[]> {
		const found: JobInput[] = [];
		for (const { path, file } of inputs ?? []) {
			let staged = this.#known.get(file);
			if (!staged) {
				const content = await steadyContent(file);
				staged = { name: `b2d_input_${shortHash(content.sha256)}`, content };
				this.#known.set(file, staged);
			}
			found.push({ path, file: staged });
		}
		return found;
	}

	/** Inputs that were given to `all` before. */
	known(inputs: readonly LocalInput[] | undefined): JobInput[] {
		return (inputs ?? []).flatMap(({ path, file }) => {
			const staged = this.#known.get(file);
			return staged ? [{ path, file: staged }] : [];
		});
	}
}
