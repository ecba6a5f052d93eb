import { BoincError } from '../../common/errors.js';
import { readFile } from '../../connection/files.js';
import { parsePrivateKey, parsePublicKey, signMd5, verifyMd5 } from '../boincKeys.js';
import type { Project } from '../project.js';
import type { InstallSpec } from './spec.js';
import type { Survey } from './survey.js';
import type { NewVersion } from './versions.js';

/**
 * The versions with signatures made on this computer, where the spec has the key: `update_versions` takes them instead of signing.
 * Rejects with `install-failed` when there is a key neither here nor on the server, and for a key whose signatures the
 * project's clients would refuse.
 */
export async function signVersions(
	project: Project,
	{ signingKey }: InstallSpec,
	survey: Pick<Survey, 'signingKey'>,
	versions: readonly NewVersion[],
): Promise<readonly NewVersion[]> {
	if (versions.length === 0) {
		return versions;
	}
	const { keyDir } = project.config;
	if (signingKey === undefined) {
		if (survey.signingKey !== 'present') {
			throw new BoincError(
				'install-failed',
				`The key that signs app files, ${keyDir}/code_sign_private, ${survey.signingKey === 'absent' ? 'is not on the server' : 'may not be read by this account'}.`,
				{
					remedy:
						'Sign on your own computer: the editor asks for the file of the key, on the command line it is --signing-key. Or use an account that may read it there.',
					detail: { key: survey.signingKey },
				},
			);
		}
		return versions;
	}
	const key = parsePrivateKey(signingKey);
	if (!key) {
		throw wrongKey('What is given as the key for signing is no private key of BOINC.');
	}
	const signed = versions.map((version) => ({
		...version,
		files: version.files.map((file) => ({ ...file, signature: signMd5(file.content.md5, key) })),
	}));
	const publicFile = `${keyDir}/code_sign_public`;
	const text = (await readFile(project.connection, publicFile, { maxBytes: 1 << 16 })).toString('utf8');
	const publicKey = parsePublicKey(text);
	const [file] = signed.flatMap(({ files }) => files);
	if (!publicKey || (file && !verifyMd5(file.content.md5, file.signature, publicKey))) {
		throw wrongKey(
			`The key for signing does not belong to ${publicFile} on ${project.connection.name}, by which clients judge app files.`,
		);
	}
	return signed;
}

function wrongKey(message: string): BoincError {
	return new BoincError('install-failed', message, {
		remedy: 'Give the file code_sign_private that was made with the project.',
		detail: { key: 'wrong' },
	});
}
