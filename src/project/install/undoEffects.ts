import { plural } from '../../common/format.js';
import type { Project } from '../project.js';
import { openBackup } from './backup.js';

/**
 * What taking an installation back means for jobs that are not over, in sentences for a person; empty when there are none. Rejects with
 * `install-failed` when there is no such backup. Reads only.
 */
export async function undoEffects(project: Project, backupId: string, signal?: AbortSignal): Promise<readonly string[]> {
	const { manifest } = await openBackup(project, backupId);
	const database = await project.database();
	const [app] = await database.select<{ id: number }>('SELECT id FROM app WHERE name = ?', [manifest.app], signal);
	const [row] = await database.select<{ n: number }>(
		'SELECT COUNT(*) AS n FROM workunit WHERE appid = ? AND assimilate_state IN (0, 1)',
		[app?.id ?? 0],
		signal,
	);
	const jobs = row?.n ?? 0;
	if (jobs === 0) {
		return [];
	}
	const open = `${plural(jobs, 'job')} of “${manifest.app}” ${jobs === 1 ? 'is' : 'are'} not over.`;
	if (manifest.app_id !== undefined) {
		return [
			open,
			'Those that no host has yet are not sent any more, and results of the others are not collected, unless the app is installed again.',
			'To be rid of them, cancel their batches first.',
		];
	}
	return manifest.versions.length > 0
		? [
				open,
				'Hosts get them with the versions that the app had before, if these suit; jobs for a version that goes are not sent any more.',
			]
		: [];
}
