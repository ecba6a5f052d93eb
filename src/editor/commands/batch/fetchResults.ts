import { readdir } from 'node:fs/promises';
import path from 'node:path';

import * as vscode from 'vscode';

import { abortError } from '../../../common/errors.js';
import type { FetchReport } from '../../../monitor/results/fetchResults.js';
import type { Batch } from '../../../monitor/types.js';
import { pickOne } from '../../quickInput/wizard.js';
import { resultsFolder } from '../../results/resultsFolder.js';
import type { Services } from '../../services.js';
import { chooseBatch } from '../chooseBatch.js';

/** Fetches what is not here yet into the workspace and offers to open it. A notification passes its batch and opens at once. */
export async function fetchBatchResults(services: Services, item?: unknown): Promise<void> {
	const title = vscode.l10n.t('Fetch Results');
	const { model, batch } = await chooseBatch(services, title, item, ({ counts }) => counts.done > 0);
	const folder = await chooseFolder(title);
	const report = await services.operation(vscode.l10n.t('Fetching results of “{0}”', batch.name), (ctx) =>
		services.results.fetch(model, batch, { folder }, ctx),
	);
	for (const { job, why } of report.failed) {
		services.log.warn(`${job}: ${why}`);
	}
	for (const entry of report.refused) {
		services.log.warn(`not unpacked: ${entry}`);
	}
	await tell(services, batch, report);
}

async function chooseFolder(title: string): Promise<string> {
	const folders = vscode.workspace.workspaceFolders ?? [];
	const [first] = folders;
	if (!first) {
		const [chosen] =
			(await vscode.window.showOpenDialog({
				title: vscode.l10n.t('Folder for the Results'),
				openLabel: vscode.l10n.t('Put Results Here'),
				canSelectFolders: true,
				canSelectFiles: false,
			})) ?? [];
		if (!chosen) {
			throw abortError();
		}
		return chosen.fsPath;
	}
	const folder =
		folders.length === 1
			? first
			: await pickOne<vscode.WorkspaceFolder>(title, {
					placeholder: vscode.l10n.t('Into which folder?'),
					choices: folders.map((value) => ({ label: value.name, description: value.uri.fsPath, value })),
				});
	return (await resultsFolder(folder)) ?? folder.uri.fsPath;
}

async function tell(services: Services, batch: Batch, report: FetchReport): Promise<void> {
	const have = report.fetched.length + report.already.length;
	const where = vscode.workspace.asRelativePath(report.folder);
	const open = vscode.l10n.t('Open');
	const showLog = vscode.l10n.t('Show Log');
	if (have === 0 && report.failed.length === 0) {
		void vscode.window.showInformationMessage(vscode.l10n.t('“{0}” has no results yet.', batch.name));
		return;
	}
	const text =
		report.failed.length > 0
			? vscode.l10n.t(
					'Results of {0} jobs are in {1}; those of {2} could not be fetched: {3}',
					have,
					where,
					report.failed.length,
					report.failed[0]?.why ?? '',
				)
			: vscode.l10n.t('Results of {0} of {1} jobs are in {2}.', have, batch.total, where);
	const show = report.failed.length > 0 ? vscode.window.showWarningMessage : vscode.window.showInformationMessage;
	const choice = await show(text, ...(have > 0 ? [open] : []), ...(report.failed.length > 0 ? [showLog] : []));
	if (choice === open) {
		await openResults(report);
	} else if (choice === showLog) {
		services.log.show();
	}
}

/** Shows the folder in the Explorer; with only one file of results, opens that. */
async function openResults(report: FetchReport): Promise<void> {
	const entries = await readdir(report.folder, { withFileTypes: true });
	const [result, ...others] = entries
		.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
		.map(({ name }) => name);
	const folder = path.join(report.folder, result ?? '');
	await vscode.commands.executeCommand('revealInExplorer', vscode.Uri.file(folder));
	const file = result !== undefined && others.length === 0 ? await firstFile(folder) : undefined;
	if (file !== undefined) {
		await vscode.commands.executeCommand('vscode.open', vscode.Uri.file(file));
	}
}

/** The file to look at first: what the job made, before what the runner says about it. */
async function firstFile(folder: string): Promise<string | undefined> {
	const entries = await readdir(folder, { withFileTypes: true, recursive: true });
	const files = entries
		.filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
		.map((entry) => path.join(entry.parentPath, entry.name));
	return files.sort((a, b) => rank(a) - rank(b) || a.length - b.length || a.localeCompare(b))[0];
}

const rank = (file: string): number => (/\.(log|err)$|stderr|meta|job\.json$/i.test(path.basename(file)) ? 1 : 0);
