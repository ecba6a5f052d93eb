import { rm, stat, unlink } from 'node:fs/promises';
import path from 'node:path';

import { hierarchyPath } from '../../project/hierarchy.js';
import { numberOf, type Row, textOf } from '../database.js';
import { ToolExit } from '../toolProject.js';
import { type DaemonContext, type DaemonKind, daemonTool, nowSeconds } from './daemon.js';
import { FILE_DELETE_STATE } from './states.js';
import { uploadedFiles } from './uploads.js';

const USAGE = `Deletes files that are no longer needed.

Usage: file_deleter [OPTIONS]

Options:
  -d N | --debug_level N       set debug output level (1 to 4)
  --mod M R                    handle only WUs with ID mod M == R
  --appid ID                   handle only WUs of app with id ID
  --app NAME                   handle only WUs of app with name NAME
  --one_pass                   exit instead of sleeping
  --preserve_result_files      update the DB, but don't delete output files.
  --preserve_wu_files          update the DB, but don't delete input files.
  --input_files_only           delete only input (download) files
  --no_db_update               don't update wu/result file_delete_state
  --output_files_only          delete only output (upload) files
  --xml_doc_like L             only process workunits where xml_doc LIKE 'L'
  --download_dir D             override download_dir from project config with D
  [ -h | --help ]              shows this help text
  [ -v | --version ]           shows version information`;

/** `file_deleter`: removes inputs and outputs of finished jobs, except those marked `no_delete`. */
const kind: DaemonKind = {
	usage: USAGE,
	options: {
		app: 1,
		appid: 1,
		dont_retry_errors: 0,
		dont_retry_error: 0,
		preserve_result_files: 0,
		preserve_wu_files: 0,
		input_files_only: 0,
		output_files_only: 0,
		dont_delete_antiques: 0,
		no_db_update: 0,
		xml_doc_like: 1,
		download_dir: 1,
	},
	interval: 5,
	greeting: ['Starting'],
	pass: async (context) => {
		const appId = await appFilter(context);
		const inputs = context.options.has('output_files_only') ? 0 : await deleteInputs(context, appId);
		const outputs = context.options.has('input_files_only') ? 0 : await deleteOutputs(context, appId);
		return inputs + outputs > 0 && !context.options.has('no_db_update');
	},
};

export const fileDeleter = daemonTool(kind);

async function appFilter(context: DaemonContext): Promise<number | null> {
	const { options, database } = context;
	const name = options.text('app');
	if (name === undefined) {
		return options.number('appid') ?? null;
	}
	const [row] = await database.select('SELECT id FROM app WHERE name = ?', [name]);
	if (!row) {
		context.log('critical', "Can't find app");
		throw new ToolExit(1);
	}
	return numberOf(row, 'id');
}

async function deleteInputs(context: DaemonContext, appId: number | null): Promise<number> {
	const { database, options, settings } = context;
	const mod = options.mod('id');
	const before = nowSeconds() - settings.number('delete_delay_hours', 0) * 3600;
	const rows = await database.select(
		`SELECT id, name, xml_doc FROM workunit WHERE file_delete_state = ? AND ${mod.sql} AND (? IS NULL OR appid = ?)
			AND mod_time <= FROM_UNIXTIME(?) AND xml_doc LIKE ? ORDER BY id LIMIT 1000`,
		[FILE_DELETE_STATE.ready, ...mod.parameters, appId, appId, before, options.text('xml_doc_like') ?? '%'],
	);
	for (const row of rows) {
		await deleteInputsOf(context, row);
		await markDone(context, 'workunit', row);
	}
	return rows.length;
}

async function deleteInputsOf(context: DaemonContext, row: Row): Promise<void> {
	if (context.options.has('preserve_wu_files') || textOf(row, 'name').includes('nodelete')) {
		return;
	}
	const id = numberOf(row, 'id');
	const folder = context.options.text('download_dir') ?? context.settings.downloadDir;
	for (const match of textOf(row, 'xml_doc').matchAll(/<file_info>([\s\S]*?)<\/file_info>/g)) {
		const info = match[1] ?? '';
		const name = /<name>([\s\S]*?)<\/name>/.exec(info)?.[1]?.trim() ?? '';
		if (name === '' || name.includes('/') || /<no_delete\s*\/?>/.test(info)) {
			continue;
		}
		const file = path.join(folder, hierarchyPath(name, context.settings.fanout));
		if (!(await exists(file))) {
			context.log('critical', `[WU#${id}] get_file_path: ${name}: not found`);
			continue;
		}
		for (const suffix of ['', '.gz', '.md5']) {
			if (await exists(file + suffix)) {
				context.log('normal', `[WU#${id}] deleting ${name}${suffix}`);
				await rm(file + suffix, { force: true });
			}
		}
	}
}

async function deleteOutputs(context: DaemonContext, appId: number | null): Promise<number> {
	const { database, options } = context;
	const mod = options.mod('workunitid');
	const rows = await database.select(
		`SELECT id, name, outcome, client_state, xml_doc_in FROM result
			WHERE file_delete_state = ? AND ${mod.sql} AND (? IS NULL OR appid = ?) ORDER BY id LIMIT 1000`,
		[FILE_DELETE_STATE.ready, ...mod.parameters, appId, appId],
	);
	for (const row of rows) {
		const id = numberOf(row, 'id');
		for (const file of options.has('preserve_result_files') ? [] : uploadedFiles(context.settings, textOf(row, 'xml_doc_in'))) {
			if (file.noDelete) {
				continue;
			}
			await unlink(file.path).then(
				() => context.log('normal', `[RESULT#${id}] unlinked ${file.path}`),
				() =>
					context.log(
						'critical',
						`[RESULT#${id}] outcome=${numberOf(row, 'outcome')} client_state=${numberOf(row, 'client_state')} No file ${file.name} to delete`,
					),
			);
		}
		await markDone(context, 'result', row);
	}
	return rows.length;
}

async function markDone(context: DaemonContext, table: 'workunit' | 'result', row: Row): Promise<void> {
	if (!context.options.has('no_db_update')) {
		await context.database.execute(`UPDATE ${table} SET file_delete_state = ? WHERE id = ?`, [
			FILE_DELETE_STATE.done,
			numberOf(row, 'id'),
		]);
	}
}

const exists = (file: string): Promise<boolean> =>
	stat(file).then(
		() => true,
		() => false,
	);
