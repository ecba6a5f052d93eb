import * as vscode from 'vscode';

import { type Disposable, DisposableStore } from '../../common/disposable.js';
import { messageOf } from '../../common/errors.js';
import type { ViewId } from '../../common/ids.js';
import type { SeenBatches } from '../panels/batch/seenBatches.js';
import type { ServerModels } from '../servers/serverModels.js';
import type { WatchedBatches } from '../status/watchedBatches.js';
import { JobsDrag } from './jobsDrag.js';
import type { JobsTree } from './jobsTree.js';
import type { TreeNode } from './node.js';
import { describeFilter } from './optionWords.js';
import type { ViewOptions } from './viewOptions.js';

/** The tree on the screen: what it says in trouble, and that it is kept up to date only while somebody can see it. */
export class JobsView implements Disposable {
	readonly #view: vscode.TreeView<TreeNode>;
	readonly #tree: JobsTree;
	readonly #models: ServerModels;
	readonly #owned = new DisposableStore();
	readonly #watched: WatchedBatches;
	readonly #pages: SeenBatches;
	readonly #options: ViewOptions;

	constructor(
		tree: JobsTree,
		models: ServerModels,
		{ watched, pages, options }: { readonly watched: WatchedBatches; readonly pages: SeenBatches; readonly options: ViewOptions },
	) {
		this.#options = options;
		this.#watched = watched;
		this.#pages = pages;
		this.#tree = tree;
		this.#models = models;
		this.#view = this.#owned.add(
			vscode.window.createTreeView('boinc2docker.views.jobs' satisfies ViewId, {
				treeDataProvider: tree,
				showCollapseAll: true,
				canSelectMany: true,
				dragAndDropController: new JobsDrag(),
			}),
		);
		this.#owned.add(this.#view.onDidChangeVisibility(() => this.#follow()));
		this.#owned.add(vscode.window.onDidChangeWindowState(() => this.#follow()));
		this.#owned.add(models.onDidChange(() => this.#update()));
		this.#owned.add(watched.onDidChange(() => this.#follow()));
		this.#owned.add(pages.onDidChange(() => this.#follow()));
		this.#owned.add(options.onDidChange(() => this.#update()));
		this.#update();
	}

	/** Shows the row of a batch with its jobs, of a single job with its instances. Does nothing when the batch is not known yet. */
	async reveal(serverId: string, batchId: number): Promise<void> {
		this.#tree.refresh();
		const node = this.#tree.batchNode(serverId, batchId);
		if (node) {
			await this.#view.reveal(node, { select: true, focus: false, expand: node.batch?.total === 1 ? 2 : 1 });
		}
	}

	dispose(): void {
		this.#owned.dispose();
	}

	#update(): void {
		this.#follow();
		const troubles = this.#models
			.all()
			.flatMap(({ server, status }) => (status.kind === 'trouble' ? [`${server.name}: ${messageOf(status.error)}`] : []));
		this.#view.description = describeFilter(this.#options.now);
		this.#view.message = troubles.join('\n');
	}

	#follow(): void {
		const { focused } = vscode.window.state;
		for (const model of this.#models.all()) {
			const { id } = model.server;
			const pages = focused ? this.#pages.of(id) : [];
			model.follow(focused && this.#view.visible ? 'all' : [...new Set([...this.#watched.of(id), ...pages])]);
		}
	}
}
