import * as vscode from 'vscode';

import type { Grouping, Order, Shown, TreeOptions } from './viewOptions.js';

export function groupingWords(grouping: Grouping): string {
	const { t } = vscode.l10n;
	switch (grouping) {
		case 'state':
			return t('State');
		case 'host':
			return t('Host');
		case 'exitCode':
			return t('Exit Code');
		case 'parameter':
			return t('Parameter');
		case 'none':
			return t('Nothing');
	}
}

export function orderWords(order: Order): string {
	const { t } = vscode.l10n;
	switch (order) {
		case 'newest':
			return t('Newest First');
		case 'oldest':
			return t('Oldest First');
		case 'name':
			return t('Name');
		case 'failures':
			return t('Most Failures First');
		case 'progress':
			return t('Most Progress First');
	}
}

export function shownWords(shown: Shown): string {
	const { t } = vscode.l10n;
	switch (shown) {
		case 'all':
			return t('All Batches');
		case 'unfinished':
			return t('Unfinished Batches');
		case 'failures':
			return t('Batches with Failed Jobs');
	}
}

/** What is hidden, for the title of the view; empty when nothing is. */
export function describeFilter({ shown, text }: TreeOptions): string {
	return [shown === 'all' ? '' : shownWords(shown), text === '' ? '' : vscode.l10n.t('“{0}”', text)]
		.filter((part) => part !== '')
		.join(', ');
}
