import type * as vscode from 'vscode';

import type { Services } from '../../services.js';
import { showPage } from '../webviewHtml.js';
import { BatchPanel } from './batchPanel.js';
import type { BatchReference } from './batchReference.js';

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

/** Fills a tab with the page of a batch; what it returns ends the page. */
export function batchPage(
	tab: vscode.WebviewPanel,
	services: Services,
	{ reference, extensionUri }: { readonly reference: BatchReference; readonly extensionUri: vscode.Uri },
): BatchPanel {
	const panel = new BatchPanel(tab, services, reference);
	showPage(tab.webview, extensionUri, { name: 'batch', title: tab.title, body: BODY });
	return panel;
}
