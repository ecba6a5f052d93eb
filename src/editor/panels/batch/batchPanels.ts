import * as vscode from 'vscode';

import type { Disposable } from '../../../common/disposable.js';
import { PANELS } from '../../../common/ids.js';
import type { Services } from '../../services.js';
import { type BatchReference, isBatchReference } from './batchReference.js';

/** The open tabs of batches: one for each batch, also after the window was loaded again. */
export class BatchPanels implements Disposable {
	readonly #services: Services;
	readonly #extensionUri: vscode.Uri;
	/** The page of a tab is there once its code is loaded. */
	readonly #open = new Map<string, { readonly tab: vscode.WebviewPanel; page?: Disposable }>();
	readonly #serializer: vscode.Disposable;

	constructor(services: Services, extensionUri: vscode.Uri) {
		this.#services = services;
		this.#extensionUri = extensionUri;
		this.#serializer = vscode.window.registerWebviewPanelSerializer(PANELS.batch, {
			deserializeWebviewPanel: async (tab, state: unknown) => {
				if (isBatchReference(state) && !this.#open.has(keyOf(state))) {
					await this.#fill(tab, state);
				} else {
					tab.dispose();
				}
			},
		});
	}

	/** Shows the tab of a batch; makes it when there is none. */
	async show(reference: BatchReference, title: string, focus: 'moves' | 'stays'): Promise<void> {
		const preserveFocus = focus === 'stays';
		const known = this.#open.get(keyOf(reference));
		if (known) {
			known.tab.reveal(undefined, preserveFocus);
			return;
		}
		const place = { viewColumn: vscode.ViewColumn.Active, preserveFocus };
		await this.#fill(vscode.window.createWebviewPanel(PANELS.batch, title, place, {}), reference);
	}

	dispose(): void {
		this.#serializer.dispose();
		for (const { page } of this.#open.values()) {
			page?.dispose();
		}
		this.#open.clear();
	}

	async #fill(tab: vscode.WebviewPanel, reference: BatchReference): Promise<void> {
		const key = keyOf(reference);
		const entry: { readonly tab: vscode.WebviewPanel; page?: Disposable } = { tab };
		this.#open.set(key, entry);
		tab.onDidDispose(() => {
			this.#open.delete(key);
			entry.page?.dispose();
		});
		tab.iconPath = vscode.Uri.joinPath(this.#extensionUri, 'media', 'icon.png');
		const { batchPage } = await import('../../onDemand.js');
		if (this.#open.get(key) === entry) {
			entry.page = batchPage(tab, this.#services, { reference, extensionUri: this.#extensionUri });
		}
	}
}

const keyOf = ({ serverId, batchId }: BatchReference): string => `${serverId}/${batchId}`;
