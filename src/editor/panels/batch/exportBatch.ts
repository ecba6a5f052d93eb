import { open, rename, rm } from 'node:fs/promises';

import * as vscode from 'vscode';

import { abortError } from '../../../common/errors.js';
import type { ColumnSource } from '../../../monitor/batchPage/columns.js';
import { type ExportRow } from '../../../monitor/batchPage/exportTable.js';
import type { Batch } from '../../../monitor/types.js';
import type { ServerModel } from '../../servers/serverModel.js';
import type { Services } from '../../services.js';
import { tableColumns } from './tableColumns.js';

const PAGE = 500;

/** Writes all jobs of a batch with parameters and metrics into a file that the person chooses. */
export async function exportBatch(
	services: Services,
	{ model, batch }: { readonly model: ServerModel; readonly batch: Batch },
	format: 'csv' | 'json',
	source: ColumnSource,
): Promise<void> {
	const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
	const name = `${batch.name.replace(/[^\p{L}\p{N}._-]+/gu, '-').slice(0, 60) || 'batch'}-${batch.id}.${format}`;
	const target = await vscode.window.showSaveDialog({
		title: vscode.l10n.t('Export Jobs of “{0}”', batch.name),
		...(folder && { defaultUri: vscode.Uri.joinPath(folder, name) }),
		filters: format === 'csv' ? { CSV: ['csv'] } : { JSON: ['json'] },
	});
	if (!target) {
		throw abortError();
	}
	const { exportText, tableIds, tableRows } = await services.core();
	const extra = await source.columns();
	const columns = tableColumns();
	await services.operation(vscode.l10n.t('Exporting “{0}”', batch.name), async (ctx) => {
		const db = await (await model.project(ctx.signal)).database();
		const ids = await tableIds(db, batch.id, { filter: 'all', text: '', order: 'ascending' });
		async function* pages(): AsyncGenerator<ExportRow[]> {
			for (let from = 0; from < ids.length; from += PAGE) {
				ctx.signal?.throwIfAborted();
				ctx.progress.report({ message: vscode.l10n.t('Reading jobs'), current: from, total: ids.length, unit: 'items' });
				const rows = await tableRows(db, batch.id, ids.slice(from, from + PAGE));
				const values = await source.values(rows.map(({ job }) => job));
				yield rows.map((row) => ({
					job: row.job.name,
					state: row.job.state,
					...Object.fromEntries(columns.map(({ key, value }) => [key, value(row) ?? ''])),
					...Object.fromEntries(extra.map((column) => [column, values.get(row.job.id)?.[column] ?? ''])),
				}));
			}
		}
		const keys = ['job', 'state', ...columns.map(({ key }) => key), ...extra];
		const part = `${target.fsPath}.part`;
		const file = await open(part, 'w');
		try {
			for await (const text of exportText(format, keys, pages())) {
				await file.write(text);
			}
			await file.close();
			await rename(part, target.fsPath);
		} catch (error) {
			await file.close().catch(() => undefined);
			await rm(part, { force: true });
			throw error;
		}
	});
	const show = vscode.l10n.t('Open');
	if ((await vscode.window.showInformationMessage(vscode.l10n.t('Exported to {0}.', target.fsPath), show)) === show) {
		await vscode.window.showTextDocument(target);
	}
}
