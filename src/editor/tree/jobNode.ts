import * as vscode from 'vscode';

import type { Job } from '../../monitor/types.js';
import type { BatchNode } from './batchNode.js';
import { InstanceNode } from './instanceNode.js';
import { MessageNode } from './messageNode.js';
import { contextValue, type NodeCache, type TreeNode } from './node.js';
import type { ServerNode } from './serverNode.js';
import { iconOf, jobLook } from './stateLook.js';

/** A job with the instances that try it. */
export class JobNode implements TreeNode {
	readonly id: string;
	readonly parent: BatchNode;
	readonly server: ServerNode;
	/** As it was read last. */
	job: Job;
	readonly #cache: NodeCache;

	constructor(parent: BatchNode, job: Job, cache: NodeCache) {
		this.id = `${parent.server.id}/job/${job.id}`;
		this.parent = parent;
		this.server = parent.server;
		this.job = job;
		this.#cache = cache;
	}

	item(): vscode.TreeItem {
		const look = jobLook(this.job.state);
		const item = new vscode.TreeItem(this.job.name, vscode.TreeItemCollapsibleState.Collapsed);
		item.id = this.id;
		item.description = look.words;
		item.iconPath = iconOf(look);
		item.contextValue = contextValue('job', this.job.state);
		item.accessibilityInformation = { label: vscode.l10n.t('Job {0}, {1}', this.job.name, look.words) };
		return item;
	}

	tooltip(): vscode.MarkdownString {
		return new vscode.MarkdownString().appendText(
			`${this.job.name} — ${jobLook(this.job.state).words}\n${vscode.l10n.t('BOINC calls it workunit {0}.', this.job.id)}`,
		);
	}

	async children(): Promise<readonly TreeNode[]> {
		const { server } = this;
		const instances = await server.model.instances(this.job.id);
		if (instances.length === 0) {
			const id = `${this.id}/no-instance`;
			return [this.#cache.node(id, () => new MessageNode(id, this, vscode.l10n.t('No instance yet'), 'info'))];
		}
		return instances.map((instance) => {
			const node = this.#cache.node(`${server.id}/instance/${instance.id}`, () => new InstanceNode(this, instance));
			node.instance = instance;
			return node;
		});
	}
}
