import { stat } from 'node:fs/promises';
import path from 'node:path';

import { BoincError } from '../../common/errors.js';
import { given } from '../../common/given.js';
import type { ImageSource } from '../../job/imageSource.js';
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
		throw new BoincError('input-missing', `There is no file or folder ${text}.`, {
			remedy: 'Give a Dockerfile, a folder with one, a saved image (.tar), or the name of an image.',
		});
	}
	return { kind: 'reference', reference: text };
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
