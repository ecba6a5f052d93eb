import { BoincError } from '../common/errors.js';
import { readFile } from '../connection/files.js';
import type { Project } from './project.js';

/**
 * The folder on the server that the results of an app are collected into: what *Install App* wrote down, else
 * `results/<app>`. Rejects with `app-missing` when the project has no such app.
 */
export async function resultsDirectory(project: Project, appId: number): Promise<string> {
	const db = await project.database();
	const [row] = await db.select<{ name: string }>('SELECT name FROM app WHERE id = ?', [appId]);
	if (!row) {
		throw new BoincError('app-missing', `${project.name} has no app with the number ${appId}.`, {
			remedy: 'Refresh the view: the app may have been removed.',
		});
	}
	const preset = `${project.root}/results/${row.name}`;
	try {
		const setting = await readFile(project.connection, `${project.root}/.boinc2docker/results_${row.name}`);
		const [line = ''] = setting.toString('utf8').split('\n');
		return line.startsWith('/') ? line : preset;
	} catch (error) {
		if (BoincError.is(error, 'file-not-found')) {
			return preset;
		}
		throw error;
	}
}
