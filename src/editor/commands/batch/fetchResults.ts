import { readdir } from 'node:fs/promises';
import path from 'node:path';

import * as vscode from 'vscode';

import { abortError } from '../../../common/errors.js';
import type { FetchReport } from '../../../monitor/results/fetchRequest.js';
import type { Batch } from '../../../monitor/types.js';
import { pickOne } from '../../quickInput/wizard.js';
import type { WantedBatch } from '../../results/batchFetcher.js';
import { resultsFolder } from '../../results/resultsFolder.js';
import type { Services } from '../../services.js';
import { chooseBatch } from '../chooseBatch.js';
import { selectionOf, type ServerSelection } from '../selectedJobs.js';

/** Seconds to wait for another window that fetches the same batch. */
const PATIENCE = 600;

const hasResults = ({ counts }: Batch): boolean => counts.done > 0;

/**
 * Fetches what is not here yet into the workspace and offers to open it: of batches, or of single jobs, those of one server in one
 * stream. A notification passes its batch and opens at once.
 */
export async function fetchBatchResults(services: Services, item?: unknown, items?: unknown): Promise<void> {
	const title = vscode.l10n.t('Fetch Results');
	const given = selectionOf(services, item, items, { batch: hasResults, job: ({ job }) => job.state === 'done' });
	const chosen = given.servers.length > 0 ? given.servers : [await choose(services, title, item)];
	const folder = await chooseFolder(title);
	const fetched: { batch: Batch; report: FetchReport }[] = [];
	await services.operation(vscode.l10n.t('Fetching results of {0}', namesOf(chosen)), async (ctx) => {
		for (const selection of chosen) {
			const wanted = wantedOf(selection);
			const reports = await services.results.fetch(selection.model, wanted, { folder, patience: PATIENCE }, ctx);
			fetched.push(...reports.flatMap((report, at) => (wanted[at] ? [{ batch: wanted[at].batch, report }] : [])));
		}
	});
	for (const { job, why } of fetched.flatMap(({ report }) => report.failed)) {
		services.log.warn(`${job}: ${why}`);
	}
	for (const entry of fetched.flatMap(({ report }) => report.refused)) {
		services.log.warn(`not unpacked: ${entry}`);
	}
	await tell(services, fetched);
}

async function choose(services: Services, title: string, item: unknown): Promise<ServerSelection> {
	const { model, batch } = await chooseBatch(services, title, item, hasResults);
	return { model, batches: [batch], jobs: [] };
}

/** Whole batches, and batches of which only some jobs are wanted. */
function wantedOf({ model, batches, jobs }: ServerSelection): WantedBatch[] {
	const single = new Map<number, string[]>();
	for (const { batchId, name } of jobs) {
		single.set(batchId, [...(single.get(batchId) ?? []), name]);
	}
	return [
		...batches.map((batch) => ({ batch })),
		...model.batches().flatMap((batch) => {
			const names = single.get(batch.id);
			return names ? [{ batch, jobs: names }] : [];
		}),
	];
}

function namesOf(chosen: readonly ServerSelection[]): string {
	const all = chosen.flatMap(wantedOf);
	const [first] = all;
	return all.length === 1 && first ? `“${first.batch.name}”` : vscode.l10n.t('{0} batches', all.length);
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

async function tell(services: Services, fetched: readonly { batch: Batch; report: FetchReport }[]): Promise<void> {
	const failed = fetched.flatMap(({ report }) => report.failed);
	const have = fetched.reduce((sum, { report }) => sum + report.fetched.length + report.already.length, 0);
	const folders = [...new Set(fetched.map(({ report }) => vscode.workspace.asRelativePath(report.folder)))];
	const where = folders.length === 1 ? (folders[0] ?? '') : vscode.l10n.t('{0} folders', folders.length);
	const open = vscode.l10n.t('Open');
	const showLog = vscode.l10n.t('Show Log');
	if (have === 0 && failed.length === 0) {
		const names = fetched.map(({ batch }) => `“${batch.name}”`).join(', ');
		void vscode.window.showInformationMessage(vscode.l10n.t('No results yet: {0}.', names));
		return;
	}
	const total = fetched.reduce((sum, { batch }) => sum + batch.total, 0);
	const text =
		failed.length > 0
			? vscode.l10n.t(
					'Results of {0} jobs are in {1}; those of {2} could not be fetched: {3}',
					have,
					where,
					failed.length,
					failed[0]?.why ?? '',
				)
			: vscode.l10n.t('Results of {0} of {1} jobs are in {2}.', have, total, where);
	const show = failed.length > 0 ? vscode.window.showWarningMessage : vscode.window.showInformationMessage;
	const choice = await show(text, ...(have > 0 ? [open] : []), ...(failed.length > 0 ? [showLog] : []));
	const [first] = fetched;
	if (choice === open && first) {
		await openResults(first.report);
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
