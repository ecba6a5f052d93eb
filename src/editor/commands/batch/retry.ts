import * as vscode from 'vscode';

import { abortError } from '../../../common/errors.js';
import type { RetryOptions } from '../../../job/retry.js';
import type { Batch } from '../../../monitor/types.js';
import { pickOne } from '../../quickInput/wizard.js';
import type { Services } from '../../services.js';
import { chooseBatch } from '../chooseBatch.js';
import { idsOf, selectionOf, type ServerSelection, touchedBatches } from '../selectedJobs.js';

const hasFailed = ({ counts }: Batch): boolean => counts.failed > 0;

/** Has failed jobs tried again: of batches, of a group, or single ones. */
export async function retryFailedJobs(services: Services, item?: unknown, items?: unknown): Promise<void> {
	await retry(services, vscode.l10n.t('Retry Failed Jobs'), item, items, {});
}

/** The same under a higher bound, which the person chooses. */
export async function raiseBoundAndRetry(services: Services, item?: unknown, items?: unknown): Promise<void> {
	const title = vscode.l10n.t('Raise Bound and Retry');
	const kind = await pickOne<'diskBytes' | 'delayBoundSeconds' | 'tries'>(title, {
		placeholder: vscode.l10n.t('Which bound was too low?'),
		choices: [
			{ label: vscode.l10n.t('Disk'), description: vscode.l10n.t('exit code 196'), value: 'diskBytes' },
			{
				label: vscode.l10n.t('Deadline'),
				description: vscode.l10n.t('hosts were too slow to report'),
				value: 'delayBoundSeconds',
			},
			{ label: vscode.l10n.t('Number of Tries'), value: 'tries' },
		],
	});
	const [prompt, unit, value] = {
		diskBytes: [vscode.l10n.t('Gigabytes that a job may use on the disk of its host'), 1e9, '10'] as const,
		delayBoundSeconds: [vscode.l10n.t('Days from sending a job to its deadline'), 86_400, '14'] as const,
		tries: [vscode.l10n.t('More tries for each job'), 1, '5'] as const,
	}[kind];
	const given = await vscode.window.showInputBox({
		title,
		prompt,
		value,
		ignoreFocusOut: true,
		validateInput: (text) =>
			/^\d{1,6}$/.test(text.trim()) && Number(text) > 0 ? undefined : vscode.l10n.t('A whole number from 1 to 999999'),
	});
	if (given === undefined) {
		throw abortError();
	}
	await retry(services, title, item, items, { [kind]: Number(given) * unit });
}

async function retry(services: Services, title: string, item: unknown, items: unknown, options: RetryOptions): Promise<void> {
	const given = selectionOf(services, item, items, { batch: hasFailed, job: ({ job }) => job.state === 'failed' });
	const chosen: readonly ServerSelection[] = item === undefined ? [await choose(services, title)] : given.servers;
	if (chosen.length === 0) {
		void vscode.window.showInformationMessage(vscode.l10n.t('There is nothing to retry: no selected job has failed.'));
		return;
	}
	let [retried, left] = [0, 0];
	await services.operation(title, async (ctx) => {
		const { retryFailed } = await services.core();
		for (const selection of chosen) {
			const report = await retryFailed(await selection.model.project(ctx.signal), idsOf(selection), options, ctx);
			retried += report.retried;
			left += report.left;
		}
	});
	await Promise.all(
		chosen.map(async (selection) => {
			await selection.model.recount(touchedBatches(selection));
			await Promise.all(touchedBatches(selection).map((id) => services.watched.watchAgain(selection.model.server.id, id)));
		}),
	);
	const notes = [
		left > 0 ? vscode.l10n.t('{0} could never be sent to a host and stay failed.', left) : '',
		given.skipped > 0 && item !== undefined ? vscode.l10n.t('{0} selected rows had nothing to retry.', given.skipped) : '',
	];
	void vscode.window.showInformationMessage(
		[vscode.l10n.t('{0} failed jobs are tried again.', retried), ...notes].filter((text) => text !== '').join(' '),
	);
}

async function choose(services: Services, title: string): Promise<ServerSelection> {
	const { model, batch } = await chooseBatch(services, title, undefined, hasFailed);
	return { model, batches: [batch], jobs: [] };
}
