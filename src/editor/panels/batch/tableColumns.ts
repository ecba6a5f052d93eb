import * as vscode from 'vscode';

import type { JobRow } from '../../../monitor/batchPage/jobTable.js';

/** A column between the state and the parameters. */
export interface TableColumn {
	/** In exports. */
	readonly key: string;
	readonly title: string;
	readonly kind: 'text' | 'number';
	readonly unit?: 'seconds';
	readonly value: (row: JobRow) => number | string | undefined;
}

const positive = (value: number | undefined): number | undefined => (value === undefined || value <= 0 ? undefined : value);

/** What is known of a job from its latest instance. */
export const tableColumns = (): readonly TableColumn[] => [
	{ key: 'tries', title: vscode.l10n.t('Tries'), kind: 'number', value: ({ tries }) => tries },
	{ key: 'host', title: vscode.l10n.t('Host'), kind: 'number', value: ({ latest }) => positive(latest?.hostId) },
	{
		key: 'runTimeSeconds',
		title: vscode.l10n.t('Run Time'),
		kind: 'number',
		unit: 'seconds',
		value: ({ latest }) => positive(latest?.elapsedTime),
	},
	{
		key: 'turnaroundSeconds',
		title: vscode.l10n.t('Turnaround'),
		kind: 'number',
		unit: 'seconds',
		value: ({ latest }) => (latest && latest.receivedTime > 0 ? positive(latest.receivedTime - latest.sentTime) : undefined),
	},
	{
		key: 'exitStatus',
		title: vscode.l10n.t('Exit Code'),
		kind: 'number',
		value: ({ latest }) => (latest && latest.receivedTime > 0 ? latest.exitStatus : undefined),
	},
];
