import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';

import { BoincError, messageOf } from './errors.js';

/**
 * Makes a folder that a user named, and those above it. Rejects with `file-in-the-way`, naming it. One after the other: with
 * `recursive`, Node.js 20 tries for ever where a folder exists but says that what is made in it does not (`/proc`).
 */
export async function makeFolder(folder: string): Promise<void> {
	const missing: string[] = [];
	for (let each = path.resolve(folder); !(await isFolder(each)) && path.dirname(each) !== each; each = path.dirname(each)) {
		missing.unshift(each);
	}
	for (const each of missing) {
		try {
			await mkdir(each);
		} catch (cause) {
			// Somebody else has made it meanwhile.
			if (!(await isFolder(each))) {
				throw new BoincError('file-in-the-way', `The folder ${folder} cannot be made: ${messageOf(cause)}`, {
					cause,
					remedy: 'Choose another folder.',
					detail: { folder },
				});
			}
		}
	}
}

const isFolder = async (name: string): Promise<boolean> => (await stat(name).catch(() => undefined))?.isDirectory() === true;
