import { numberOf } from '../database.js';
import type { Tool } from '../toolIo.js';
import { ToolExit, toolProject, withDatabase } from '../toolProject.js';

const USAGE = 'Usage: cancel_jobs min-ID max-ID\nor cancel_jobs --name wuname\n';

/** `cancel_jobs MIN MAX` or `cancel_jobs --name NAME`. The range counts all apps and batches. */
export const cancelJobs: Tool = async (args, io) => {
	const [first = '', second = ''] = args;
	const byName = first === '--name';
	const ids = [first, second].map((word) => Number.parseInt(word, 10) || 0);
	if (args.length !== 2 || (!byName && ids.includes(0))) {
		throw new ToolExit(1, USAGE);
	}
	const settings = toolProject(io);
	return withDatabase('cancel_jobs', settings, async (database) => {
		let [from = 0, to = 0] = ids;
		if (byName) {
			const [row] = await database.select('SELECT id FROM workunit WHERE name = ?', [second]);
			if (!row) {
				throw new ToolExit(1, `No workunit named '${second}'\n`);
			}
			from = to = numberOf(row, 'id');
		}
		await database.execute(
			'UPDATE result SET server_state = 5, outcome = 5 WHERE server_state IN (1, 2) AND workunitid >= ? AND workunitid <= ?',
			[from, to],
		);
		await database.execute('UPDATE workunit SET error_mask = error_mask | 16, transition_time = ? WHERE id >= ? AND id <= ?', [
			Math.floor(Date.now() / 1000),
			from,
			to,
		]);
		return 0;
	});
};
