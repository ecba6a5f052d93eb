import * as vscode from 'vscode';

import { abortError } from '../../../common/errors.js';
import type { OperationContext } from '../../../common/ports.js';
import type { CancelReport } from '../../../job/cancel.js';
import { isFinalBatchState } from '../../../monitor/jobState.js';
import type { Services } from '../../services.js';
import { isCancellable } from '../../tree/jobNode.js';
import { chooseBatch } from '../chooseBatch.js';
import { idsOf, selectionOf, type ServerSelection, touchedBatches } from '../selectedJobs.js';

/** Cancels the unfinished jobs of batches and single jobs, after a question that names how many. Finished jobs keep their results. */
export async function cancelBatches(services: Services, item?: unknown, items?: unknown): Promise<void> {
	const given = selectionOf(services, item, items, {
		batch: ({ state }) => !isFinalBatchState(state),
		job: ({ job }) => isCancellable(job),
	});
	const open: readonly ServerSelection[] = item === undefined ? [await choose(services)] : given.servers;
	if (open.length === 0) {
		void vscode.window.showInformationMessage(vscode.l10n.t('There is nothing to cancel: all jobs are over.'));
		return;
	}
	await confirm(open, item === undefined ? 0 : given.skipped);
	let cancelled = 0;
	let calledBack = 0;
	let running = 0;
	await services.operation(vscode.l10n.t('Cancelling {0}', namesOf(open)), async (ctx) => {
		for (const selection of open) {
			const outcome = await cancelOne(services, selection, ctx);
			cancelled += outcome.cancelled;
			calledBack += outcome.calledBack;
			running += outcome.running;
		}
	});
	await Promise.all(open.map((selection) => selection.model.recount(touchedBatches(selection))));
	const hosts = running > 0 ? vscode.l10n.t('{0} on hosts end when the hosts report next.', running) : '';
	const { t } = vscode.l10n;
	const failed = calledBack > 0 ? t('What was left of {0} failed jobs is called back; they stay failed.', calledBack) : '';
	const done = t('Cancelled {0} jobs of {1}.', cancelled, namesOf(open));
	void vscode.window.showInformationMessage([done, failed, hosts].filter((words) => words !== '').join(' '));
}

async function choose(services: Services): Promise<ServerSelection> {
	const title = vscode.l10n.t('Cancel Batch');
	const { model, batch } = await chooseBatch(services, title, undefined, ({ state }) => !isFinalBatchState(state));
	return { model, batches: [batch], jobs: [] };
}

/** The end of a batch that the person ends is no news: it is not watched any longer, unless cancelling fails. */
async function cancelOne(services: Services, selection: ServerSelection, ctx: OperationContext): Promise<CancelReport> {
	const { cancelJobs } = await services.core();
	const serverId = selection.model.server.id;
	const watched = services.watched.of(serverId).filter((id) => selection.batches.some((batch) => batch.id === id));
	await Promise.all(watched.map((id) => services.watched.remove(serverId, id)));
	try {
		return await cancelJobs(await selection.model.project(ctx.signal), idsOf(selection), ctx);
	} catch (error) {
		await Promise.all(watched.map((id) => services.watched.add(serverId, id)));
		throw error;
	}
}

async function confirm(open: readonly ServerSelection[], skipped: number): Promise<void> {
	const left = open
		.flatMap(({ batches }) => batches)
		.reduce(
			(sum, { total, counts }) => sum + total - counts.done - counts.failed - counts.cancelled,
			open.reduce((sum, { jobs }) => sum + jobs.length, 0),
		);
	const question =
		left === 1
			? vscode.l10n.t('Cancel the unfinished job of {0}?', namesOf(open))
			: vscode.l10n.t('Cancel the {0} unfinished jobs of {1}?', left, namesOf(open));
	const accept = left === 1 ? vscode.l10n.t('Cancel Job') : vscode.l10n.t('Cancel {0} Jobs', left);
	const detail = [
		vscode.l10n.t('What hosts have computed of them is lost. Finished jobs keep their results.'),
		skipped > 0 ? vscode.l10n.t('{0} other selected rows are skipped: there is nothing to cancel in them.', skipped) : '',
	].join(' ');
	if ((await vscode.window.showWarningMessage(question, { modal: true, detail: detail.trim() }, accept)) !== accept) {
		throw abortError();
	}
}

function namesOf(open: readonly ServerSelection[]): string {
	const batches = open.flatMap((selection) => selection.batches);
	const [first] = batches;
	if (!first) {
		return vscode.l10n.t('the selection');
	}
	const jobs = open.some((selection) => selection.jobs.length > 0);
	return batches.length === 1 && !jobs
		? `“${first.name}”`
		: vscode.l10n.t('{0} batches', new Set(open.flatMap(touchedBatches)).size);
}
