import * as vscode from 'vscode';

import { abortError } from '../../../common/errors.js';
import { formatBytes, formatSeconds } from '../../../common/format.js';
import type { ListedPack } from '../../../project/packList.js';
import type { Services } from '../../services.js';
import { chooseServer } from '../chooseServer.js';

/** Shows which parts of images no unfinished job on a server needs, and removes those that the person leaves chosen. */
export async function removeUnusedPacks(services: Services, item?: unknown): Promise<void> {
	const title = vscode.l10n.t('Remove Unused Packs');
	const model = await chooseServer(services, title, item);
	const { name } = model.server;
	const { listPacks, removePacks } = await services.core();
	const packs = await services.operation(vscode.l10n.t('Looking for unused packs on {0}', name), async (ctx) =>
		listPacks(await model.project(ctx.signal), ctx),
	);
	const unused = packs.filter(({ state }) => state === 'unused');
	if (unused.length === 0) {
		void vscode.window.showInformationMessage(
			packs.length === 0
				? vscode.l10n.t('{0} has no packs.', name)
				: vscode.l10n.t(
						'There is nothing to remove on {0}: all {1} packs ({2}) are needed by jobs, or came or were asked for within a day.',
						name,
						packs.length,
						sizeOf(packs),
					),
		);
		return;
	}
	const chosen = await choose(title, unused);
	await confirm(chosen, name);
	const report = await services.operation(vscode.l10n.t('Removing packs from {0}', name), async (ctx) =>
		removePacks(
			await model.project(ctx.signal),
			chosen.map((pack) => pack.name),
			ctx,
		),
	);
	for (const { name: pack, why } of report.kept) {
		services.log.info(`${pack} stayed on ${name}: ${why}`);
	}
	const stayed =
		report.kept.length > 0 ? vscode.l10n.t('{0} stayed, for jobs or submissions came to need them.', report.kept.length) : '';
	void vscode.window.showInformationMessage(
		`${vscode.l10n.t('Removed {0} packs ({1}) from {2}.', report.removed.length, formatBytes(report.bytesFreed), name)} ${stayed}`.trim(),
	);
}

const sizeOf = (packs: readonly ListedPack[]): string => formatBytes(packs.reduce((sum, { bytes }) => sum + bytes, 0));

async function choose(title: string, unused: readonly ListedPack[]): Promise<readonly ListedPack[]> {
	const chosen = await vscode.window.showQuickPick(
		unused.map((pack) => ({
			label: pack.name.slice('b2d_pack_'.length, -'.tar.gz'.length).slice(0, 12),
			description: vscode.l10n.t('{0}, {1} old', formatBytes(pack.bytes), formatSeconds(pack.ageSeconds)),
			detail: detailOf(pack),
			picked: true,
			pack,
		})),
		{
			title,
			placeHolder: vscode.l10n.t('{0} packs that no unfinished job needs', unused.length),
			canPickMany: true,
			ignoreFocusOut: true,
			matchOnDescription: true,
			matchOnDetail: true,
		},
	);
	if (!chosen || chosen.length === 0) {
		throw abortError();
	}
	return chosen.map(({ pack }) => pack);
}

function detailOf({ batches, lastUseSeconds }: ListedPack): string {
	const used =
		lastUseSeconds === undefined
			? vscode.l10n.t('No image has it.')
			: vscode.l10n.t('An image with it was sent {0} ago.', formatSeconds(lastUseSeconds));
	const first = batches.slice(-3).join(', ');
	return batches.length === 0
		? used
		: `${used} ${vscode.l10n.t('Finished batches: {0}', batches.length > 3 ? `… ${first}` : first)}`;
}

async function confirm(chosen: readonly ListedPack[], server: string): Promise<void> {
	const question =
		chosen.length === 1
			? vscode.l10n.t('Remove 1 pack ({0}) from {1}?', sizeOf(chosen), server)
			: vscode.l10n.t('Remove {0} packs ({1}) from {2}?', chosen.length, sizeOf(chosen), server);
	const accept = vscode.l10n.t('Remove');
	const detail = vscode.l10n.t('Images that have them are sent again, as far as needed, when they are submitted next.');
	if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, accept)) !== accept) {
		throw abortError();
	}
}
