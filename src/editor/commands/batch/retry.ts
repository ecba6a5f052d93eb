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

interface Bound {
	readonly kind: keyof RetryOptions;
	readonly label: string;
	readonly description: string;
	readonly prompt: string;
	/** What the number that the person types is multiplied by. */
	readonly unit: number;
	readonly value: string;
}

const bounds = (): readonly Bound[] => {
	const { t } = vscode.l10n;
	return [
		{
			kind: 'memoryBytes',
			label: t('Memory'),
			description: t('exit code 205'),
			prompt: t('Gigabytes of memory that a job may use'),
			unit: 1e9,
			value: '4',
		},
		{
			kind: 'limitSeconds',
			label: t('Time'),
			description: t('exit code 197'),
			prompt: t('Hours that a job may run'),
			unit: 3600,
			value: '48',
		},
		{
			kind: 'diskBytes',
			label: t('Disk'),
			description: t('exit code 196'),
			prompt: t('Gigabytes that a job may use on the disk of its host'),
			unit: 1e9,
			value: '10',
		},
		{
			kind: 'delayBoundSeconds',
			label: t('Deadline'),
			description: t('hosts were too slow to report'),
			prompt: t('Days from sending a job to its deadline'),
			unit: 86_400,
			value: '14',
		},
		{
			kind: 'tries',
			label: t('Number of Tries'),
			description: '',
			prompt: t('More tries for each job'),
			unit: 1,
			value: '5',
		},
	];
};

/** The same under a higher bound, which the person chooses. */
export async function raiseBoundAndRetry(services: Services, item?: unknown, items?: unknown): Promise<void> {
	const title = vscode.l10n.t('Raise Bound and Retry');
	const { kind, prompt, unit, value } = await pickOne<Bound>(title, {
		placeholder: vscode.l10n.t('Which bound was too low?'),
		choices: bounds().map((bound) => ({ label: bound.label, description: bound.description, value: bound })),
	});
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
	const given = selectionOf(services, item, items, {
		batch: hasFailed,
		job: ({ job }) => job.state === 'failed',
		group: ({ key }) => key.by === 'state' && key.state === 'failed',
	});
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
