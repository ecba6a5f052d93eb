import { BoincError } from '../common/errors.js';
import { commandError } from './run.js';

/** What a transfer is about, for messages. */
export interface TransferSubject {
	readonly server: string;
	readonly path: string;
	/** `send pack.tar.gz to` as it stands between “could not” and the path. */
	readonly doing: string;
}

/** The error for what a transfer script said instead of the expected. */
export function transferProblem(subject: TransferSubject, said: string): BoincError {
	const { server, path, doing } = subject;
	const [word = '', ...rest] = said.split(' ');
	switch (word) {
		case 'is-folder':
			return new BoincError('command-failed', `Could not ${doing} on ${server}: it is a folder.`, { detail: { path } });
		case 'no-folder':
			return new BoincError('file-not-found', `Could not ${doing} on ${server}: its folder does not exist.`, {
				remedy: 'Check the path on the server.',
				detail: { path },
			});
		default:
			return commandError(
				server,
				'sh',
				doing,
				1,
				(word === 'failed' ? rest.join(' ') : said).replace(/^sh: (\d+: |line \d+: )?/, ''),
			);
	}
}
