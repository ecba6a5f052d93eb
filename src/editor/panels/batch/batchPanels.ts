import * as vscode from 'vscode';

import type { Disposable } from '../../../common/disposable.js';
import { PANELS } from '../../../common/ids.js';
import { isBatchReference } from '../../commands/chooseBatch.js';
import type { Services } from '../../services.js';
import { showPage } from '../webviewHtml.js';
import { BatchPanel, type BatchReference } from './batchPanel.js';

/** Fixed frame of the page; the page's program fills it. */
const BODY = `<main>
<div id="trouble" role="status" hidden></div>
<p id="loading" role="status"></p>
<div id="content" hidden>
<header>
<div><div class="heading"><h1 id="title"></h1><span id="state" class="state" role="status"></span></div><p id="subtitle"></p></div>
<div id="actions"></div>
</header>
<div id="bar" role="img"></div>
<ul id="parts"></ul>
<dl id="figures"></dl>
<section id="charts"></section>
<section id="failures-section" aria-labelledby="failures-title"><h2 id="failures-title"></h2><div id="failures"></div></section>
<section id="hosts-section" aria-labelledby="hosts-title"><h2 id="hosts-title"></h2><div id="hosts"></div></section>
<section aria-labelledby="jobs-title"><h2><span id="jobs-title" class="plain"></span><span id="count"></span></h2><div id="tools"></div><div id="table"></div></section>
</div>
</main>`;

/** The open tabs of batches: one for each batch, also after the window was loaded again. */
export class BatchPanels implements Disposable {
	readonly #services: Services;
	readonly #extensionUri: vscode.Uri;
	readonly #open = new Map<string, BatchPanel>();
	readonly #serializer: vscode.Disposable;

	constructor(services: Services, extensionUri: vscode.Uri) {
		this.#services = services;
		this.#extensionUri = extensionUri;
		this.#serializer = vscode.window.registerWebviewPanelSerializer(PANELS.batch, {
			deserializeWebviewPanel: (panel, state: unknown) => {
				if (isBatchReference(state) && !this.#open.has(keyOf(state))) {
					this.#fill(panel, state);
				} else {
					panel.dispose();
				}
				return Promise.resolve();
			},
		});
	}

	/** Shows the tab of a batch; makes it when there is none. */
	show(reference: BatchReference, title: string, focus: 'moves' | 'stays'): void {
		const preserveFocus = focus === 'stays';
		const known = this.#open.get(keyOf(reference));
		if (known) {
			known.reveal(preserveFocus);
			return;
		}
		const panel = vscode.window.createWebviewPanel(
			PANELS.batch,
			title,
			{ viewColumn: vscode.ViewColumn.Active, preserveFocus },
			{},
		);
		this.#fill(panel, reference);
	}

	dispose(): void {
		this.#serializer.dispose();
		for (const panel of this.#open.values()) {
			panel.dispose();
		}
		this.#open.clear();
	}

	#fill(panel: vscode.WebviewPanel, reference: BatchReference): void {
		panel.iconPath = vscode.Uri.joinPath(this.#extensionUri, 'media', 'icon.png');
		const batchPanel = new BatchPanel(panel, this.#services, reference);
		this.#open.set(keyOf(reference), batchPanel);
		panel.onDidDispose(() => {
			this.#open.delete(keyOf(reference));
			batchPanel.dispose();
		});
		showPage(panel.webview, this.#extensionUri, { name: 'batch', title: panel.title, body: BODY });
	}
}

const keyOf = ({ serverId, batchId }: BatchReference): string => `${serverId}/${batchId}`;
