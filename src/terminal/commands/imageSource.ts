import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';

import { BoincError } from '../../common/errors.js';
import { given } from '../../common/given.js';
import { closest } from '../../common/problem.js';
import type { ImageSource } from '../../job/imageSource.js';
import { JOB_FILE } from './jobFile.js';
import { pairs, type SubmitOptions } from './jobOptions.js';

/** What a person means by the first argument: a Dockerfile, a folder with one, a saved image, or the name of an image. */
export async function imageSource(text: string, options: SubmitOptions): Promise<ImageSource> {
	const found = await stat(text).catch(() => undefined);
	const full = path.resolve(text);
	const build = given({ buildArgs: pairs('build-arg', options.buildArg), target: options.target, platform: options.platform });
	if (found?.isDirectory() === true) {
		return { kind: 'dockerfile', contextDir: full, dockerfile: options.file ?? 'Dockerfile', ...build };
	}
	if (found && /\.(tar|tar\.gz|tgz)$/i.test(text)) {
		return { kind: 'archive', file: full };
	}
	if (found) {
		return { kind: 'dockerfile', contextDir: path.dirname(full), dockerfile: path.basename(full), ...build };
	}
	// Names of images begin with a letter or digit, and none looks like the files that people submit.
	if (/^[^a-z0-9]|[\\/]$|dockerfile|containerfile|\.(tar|tar\.gz|tgz)$/i.test(text)) {
		throw await nothingOfName(text, 'file or folder');
	}
	// Only the host of an image's name may have capitals.
	if (/^[^/:@]*[A-Z][^/:@]*$/.test(text)) {
		throw await nothingOfName(text, 'file, folder or image');
	}
	return { kind: 'reference', reference: text };
}

/** `Did you mean …? ` where a file beside has nearly that name. */
async function didYouMean(text: string): Promise<string> {
	const folder = path.dirname(text);
	const near = closest(path.basename(text), await readdir(folder).catch(() => []));
	return near === undefined ? '' : `Did you mean ${path.join(folder, near)}? `;
}

async function nothingOfName(text: string, kinds: string): Promise<BoincError> {
	return new BoincError('input-missing', `There is no ${kinds} ${text}.`, {
		remedy: `${await didYouMean(text)}Give a Dockerfile, a folder with one, a saved image (.tar), or the name of an image.`,
	});
}

/** Does what needs the image; that no image has this name is told together with that no file has it. */
export async function orNothingOfName<T>(image: ImageSource, work: () => Promise<T>): Promise<T> {
	try {
		return await work();
	} catch (error) {
		if (image.kind !== 'reference' || !BoincError.is(error, 'image-not-found')) {
			throw error;
		}
		throw new BoincError('image-not-found', `There is no file ${image.reference}, and ${error.message}`, {
			remedy: `${await didYouMean(image.reference)}${error.remedy ?? ''}`,
			cause: error,
		});
	}
}

/** A sentence if the folder that a person named has a job file, which is not read then. */
export async function unusedJobFile(text: string): Promise<string | undefined> {
	const file = path.relative('', path.resolve(text, JOB_FILE));
	const found = await stat(file).catch(() => undefined);
	const use = file === JOB_FILE ? '“boinc2docker submit” without a path' : `“boinc2docker submit ${file}”`;
	return found?.isFile() === true ? `${JOB_FILE} of this folder is not used; ${use} uses it.` : undefined;
}

/** A name for the batch from what is submitted: the folder of a Dockerfile, a file, an image. */
export function nameOf(image: ImageSource): string {
	switch (image.kind) {
		case 'dockerfile':
			return path.basename(image.contextDir) || 'container';
		case 'archive':
			return path.basename(image.file).replace(/\.(tar|tar\.gz|tgz)$/i, '');
		case 'reference':
			return image.reference;
	}
}
