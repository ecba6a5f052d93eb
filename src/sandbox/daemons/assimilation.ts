import { numberOf, textOf } from '../database.js';
import { ToolExit } from '../toolProject.js';
import { appIdOf, type DaemonContext, type DaemonKind, nowSeconds } from './daemon.js';
import type { OptionSpec } from './daemonOptions.js';
import { ASSIMILATE_STATE } from './states.js';
import { type UploadedFile, uploadedFiles } from './uploads.js';

/** A finished job as an assimilator gets it. */
export interface FinishedJob {
	readonly id: number;
	readonly name: string;
	readonly batch: number;
	readonly errorMask: number;
	/** The accepted instance; `undefined` for a failed job. */
	readonly canonical: { readonly id: number; readonly elapsedTime: number; readonly files: readonly UploadedFile[] } | undefined;
}

const OPTIONS: OptionSpec = { app: 1, one_pass_N_WU: 1, dont_update_db: 0 };
const USAGE = `usage: assimilator [options]
  --app X             app name
  --one_pass_N_WU N   process at most N WUs, then exit
  --one_pass          make one pass through WU table, then exit
  --dont_update_db    don't update DB
  --mod n i           process only WUs with (id mod n) == i
  --sleep_interval n  sleep n seconds if nothing to do
  -d level            debug level`;

export interface AssimilatorKind {
	readonly options: OptionSpec;
	readonly unknown?: 'complain' | 'ignore';
	/** Checks its own options. Throws `ToolExit`. */
	prepare?(context: DaemonContext): void;
	/** Takes a job over. Anything but 0 ends the daemon and leaves the job as it is. */
	handle(context: DaemonContext, job: FinishedJob): Promise<number>;
}

/** An assimilator's program around its handler. */
export function assimilatorKind(own: AssimilatorKind): DaemonKind {
	return {
		usage: USAGE,
		options: { ...OPTIONS, ...own.options },
		interval: 10,
		defaultVerbosity: 3,
		ready: 'Starting assimilator handler',
		...(own.unknown && { unknown: own.unknown }),
		prepare: async (context) => {
			own.prepare?.(context);
			await appIdOf(context, "Can't find app: ");
		},
		pass: (context) => pass(context, own),
	};
}

async function pass(context: DaemonContext, own: AssimilatorKind): Promise<boolean> {
	const { database, options } = context;
	const most = options.number('one_pass_N_WU');
	const mod = options.mod('id');
	const rows = await database.select(
		`SELECT id, name, batch, error_mask, canonical_resultid FROM workunit
			WHERE appid = ? AND assimilate_state = ? AND ${mod.sql} ORDER BY id LIMIT ?`,
		[await appIdOf(context, "Can't find app: "), ASSIMILATE_STATE.ready, ...mod.parameters, most ?? 1000],
	);
	let done = 0;
	for (const row of rows) {
		if (context.stopping()) {
			break;
		}
		const job: FinishedJob = {
			id: numberOf(row, 'id'),
			name: textOf(row, 'name'),
			batch: numberOf(row, 'batch'),
			errorMask: numberOf(row, 'error_mask'),
			canonical: await canonicalOf(context, numberOf(row, 'canonical_resultid')),
		};
		const status = await own.handle(context, job);
		if (status !== 0) {
			context.log('critical', `assimilator [${job.name}] handler error ${status}: Error ${status}; exiting`);
			// A script's status is a multiple of 256, of which only the rest is left here: 0, as on a real project.
			throw new ToolExit(status % 256);
		}
		if (!options.has('dont_update_db')) {
			await database.execute('UPDATE workunit SET assimilate_state = ?, transition_time = ? WHERE id = ?', [
				ASSIMILATE_STATE.done,
				nowSeconds(),
				job.id,
			]);
		}
		done++;
	}
	if (done > 0) {
		context.log('normal', `Assimilated ${done} workunits.`);
	}
	if (most !== undefined) {
		throw new ToolExit(0);
	}
	return done > 0 && !options.has('dont_update_db');
}

async function canonicalOf(context: DaemonContext, id: number): Promise<FinishedJob['canonical']> {
	if (id === 0) {
		return undefined;
	}
	const [row] = await context.database.select('SELECT elapsed_time, xml_doc_in FROM result WHERE id = ?', [id]);
	return (
		row && {
			id,
			elapsedTime: numberOf(row, 'elapsed_time'),
			files: uploadedFiles(context.settings, textOf(row, 'xml_doc_in')),
		}
	);
}
