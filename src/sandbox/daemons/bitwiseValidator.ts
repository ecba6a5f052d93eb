import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

import { md5OfFile } from '../../common/content.js';
import { daemonTool } from './daemon.js';
import type { UploadedFile } from './uploads.js';
import { type Candidate, validatorKind } from './validation.js';

/** `sample_bitwise_validator`: outputs must exist and be equal, byte for byte. */
export const bitwiseValidator = daemonTool(
	validatorKind({ is_gzip: 0 }, (context) => ({
		check: (_, candidate) =>
			Promise.resolve(compared(candidate).every((file) => file.optional || existsSync(file.path)) ? 'good' : 'bad'),
		agree: async (_, first, second) => {
			const isGzip = context.options.has('is_gzip');
			const [a, b] = await Promise.all([fingerprints(first, isGzip), fingerprints(second, isGzip)]);
			return a.length === b.length && a.every((fingerprint, index) => fingerprint === b[index]);
		},
	})),
);

const compared = (candidate: Candidate): UploadedFile[] => candidate.files.filter(({ noValidate }) => !noValidate);

function fingerprints(candidate: Candidate, isGzip: boolean): Promise<string[]> {
	return Promise.all(
		compared(candidate).map(async ({ path }) => {
			if (!existsSync(path)) {
				return '';
			}
			// The header of a gzip file holds a time.
			return isGzip ? (await readFile(path)).subarray(10).toString('base64') : (await md5OfFile(path)).md5;
		}),
	);
}
