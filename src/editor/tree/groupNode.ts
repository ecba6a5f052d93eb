import * as vscode from 'vscode';

import type { JobPage } from '../../monitor/jobPages.js';
import type { JobState } from '../../monitor/types.js';
import type { BatchNode } from './batchNode.js';
import { decorated } from './decorations.js';
import type { PagedNode } from './loadMoreNode.js';
import { contextValue, type TreeNode } from './node.js';
import { PAGE } from './page.js';
import { iconOf, jobLook } from './stateLook.js';

/** What the jobs of a group have in common. */
export type GroupKey =
	| { readonly by: 'state'; readonly state: JobState }
	| { readonly by: 'host'; readonly hostId: number }
	| { readonly by: 'exitCode'; readonly exitStatus: number }
	| { readonly by: 'parameter'; readonly label: string; readonly value: string };

/** Jobs of a batch that are in the same state, were on the same host, failed with the same code, or were told the same. */
export class GroupNode implements PagedNode {
	readonly id: string;
	readonly parent: BatchNode;
	readonly key: GroupKey;
	/** As it was counted last. */
	jobs: number;
	/** The names of its jobs, where they are known from elsewhere than the database's states. */
	names: readonly string[] = [];
	#limit = PAGE;

	constructor(parent: BatchNode, key: GroupKey, jobs: number) {
		this.id = GroupNode.idOf(parent, key);
		this.parent = parent;
		this.key = key;
		this.jobs = jobs;
	}

	static idOf(parent: BatchNode, key: GroupKey): string {
		return `${parent.id}/${key.by}/${valueOf(key)}`;
	}

	/** Which jobs are in it, for queries. */
	get page(): JobPage {
		const { key } = this;
		switch (key.by) {
			case 'state':
				return { states: [key.state] };
			case 'host':
				return { hostId: key.hostId };
			case 'exitCode':
				return { exitStatus: key.exitStatus };
			case 'parameter':
				return { names: this.names.slice(0, this.#limit + 1) };
		}
	}

	item(): vscode.TreeItem {
		const item = new vscode.TreeItem(this.#label(), vscode.TreeItemCollapsibleState.Collapsed);
		item.id = this.id;
		item.description = new Intl.NumberFormat().format(this.jobs);
		item.iconPath = this.#icon();
		item.contextValue = contextValue('group', valueOf(this.key) === 'failed' && 'retryable');
		item.accessibilityInformation = { label: vscode.l10n.t('Group {0}, {1} jobs', this.#label(), this.jobs) };
		if (this.key.by === 'state' && this.key.state === 'failed') {
			item.resourceUri = decorated(this.id, { failed: this.jobs });
		}
		return item;
	}

	loadMore(): void {
		this.#limit += PAGE;
	}

	children(): Promise<readonly TreeNode[]> {
		return this.parent.jobRows(this, this.page, this.#limit);
	}

	#label(): string {
		const { key } = this;
		switch (key.by) {
			case 'state': {
				const { words } = jobLook(key.state);
				return words.charAt(0).toLocaleUpperCase() + words.slice(1);
			}
			case 'host':
				return vscode.l10n.t('Host {0}', key.hostId);
			case 'exitCode':
				return vscode.l10n.t('Exit code {0}', key.exitStatus);
			case 'parameter':
				return `${key.label} = ${key.value === '' ? '–' : key.value}`;
		}
	}

	#icon(): vscode.ThemeIcon {
		const { key } = this;
		switch (key.by) {
			case 'state':
				return iconOf(jobLook(key.state));
			case 'host':
				return new vscode.ThemeIcon('device-desktop');
			case 'exitCode':
				return new vscode.ThemeIcon('symbol-number');
			case 'parameter':
				return new vscode.ThemeIcon('symbol-parameter');
		}
	}
}

function valueOf(key: GroupKey): string {
	switch (key.by) {
		case 'state':
			return key.state;
		case 'host':
			return String(key.hostId);
		case 'exitCode':
			return String(key.exitStatus);
		case 'parameter':
			return `${encodeURIComponent(key.label)}/${encodeURIComponent(key.value)}`;
	}
}
