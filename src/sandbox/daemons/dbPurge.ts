import { appendFile, mkdir } from 'node:fs/promises';
import path from 'node:path';

import { numberOf, type Row, textOf } from '../database.js';
import { escapeXml } from '../web/lenientXml.js';
import { type DaemonContext, type DaemonKind, daemonTool, nowSeconds } from './daemon.js';
import { ASSIMILATE_STATE, FILE_DELETE_STATE, SERVER_STATE } from './states.js';

const USAGE = `Purge workunit and result records that are no longer needed.

Usage: db_purge [options]

    --min_age_days N              Purge Wus w/ mod time at least N days ago
    --max N                       Purge at most N WUs
    --no_archive                  Don't write archive files, just purge
    --batch                       Only purge WUs of batch 0 or of retired batches
    --app NAME                    Only purge WUs of this app
    --mod M R                     Handle only WUs with ID mod M == R
    --sleep N                     Sleep N sec after DB scan
    --one_pass                    Make one pass, then exit
    --dont_delete                 Don't actually delete anything from the DB
    -d N                          Set verbosity level`;
const RETIRED = 4;

/** `db_purge`: writes finished jobs to `archives/` and removes their rows. */
const kind: DaemonKind = {
	usage: USAGE,
	options: {
		min_age_days: 1,
		max: 1,
		max_wu_per_file: 1,
		daily_dir: 0,
		zip: 0,
		gzip: 0,
		zlib: 0,
		no_archive: 0,
		batch: 0,
		app: 1,
		sleep: 1,
		dont_delete: 0,
	},
	interval: 300,
	greeting: ['Starting'],
	pass: async (context) => {
		const rows = await finished(context);
		const stamp = nowSeconds();
		for (const row of rows) {
			await purge(context, row, stamp);
		}
		if (rows.length > 0) {
			context.log('normal', `Archived ${rows.length} workunits`);
		}
		return rows.length > 0 && !context.options.has('dont_delete') && !context.options.has('max');
	},
};

export const dbPurge = daemonTool(kind);

async function finished({ database, options }: DaemonContext): Promise<Row[]> {
	const mod = options.mod('w.id');
	const app = options.text('app') ?? null;
	return database.select(
		`SELECT w.* FROM workunit w JOIN app a ON a.id = w.appid LEFT JOIN batch b ON b.id = w.batch
			WHERE w.file_delete_state = ? AND w.assimilate_state = ? AND ${mod.sql} AND (? IS NULL OR a.name = ?)
			AND w.name NOT LIKE '%nodelete%' AND w.mod_time <= FROM_UNIXTIME(?)
			AND (? = 0 OR w.batch = 0 OR b.state = ?)
			AND NOT EXISTS (SELECT 1 FROM result r WHERE r.workunitid = w.id AND r.server_state <> ?)
			ORDER BY w.id LIMIT ?`,
		[
			FILE_DELETE_STATE.done,
			ASSIMILATE_STATE.done,
			...mod.parameters,
			app,
			app,
			nowSeconds() - (options.number('min_age_days') ?? 0) * 86_400,
			options.has('batch') ? 1 : 0,
			RETIRED,
			SERVER_STATE.over,
			options.number('max') ?? 1000,
		],
	);
}

async function purge(context: DaemonContext, job: Row, stamp: number): Promise<void> {
	const { database, options, settings } = context;
	const id = numberOf(job, 'id');
	const results = await database.select('SELECT * FROM result WHERE workunitid = ?', [id]);
	if (!options.has('no_archive')) {
		const folder = path.join(settings.root, 'archives');
		await mkdir(folder, { recursive: true });
		await appendFile(path.join(folder, `wu_archive_${stamp}.xml`), rowXml('workunit_archive', job));
		for (const result of results) {
			await appendFile(path.join(folder, `result_archive_${stamp}.xml`), rowXml('result_archive', result));
		}
	}
	if (!options.has('dont_delete')) {
		await database.execute('DELETE FROM result WHERE workunitid = ?', [id]);
		await database.execute('DELETE FROM workunit WHERE id = ?', [id]);
	}
	context.log('normal', `Purged workunit [${id}] batch ${numberOf(job, 'batch')}`);
}

function rowXml(element: string, row: Row): string {
	const columns = Object.keys(row).map((column) => `  <${column}>${escapeXml(textOf(row, column))}</${column}>\n`);
	return `<${element}>\n${columns.join('')}</${element}>\n`;
}
