import * as vscode from 'vscode';

import { abortError } from '../../../common/errors.js';
import type { OperationContext } from '../../../common/ports.js';
import type { CancelReport } from '../../../job/cancel.js';
import { isFinalBatchState } from '../../../monitor/jobState.js';
import type { ServerModel } from '../../servers/serverModel.js';
import type { Services } from '../../services.js';
import { type BatchChoice, batchOf, chooseBatch } from '../chooseBatch.js';

/** Cancels the unfinished jobs of batches, after a question that names how many. Finished jobs keep their results. */
export async function cancelBatches(services: Services, item?: unknown, items?: unknown): Promise<void> {
	const title = vscode.l10n.t('Cancel Batch');
	const selected = Array.isArray(items) && items.length > 1 ? items : [item];
	const named = selected.flatMap((one) => batchOf(services, one) ?? []);
	const chosen =
		named.length > 0 ? named : [await chooseBatch(services, title, undefined, ({ state }) => !isFinalBatchState(state))];
	const open = chosen.filter(({ batch }) => !isFinalBatchState(batch.state));
	const skipped = selected.length > 1 ? selected.length - open.length : 0;
	if (open.length === 0) {
		void vscode.window.showInformationMessage(vscode.l10n.t('There is nothing to cancel: all jobs are over.'));
		return;
	}
	await confirm(open, skipped);
	let cancelled = 0;
	let running = 0;
	await services.operation(vscode.l10n.t('Cancelling {0}', namesOf(open)), async (ctx) => {
		for (const { model, batch } of open) {
			const outcome = await cancelOne(services, model, batch.id, ctx);
			cancelled += outcome.cancelled;
			running += outcome.running;
		}
	});
	await Promise.all(open.map(({ model }) => model.refresh()));
	const hosts = running > 0 ? vscode.l10n.t('{0} on hosts end when the hosts report next.', running) : '';
	void vscode.window.showInformationMessage(
		`${vscode.l10n.t('Cancelled {0} jobs of {1}.', cancelled, namesOf(open))} ${hosts}`.trim(),
	);
}

/** The end of a batch that the person ends is no news: it is not watched any longer, unless cancelling fails. */
async function cancelOne(services: Services, model: ServerModel, batchId: number, ctx: OperationContext): Promise<CancelReport> {
	const { cancelBatch } = await services.core();
	const wasWatched = services.watched.of(model.server.id).includes(batchId);
	await services.watched.remove(model.server.id, batchId);
	try {
		return await cancelBatch(await model.project(ctx.signal), batchId, ctx);
	} catch (error) {
		if (wasWatched) {
			await services.watched.add(model.server.id, batchId);
		}
		throw error;
	}
}

async function confirm(open: readonly BatchChoice[], skipped: number): Promise<void> {
	const left = open.reduce(
		(sum, { batch: { total, counts } }) => sum + total - counts.done - counts.failed - counts.cancelled,
		0,
	);
	const question =
		left === 1
			? vscode.l10n.t('Cancel the unfinished job of {0}?', namesOf(open))
			: vscode.l10n.t('Cancel the {0} unfinished jobs of {1}?', left, namesOf(open));
	const accept = left === 1 ? vscode.l10n.t('Cancel Job') : vscode.l10n.t('Cancel {0} Jobs', left);
	const detail = [
		vscode.l10n.t('What hosts have computed of them is lost. Finished jobs keep their results.'),
		skipped > 0 ? vscode.l10n.t('{0} other selected rows are skipped: they are not batches that can be cancelled.', skipped) : '',
	].join(' ');
	if ((await vscode.window.showWarningMessage(question, { modal: true, detail: detail.trim() }, accept)) !== accept) {
		throw abortError();
	}
}

function namesOf(open: readonly BatchChoice[]): string {
	const [first] = open;
	return open.length === 1 && first ? `“${first.batch.name}”` : vscode.l10n.t('{0} batches', open.length);
}
