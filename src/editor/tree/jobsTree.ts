import * as vscode from 'vscode';

import { type Disposable, DisposableStore } from '../../common/disposable.js';
import { messageOf } from '../../common/errors.js';
import type { Event } from '../../common/event.js';
import type { Log } from '../../common/ports.js';
import type { ContextManager } from '../contextManager.js';
import type { ModelChange, ServerView } from '../servers/serverModel.js';
import { AppNode } from './appNode.js';
import { BatchNode } from './batchNode.js';
import { JobNode } from './jobNode.js';
import { MessageNode } from './messageNode.js';
import type { NodeCache, TreeNode } from './node.js';
import { ServerNode } from './serverNode.js';
import { arrange, type TreeOptions, type ViewOptions } from './viewOptions.js';

/** Milliseconds that changes are gathered before the rows are drawn again. */
const DEBOUNCE = 500;

/** The servers as the tree sees them. */
export interface ServersView {
	all(): readonly ServerView[];
	readonly onDidChange: Event<{ readonly model?: ServerView; readonly change?: ModelChange }>;
}

/** The view *Jobs*: server → app → batch → job → instance, projected from the models. */
export class JobsTree implements vscode.TreeDataProvider<TreeNode>, NodeCache, Disposable {
	readonly #servers: ServersView;
	readonly #options: ViewOptions;
	readonly #context: ContextManager;
	readonly #log: Log;
	readonly #owned = new DisposableStore();
	readonly #nodes = new Map<string, TreeNode>();
	readonly #changed = new vscode.EventEmitter<TreeNode | undefined>();
	readonly #dirty = new Set<TreeNode | undefined>();
	#timer: NodeJS.Timeout | undefined;

	constructor(servers: ServersView, options: ViewOptions, context: ContextManager, log: Log) {
		this.#options = options;
		this.#servers = servers;
		this.#context = context;
		this.#log = log;
		this.#owned.add(this.#changed);
		this.#owned.add(servers.onDidChange(({ model, change }) => this.#touch(model, change)));
		this.#owned.add(options.onDidChange(() => this.refresh()));
		this.#owned.add({ dispose: () => clearTimeout(this.#timer) });
		this.#welcome();
	}

	readonly onDidChangeTreeData = (listener: (node: TreeNode | undefined) => void): vscode.Disposable =>
		this.#changed.event(listener);

	get options(): TreeOptions {
		return this.#options.now;
	}

	node<T extends TreeNode>(id: string, make: () => T): T {
		const known = this.#nodes.get(id);
		if (known) {
			return known as T; // ids hold the kind of node
		}
		const made = make();
		this.#nodes.set(id, made);
		return made;
	}

	getTreeItem(node: TreeNode): vscode.TreeItem {
		return node.item();
	}

	getParent(node: TreeNode): TreeNode | undefined {
		return node.parent;
	}

	resolveTreeItem(item: vscode.TreeItem, node: TreeNode): vscode.TreeItem {
		const tooltip = node.tooltip?.();
		if (tooltip) {
			item.tooltip = tooltip;
		}
		return item;
	}

	async getChildren(node?: TreeNode): Promise<TreeNode[]> {
		if (!node) {
			return this.#roots();
		}
		try {
			return [...((await node.children?.()) ?? [])];
		} catch (error) {
			this.#log.warn(`${node.id}: ${messageOf(error)}`);
			const id = `${node.id}/trouble`;
			this.#nodes.delete(id); // the text may differ from the last time
			return [this.node(id, () => new MessageNode(id, node, messageOf(error), 'warning'))];
		}
	}

	/** Draws a node again, or everything, at once. */
	refresh(node?: TreeNode): void {
		this.#welcome();
		this.#changed.fire(node);
	}

	/** The node of a batch, for `reveal`; `undefined` while it is not known. */
	batchNode(serverId: string, batchId: number): BatchNode | undefined {
		const model = this.#servers.all().find(({ server }) => server.id === serverId);
		const batch = model?.batches().find(({ id }) => id === batchId);
		if (!model || !batch) {
			return undefined;
		}
		const server = this.node(serverId, () => new ServerNode(model, this));
		const app = this.node(`${serverId}/app/${batch.appId}`, () => new AppNode(server, batch.appId, this));
		return this.node(`${serverId}/batch/${batchId}`, () => new BatchNode(app, batchId, this));
	}

	dispose(): void {
		this.#owned.dispose();
	}

	/** Nothing but the invitation to the next step while there is only one server with nothing in it. */
	#roots(): TreeNode[] {
		if (this.#context.get('boinc2docker:welcome') !== undefined) {
			return [];
		}
		return this.#servers.all().map((model) => {
			const known = this.#nodes.get(model.server.id);
			if (known instanceof ServerNode && known.model !== model) {
				this.#forget(model.server.id);
			}
			return this.node(model.server.id, () => new ServerNode(model, this));
		});
	}

	#forget(serverId: string): void {
		for (const id of this.#nodes.keys()) {
			if (id === serverId || id.startsWith(`${serverId}/`)) {
				this.#nodes.delete(id);
			}
		}
	}

	#touch(model: ServerView | undefined, change: ModelChange | undefined): void {
		const before = this.#context.get('boinc2docker:welcome');
		this.#welcome();
		if (!model || before !== this.#context.get('boinc2docker:welcome')) {
			this.#dirty.add(undefined);
		} else if (change?.kind === 'batches') {
			for (const batchId of change.batchIds) {
				const node = this.#nodes.get(`${model.server.id}/batch/${batchId}`);
				this.#dirty.add(node ?? this.#nodes.get(model.server.id));
				if (node?.parent instanceof AppNode && node.parent.looksDifferent()) {
					this.#dirty.add(node.parent);
				}
			}
			this.#touchJobs(model.server.id, change.jobIds);
		} else {
			this.#dirty.add(this.#nodes.get(model.server.id));
		}
		this.#timer ??= setTimeout(() => this.#flush(), DEBOUNCE);
	}

	/** Batches of jobs that are in the tree, though their counts may be as before; most changed jobs are not in it. */
	#touchJobs(serverId: string, jobIds: readonly number[]): void {
		for (const jobId of jobIds) {
			const node = this.#nodes.get(`${serverId}/job/${jobId}`);
			if (node instanceof JobNode) {
				this.#dirty.add(node.batch);
			}
		}
	}

	#flush(): void {
		this.#timer = undefined;
		const nodes = [...this.#dirty];
		this.#dirty.clear();
		if (nodes.includes(undefined)) {
			this.#changed.fire(undefined);
			return;
		}
		for (const node of nodes.filter((one) => !isBelowOneOf(one, nodes))) {
			this.#changed.fire(node);
		}
	}

	#welcome(): void {
		const all = this.#servers.all();
		const [only] = all;
		this.#context.set('boinc2docker:welcome', only ? this.#emptyBecause(all.length === 1 ? only : undefined) : 'noServer');
	}

	/** Why there would be nothing but rows without content, for the only server there is. */
	#emptyBecause(only: ServerView | undefined): 'noApp' | 'noBatch' | 'filtered' | undefined {
		if (only?.status.kind !== 'ready') {
			return undefined;
		}
		const batches = only.batches();
		if (batches.length > 0) {
			return arrange(batches, this.options).length === 0 ? 'filtered' : undefined;
		}
		return only.apps().some(({ versions }) => versions.some(({ runtime }) => runtime !== undefined)) ? 'noBatch' : 'noApp';
	}
}

/** Whether a row above `node` is drawn again anyway. */
function isBelowOneOf(node: TreeNode | undefined, nodes: readonly (TreeNode | undefined)[]): boolean {
	for (let above = node?.parent; above; above = above.parent) {
		if (nodes.includes(above)) {
			return true;
		}
	}
	return false;
}
