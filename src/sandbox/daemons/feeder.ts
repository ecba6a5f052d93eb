import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';

import { numberOf, textOf } from '../database.js';
import { type DaemonContext, type DaemonKind, daemonTool } from './daemon.js';
import { OUTCOME, SERVER_STATE } from './states.js';

const USAGE = `feeder creates a shared memory segment containing DB info,
including an array of work items (results/workunits to send).

Usage: feeder [OPTION]...

Options:
  [ -d X | --debug_level X]        Set log verbosity to X (1..4)
  [ --allapps ]                    Interleave results from all applications uniformly.
  [ --appids a1{,a2} ]             get work only for appids a1,... (comma-separated list)
  [ --mod n i ]                    handle only results with (id mod n) == i
  [ --wmod n i ]                   handle only workunits with (id mod n) == i
  [ --sleep_interval x ]           sleep x seconds if nothing to do
  [ -h | --help ]                  Shows this help text.
  [ -v | --version ]               Shows version information.`;

/**
 * `feeder`. The scheduler of the sandbox asks the database itself and only wants to know that the feeder lives; what is left
 * here is what others can see: the log, `reread_db`, and instances of failed jobs that nobody needs any more.
 */
const kind: DaemonKind = {
	usage: USAGE,
	options: {
		allapps: 0,
		batch_accel: 0,
		by_batch: 0,
		random_order: 0,
		random_order_db: 0,
		priority_asc: 0,
		priority_order: 0,
		priority_order_create_time: 0,
		purge_stale: 1,
		appids: 1,
		wmod: 2,
	},
	interval: 5,
	greeting: ['Starting'],
	prepare: (context) => readTables(context),
	pass: async (context) => {
		const trigger = path.join(context.settings.root, 'reread_db');
		if (existsSync(trigger)) {
			context.log('normal', 'Found trigger file reread_db; re-scanning database tables.');
			await readTables(context);
			await rm(trigger, { force: true });
			context.log('normal', 'Done re-scanning: trigger file removed.');
		}
		const unneeded = await context.database.select(
			`SELECT r.id, r.name FROM result r JOIN workunit w ON w.id = r.workunitid
				WHERE r.server_state = ? AND w.error_mask <> 0 ORDER BY r.id LIMIT 200`,
			[SERVER_STATE.unsent],
		);
		for (const row of unneeded) {
			await context.database.execute('UPDATE result SET server_state = ?, outcome = ? WHERE id = ? AND server_state = ?', [
				SERVER_STATE.over,
				OUTCOME.didntNeed,
				numberOf(row, 'id'),
				SERVER_STATE.unsent,
			]);
			context.log('normal', `[RESULT#${numberOf(row, 'id')} ${textOf(row, 'name')}] WU had error, marking result as DIDNT_NEED`);
		}
		return false;
	},
};

async function readTables(context: DaemonContext): Promise<void> {
	const [row] = await context.database.select(
		`SELECT (SELECT COUNT(*) FROM platform) AS platforms, (SELECT COUNT(*) FROM app WHERE deprecated = 0) AS apps,
			(SELECT COUNT(*) FROM app_version WHERE deprecated = 0) AS versions, (SELECT COUNT(*) FROM assignment) AS assignments`,
	);
	const count = (column: string): number => (row ? numberOf(row, column) : 0);
	context.log(
		'normal',
		`read ${count('platforms')} platforms, ${count('apps')} apps, ${count('versions')} app_versions, ${count('assignments')} assignments`,
	);
	context.log('normal', `Using ${context.settings.number('shmem_work_items', 100)} job slots`);
}

export const feeder = daemonTool(kind);
