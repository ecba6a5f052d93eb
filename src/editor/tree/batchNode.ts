import * as vscode from 'vscode';

import type { Batch, JobState } from '../../monitor/types.js';
import type { AppNode } from './appNode.js';
import { JobNode } from './jobNode.js';
import { LoadMoreNode, type PagedNode } from './loadMoreNode.js';
import { contextValue, type NodeCache, type TreeNode } from './node.js';
import { PAGE } from './page.js';
import type { ServerNode } from './serverNode.js';
import { batchLook, iconOf, jobLook } from './stateLook.js';

/** What a row counts besides the jobs that are done, in this order. */
const COUNTED: readonly JobState[] = [
	'running',
	'queued',
	'validating',
	'collecting',
	'retrying',
	'failed',
	'cancelling',
	'cancelled',
	'created',
];

/** A batch with its jobs in order of submission. */
export class BatchNode implements PagedNode {
	readonly id: string;
	readonly parent: AppNode;
	readonly server: ServerNode;
	readonly batchId: number;
	readonly #cache: NodeCache;
	#limit = PAGE;

	constructor(parent: AppNode, batchId: number, cache: NodeCache) {
		this.id = `${parent.parent.id}/batch/${batchId}`;
		this.parent = parent;
		this.server = parent.parent;
		this.batchId = batchId;
		this.#cache = cache;
	}

	/** The batch as it is now; `undefined` when it is gone. */
	get batch(): Batch | undefined {
		return this.server.model.batches().find(({ id }) => id === this.batchId);
	}

	item(): vscode.TreeItem {
		const { batch } = this;
		const label = batch === undefined || batch.name === '' ? vscode.l10n.t('Batch {0}', this.batchId) : batch.name;
		const item = new vscode.TreeItem(label, vscode.TreeItemCollapsibleState.Collapsed);
		item.id = this.id;
		if (batch) {
			const look = batchLook(batch.state);
			const open = batch.state === 'running' || batch.state === 'preparing';
			item.description = describeCounts(batch);
			item.iconPath = iconOf(look);
			item.contextValue = contextValue('batch', batch.state, open && 'cancellable', batch.counts.done > 0 && 'results');
			item.accessibilityInformation = { label: vscode.l10n.t('Batch {0}, {1}, {2}', label, look.words, describeCounts(batch)) };
		}
		return item;
	}

	tooltip(): vscode.MarkdownString {
		const { batch } = this;
		const text = new vscode.MarkdownString();
		if (!batch) {
			return text;
		}
		const date = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
		text.appendText(`${batch.name} (${vscode.l10n.t('batch {0}', batch.id)}) — ${batchLook(batch.state).words}\n`);
		text.appendText(vscode.l10n.t('Submitted {0}', date.format(batch.createTime * 1000)));
		for (const [state, count] of Object.entries(batch.counts) as [JobState, number][]) {
			if (count > 0) {
				text.appendText(`\n${jobLook(state).words}: ${count}`);
			}
		}
		return text;
	}

	loadMore(): void {
		this.#limit += PAGE;
	}

	async children(): Promise<readonly TreeNode[]> {
		const jobs = await this.server.model.jobs(this.batchId, this.#limit + 1);
		const rows: TreeNode[] = jobs.slice(0, this.#limit).map((job) => {
			const node = this.#cache.node(`${this.server.id}/job/${job.id}`, () => new JobNode(this, job, this.#cache));
			node.job = job;
			return node;
		});
		if (jobs.length > this.#limit) {
			rows.push(this.#cache.node(`${this.id}/more`, () => new LoadMoreNode(this)));
		}
		return rows;
	}
}

/** `done`, `3/10 done · 2 running · 1 failed`. */
export function describeCounts(batch: Batch): string {
	const { total, counts } = batch;
	const first = vscode.l10n.t('{0}/{1} done', counts.done, total);
	const others = COUNTED.filter((state) => counts[state] > 0).map((state) => `${counts[state]} ${jobLook(state).words}`);
	return [first, ...others].join(' · ');
}
