import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { parsePrivateKey } from '../../project/boincKeys.js';
import { ToolExit } from '../toolProject.js';
import { type DaemonKind, daemonTool, nowSeconds } from './daemon.js';
import { NO_TRANSITION } from './states.js';
import { transition } from './transition.js';

const USAGE = `Handles transitions in the state of a WU
 - a result has become DONE (via timeout or client reply)
 - the WU error mask is set (e.g. by validater)
 - assimilation is finished

Usage: transitioner [OPTION]...

Options: 
  [ --one_pass ]                  do one pass, then exit
  [ --d x ]                       debug level x
  [ --mod n i ]                   process only WUs with (id mod n) == i
  [ --sleep_interval x ]          sleep x seconds if nothing to do
  [ -h | --help ]                 Show this help text.
  [ -v | --version ]              Shows version information.`;

/** `transitioner`: makes instances, ends overdue ones, asks for validation, declares failures, allows deletion. */
const kind: DaemonKind = {
	usage: USAGE,
	options: { wu_id: 1 },
	interval: 5,
	greeting: ['Starting'],
	prepare: async (context) => {
		const key = await readFile(path.join(context.settings.keyDir, 'upload_private'), 'utf8').catch(() => '');
		if (!parsePrivateKey(key)) {
			context.log('critical', "can't read key");
			throw new ToolExit(1);
		}
	},
	pass: async (context) => {
		const mod = context.options.mod('id');
		const only = context.options.number('wu_id');
		const rows = await context.database.select(
			`SELECT id FROM workunit WHERE transition_time < ? AND transitioner_flags <> ? AND ${mod.sql} AND (? IS NULL OR id = ?)
				ORDER BY transition_time LIMIT 1000`,
			[nowSeconds(), NO_TRANSITION, ...mod.parameters, only ?? null, only ?? null],
		);
		for (const row of rows) {
			if (context.stopping()) {
				break;
			}
			await transition(context, Number(row.id));
		}
		return rows.length > 0;
	},
};

export const transitioner = daemonTool(kind);
