import { BoincError } from '../common/errors.js';
import type { Connection } from '../connection/connection.js';
import { readFile } from '../connection/files.js';
import { parseConfig } from './config.js';
import type { ProjectConfig } from './types.js';

/**
 * Reads `config.xml` of the project in `root`. Rejects with `project-not-found` (no such file), `project-unreadable`
 * (not for this account) or `config-invalid`.
 */
export async function readConfig(connection: Connection, root: string): Promise<ProjectConfig> {
	const file = `${root}/config.xml`;
	let bytes: Buffer;
	try {
		bytes = await readFile(connection, file, { maxBytes: 4 << 20 });
	} catch (cause) {
		if (BoincError.is(cause, 'file-not-found')) {
			throw new BoincError(
				'project-not-found',
				`There is no BOINC project in ${root} on ${connection.name}: it has no config.xml.`,
				{
					remedy: 'Give the project’s folder: the one that holds config.xml and bin/.',
					detail: { root },
					cause,
				},
			);
		}
		if (BoincError.is(cause, 'permission-denied')) {
			throw new BoincError('project-unreadable', `This account may not read ${file} on ${connection.name}.`, {
				remedy: 'Log in as the account that the project runs under, or ask its administrator for access to config.xml.',
				detail: { root },
				cause,
			});
		}
		throw cause;
	}
	return parseConfig(bytes.toString('utf8'), root, `${file} on ${connection.name}`);
}
