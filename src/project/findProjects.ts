import findScript from '../../templates/server/find-projects.sh';
import { BoincError } from '../common/errors.js';
import type { Connection } from '../connection/connection.js';
import { readConfig } from './readConfig.js';

export interface FoundProject {
	readonly root: string;
	readonly longName: string;
	readonly masterUrl: string;
}

/**
 * Looks for BOINC projects up to two levels below `home` (default: the account's home folder and the usual places).
 * Projects whose `config.xml` cannot be read by this account are left out.
 */
export async function findProjects(connection: Connection, home?: string, signal?: AbortSignal): Promise<FoundProject[]> {
	const { stdout } = await connection.exec(['sh', '-c', findScript, 'sh', ...(home === undefined ? [] : [home])], {
		timeoutMs: 30_000,
		...(signal && { signal }),
	});
	const roots = stdout
		.toString('utf8')
		.split('\n')
		.filter((line) => line.startsWith('/'));
	const found = await Promise.all(
		roots.map(async (root): Promise<FoundProject | undefined> => {
			try {
				const { longName, masterUrl } = await readConfig(connection, root);
				return { root, longName, masterUrl };
			} catch (error) {
				if (BoincError.is(error, 'config-invalid', 'project-unreadable', 'project-not-found')) {
					return undefined;
				}
				throw error;
			}
		}),
	);
	return found.filter((project) => project !== undefined);
}
