import * as vscode from 'vscode';

import { FINAL_JOB_STATES } from '../../monitor/jobState.js';
import type { Job } from '../../monitor/types.js';
import type { BatchNode } from './batchNode.js';
import { InstanceNode } from './instanceNode.js';
import { MessageNode } from './messageNode.js';
import { contextValue, type NodeCache, type TreeNode } from './node.js';
import type { ServerNode } from './serverNode.js';
import { iconOf, jobLook, jobWords } from './stateLook.js';

/** Whether cancelling would change something: the job is open, or it has failed and an instance of it goes on. */
export const isCancellable = ({ state, alive }: Job): boolean => !FINAL_JOB_STATES.includes(state) || alive === true;

/** A job with the instances that try it. */
export class JobNode implements TreeNode {
	readonly id: string;
	/** The batch or the group that lists it now. */
	parent: TreeNode;
	readonly batch: BatchNode;
	readonly server: ServerNode;
	/** As it was read last. */
	job: Job;
	readonly #cache: NodeCache;

	constructor(id: string, parent: TreeNode, batch: BatchNode, job: Job, cache: NodeCache) {
		this.id = id;
		this.parent = parent;
		this.batch = batch;
		this.server = batch.server;
		this.job = job;
		this.#cache = cache;
	}

	item(): vscode.TreeItem {
		const words = jobWords(this.job);
		const item = new vscode.TreeItem(this.job.name, vscode.TreeItemCollapsibleState.Collapsed);
		item.id = this.id;
		item.description = words;
		item.iconPath = iconOf(jobLook(this.job.state));
		item.contextValue = contextValue(
			'job',
			this.job.state,
			isCancellable(this.job) && 'cancellable',
			this.job.state === 'failed' && 'retryable',
			this.job.state === 'done' && 'results',
		);
		item.accessibilityInformation = { label: vscode.l10n.t('Job {0}, {1}', this.job.name, words) };
		return item;
	}

	tooltip(): vscode.MarkdownString {
		return new vscode.MarkdownString().appendText(
			`${this.job.name} — ${jobWords(this.job)}\n${vscode.l10n.t('BOINC calls it workunit {0}.', this.job.id)}`,
		);
	}

	async children(): Promise<readonly TreeNode[]> {
		const { server } = this;
		const instances = await server.model.instances(this.job.id);
		if (instances.length === 0) {
			// A job that is over had some: the server has removed them since the jobs were read.
			const [id, text] = FINAL_JOB_STATES.includes(this.job.state)
				? [`${this.id}/removed`, vscode.l10n.t('Removed from the server')]
				: [`${this.id}/no-instance`, vscode.l10n.t('No instance yet')];
			return [this.#cache.node(id, () => new MessageNode(id, this, text, 'info'))];
		}
		return instances.map((instance) => {
			const node = this.#cache.node(`${this.id}/instance/${instance.id}`, () => new InstanceNode(this, instance));
			node.instance = instance;
			return node;
		});
	}
}
