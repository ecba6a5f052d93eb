import * as vscode from 'vscode';

import { BoincError, messageOf } from '../../../common/errors.js';
import { formatBytes } from '../../../common/format.js';
import type { FolderSize } from '../../../image/cost/treeSizes.js';
import type { ImageCost } from '../../../job/imageCost.js';
import type { CostCard, FolderBox } from '../../../protocol/imagesPage.js';
import type { CostRun } from '../../images/sourceState.js';
import { progressOf } from './pushCard.js';
import { type WarningFacts, warningsOf } from './warnings.js';

const { t } = vscode.l10n;

/** Packs that are drawn by themselves; further ones are one part. */
const MOST_PARTS = 40;

/** What an image costs, in words, figures and pictures. `server` is the name of the one that was asked. */
export function costCard(run: CostRun, server: string | undefined, facts: WarningFacts): CostCard {
	const card: CostCard = {
		...(run.state === 'running' && { progress: progressOf(run.progress, t('Reading the image')) }),
		...(run.state === 'failed' && {
			trouble: { text: messageOf(run.error), remedy: BoincError.is(run.error) ? (run.error.remedy ?? '') : '' },
		}),
		summary: run.state === 'cancelled' ? t('Cancelled.') : '',
		figures: [],
		layers: [],
		layersTitle: t('By layer'),
		warnings: [],
		warningsTitle: '',
	};
	return run.value ? { ...card, ...filled(run.value, server, facts) } : card;
}

function filled(
	cost: ImageCost,
	server: string | undefined,
	facts: WarningFacts,
): Omit<CostCard, 'progress' | 'trouble' | 'layersTitle'> {
	const warnings = warningsOf(cost, facts);
	const largest = Math.max(1, ...cost.layers.map(({ bytes }) => bytes));
	return {
		summary:
			server === undefined
				? t('{0} unpacked, about {1} to download.', formatBytes(cost.facts.treeSize), formatBytes(cost.downloadBytes))
				: cost.sendBytes === 0
					? t('{0} has all of it: nothing must be sent.', server)
					: t('{0} must be sent to {1}.', formatBytes(cost.sendBytes), server),
		figures: figures(cost, server),
		packs: packs(cost, server),
		folders: {
			title: t('By folder'),
			summary: cost.folders.children.map(({ name, bytes }) => `${name} ${formatBytes(bytes)}`).join(', '),
			root: boxOf(cost.folders),
		},
		layers: cost.layers
			.filter(({ bytes }) => bytes > 0)
			.map(({ number, bytes, madeBy }) => ({
				label: madeBy === '' ? t('Layer {0}', number) : madeBy,
				size: formatBytes(bytes),
				share: bytes / largest,
			})),
		warnings,
		warningsTitle:
			warnings.length === 0 ? t('No warnings') : warnings.length === 1 ? t('1 warning') : t('{0} warnings', warnings.length),
	};
}

function figures(cost: ImageCost, server: string | undefined): CostCard['figures'] {
	const { host } = cost;
	const bytes = formatBytes;
	return [
		...(server === undefined ? [] : [{ label: t('To send now'), value: bytes(cost.sendBytes), hint: t('to {0}', server) }]),
		{
			label: t('A new volunteer downloads'),
			value: bytes(cost.downloadBytes),
			hint: t('{0} packs, once', cost.onServer.length + cost.toSend.length),
		},
		...(cost.updateBytes === undefined
			? []
			: [{ label: t('With the former version'), value: bytes(cost.updateBytes), hint: t('only what changed') }]),
		{
			label: t('Disk of a host'),
			value: bytes(host.diskBytes + host.imageBytes),
			hint: t('image {0}, each job {1}', bytes(host.imageBytes), bytes(host.diskBytes)),
		},
		{ label: t('Memory of a host'), value: bytes(host.memoryBytes), hint: t('unless the job says otherwise') },
	];
}

function packs({ onServer, toSend }: ImageCost, server: string | undefined): NonNullable<CostCard['packs']> {
	const sum = (sizes: readonly number[]): string => formatBytes(sizes.reduce((total, size) => total + size, 0));
	const there = onServer.map(({ size }) => size);
	const missing = toSend.map(({ bytes }) => bytes);
	const part = (tone: 'good' | 'active', words: (size: string) => string) => (bytes: number) => ({
		label: words(formatBytes(bytes)),
		bytes,
		tone,
	});
	return {
		title: t('By pack'),
		summary:
			server === undefined
				? t('{0} packs, {1}', missing.length, sum(missing))
				: t(
						'{0} of {1} packs are on {2}: {3}. To send: {4}.',
						there.length,
						there.length + missing.length,
						server,
						sum(there),
						sum(missing),
					),
		parts: [
			...joined(there).map(part('good', (size) => t('{0} on the server', size))),
			...joined(missing).map(part('active', (size) => (server === undefined ? size : t('{0} to send', size)))),
		],
	};
}

/** The largest sizes, and the sum of the others. */
function joined(sizes: readonly number[]): number[] {
	const sorted = sizes.toSorted((a, b) => b - a);
	const rest = sorted.slice(MOST_PARTS).reduce((sum, size) => sum + size, 0);
	return [...sorted.slice(0, MOST_PARTS), ...(rest > 0 ? [rest] : [])];
}

const boxOf = ({ name, bytes, children }: FolderSize): FolderBox => ({
	name,
	bytes,
	size: formatBytes(bytes),
	children: children.map(boxOf),
});
