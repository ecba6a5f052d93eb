import * as vscode from 'vscode';

import type { CommandId } from '../../common/ids.js';
import type { JobGrouping, JobPage } from '../../monitor/jobPages.js';
import { JOB_STATES } from '../../monitor/jobState.js';
import type { Batch, JobState } from '../../monitor/types.js';
import type { AppNode } from './appNode.js';
import { decorated } from './decorations.js';
import { type GroupKey, GroupNode } from './groupNode.js';
import { JobNode } from './jobNode.js';
import { LoadMoreNode, type PagedNode } from './loadMoreNode.js';
import { MessageNode } from './messageNode.js';
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

/** A batch with so few jobs shows them without groups by state. */
const FEW = 20;

/** A batch with its jobs, in groups. A click opens its page. */
export class BatchNode implements PagedNode {
	readonly id: string;
	readonly parent: AppNode;
	readonly server: ServerNode;
	readonly batchId: number;
	readonly #cache: NodeCache;
	/** Which row lists a job at the moment, by the job's id in the tree. */
	readonly #listed = new Map<string, TreeNode>();
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
			item.description = describeBatch(batch);
			item.iconPath = batch.uncounted === true ? new vscode.ThemeIcon('loading~spin') : iconOf(look);
			item.resourceUri = decorated(this.id, batch.counts);
			item.contextValue = contextValue(
				'batch',
				batch.state,
				open && 'cancellable',
				batch.counts.done > 0 && 'results',
				batch.counts.failed > 0 && 'retryable',
			);
			item.command = {
				command: 'boinc2docker.batch.open' satisfies CommandId,
				title: vscode.l10n.t('Open Batch'),
				arguments: [this],
			};
			item.accessibilityInformation = { label: vscode.l10n.t('Batch {0}, {1}, {2}', label, look.words, describeBatch(batch)) };
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
		const { group } = this.#cache.options;
		const { batch } = this;
		this.#listed.clear();
		if (group === 'none' || !batch || (group === 'state' && batch.total <= FEW)) {
			return this.jobRows(this, {}, this.#limit);
		}
		if (group === 'state') {
			return JOB_STATES.filter((state) => batch.counts[state] > 0).map((state) =>
				this.#group({ by: 'state', state }, batch.counts[state]),
			);
		}
		const groups = group === 'parameter' ? await this.#byParameter() : await this.#byDatabase(group);
		if (groups.length === 0) {
			const text = {
				host: vscode.l10n.t('No host has had a job yet'),
				exitCode: vscode.l10n.t('No instance has failed'),
				parameter: vscode.l10n.t('The jobs do not differ in such a parameter'),
			}[group];
			return [this.#cache.node(`${this.id}/no-${group}`, () => new MessageNode(`${this.id}/no-${group}`, this, text, 'info'))];
		}
		return this.#page(this, groups, this.#limit);
	}

	async #byDatabase(group: JobGrouping): Promise<GroupNode[]> {
		return (await this.server.model.groups(this.batchId, group)).map(({ value, jobs }) =>
			this.#group(group === 'host' ? { by: 'host', hostId: value } : { by: 'exitCode', exitStatus: value }, jobs),
		);
	}

	async #byParameter(): Promise<GroupNode[]> {
		const { labels, groups } = await this.server.model.parameters(this.batchId);
		const { parameter } = this.#cache.options;
		const label = parameter === '' ? labels[0] : labels.find((one) => one === parameter);
		return label === undefined
			? []
			: [...groups(label)].map(([value, names]) => {
					const node = this.#group({ by: 'parameter', label, value }, names.length);
					node.names = names;
					return node;
				});
	}

	/** Up to `limit` jobs as rows below `parent`, and the row for more. */
	async jobRows(parent: BatchNode | GroupNode, page: JobPage, limit: number): Promise<readonly TreeNode[]> {
		const jobs = await this.server.model.jobs(this.batchId, { ...page, limit: limit + 1 });
		const isOnce = !(parent instanceof GroupNode) || parent.key.by === 'state' || parent.key.by === 'parameter';
		const rows = jobs.flatMap((job) => {
			// A job can be on several hosts, but is in one state and was told one value.
			const id = isOnce ? `${this.server.id}/job/${job.id}` : `${parent.id}/job/${job.id}`;
			const elsewhere = this.#listed.get(id);
			if (elsewhere && elsewhere !== parent) {
				return []; // it moved between two queries; the next refresh shows it here
			}
			this.#listed.set(id, parent);
			const node = this.#cache.node(id, () => new JobNode(id, parent, this, job, this.#cache));
			node.job = job;
			node.parent = parent;
			return [node];
		});
		return this.#page(parent, rows, limit);
	}

	#group(key: GroupKey, jobs: number): GroupNode {
		const node = this.#cache.node(GroupNode.idOf(this, key), () => new GroupNode(this, key, jobs));
		node.jobs = jobs;
		return node;
	}

	#page(parent: BatchNode | GroupNode, rows: readonly TreeNode[], limit: number): readonly TreeNode[] {
		return rows.length <= limit
			? rows
			: [...rows.slice(0, limit), this.#cache.node(`${parent.id}/more`, () => new LoadMoreNode(parent))];
	}
}

/** `#9 · 3/10 done · 2 running · 1 failed`: names can be the same, and the command line takes the number. */
export function describeBatch(batch: Batch): string {
	return [`#${batch.id}`, describeCounts(batch)].filter(Boolean).join(' · ');
}

/** `done`, `3/10 done · 2 running · 1 failed`. */
function describeCounts(batch: Batch): string {
	const { total, counts, purged = 0 } = batch;
	if (batch.uncounted === true) {
		return total > 0 ? vscode.l10n.t('{0} jobs', total) : '';
	}
	const first = vscode.l10n.t('{0}/{1} done', counts.done, total);
	const others = COUNTED.filter((state) => counts[state] > 0).map((state) => `${counts[state]} ${jobLook(state).words}`);
	const gone = purged > 0 ? [vscode.l10n.t('{0} removed from the server', purged)] : [];
	return [first, ...others, ...gone].join(' · ');
}
