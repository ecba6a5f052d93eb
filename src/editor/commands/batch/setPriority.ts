import * as vscode from 'vscode';

import { abortError } from '../../../common/errors.js';
import { isFinalBatchState } from '../../../monitor/jobState.js';
import type { Services } from '../../services.js';
import { chooseBatch } from '../chooseBatch.js';
import { idsOf, selectionOf, type ServerSelection } from '../selectedJobs.js';

/** Sets the priority of the unfinished jobs of batches, or of single jobs. */
export async function setJobPriority(services: Services, item?: unknown, items?: unknown): Promise<void> {
	const title = vscode.l10n.t('Set Priority');
	const given = selectionOf(services, item, items, {
		batch: ({ state }) => !isFinalBatchState(state),
		job: ({ job }) => !['done', 'failed', 'cancelled'].includes(job.state),
	});
	const chosen: readonly ServerSelection[] = item === undefined ? [await choose(services, title)] : given.servers;
	if (chosen.length === 0) {
		void vscode.window.showInformationMessage(vscode.l10n.t('All selected jobs are over.'));
		return;
	}
	const text = await vscode.window.showInputBox({
		title,
		prompt: vscode.l10n.t('Higher first; new jobs have 0 unless their job file says otherwise'),
		value: '10',
		ignoreFocusOut: true,
		validateInput: (value) =>
			/^-?\d{1,6}$/.test(value.trim()) ? undefined : vscode.l10n.t('A whole number, at most six digits'),
	});
	if (text === undefined) {
		throw abortError();
	}
	let jobs = 0;
	await services.operation(title, async (ctx) => {
		const { setPriority } = await services.core();
		for (const selection of chosen) {
			jobs += await setPriority(await selection.model.project(ctx.signal), idsOf(selection), Number(text), ctx);
		}
	});
	void vscode.window.showInformationMessage(vscode.l10n.t('{0} jobs have priority {1} now.', jobs, Number(text)));
}

async function choose(services: Services, title: string): Promise<ServerSelection> {
	const { model, batch } = await chooseBatch(services, title, undefined, ({ state }) => !isFinalBatchState(state));
	return { model, batches: [batch], jobs: [] };
}
