import * as vscode from 'vscode';

import { type Disposable, DisposableStore } from '../../common/disposable.js';
import { DOCUMENT_SCHEME } from '../../common/ids.js';
import type * as onDemand from '../onDemand.js';

/** Logs of instances, and those in results. */
const SELECTOR: vscode.DocumentSelector = [
	{ scheme: DOCUMENT_SCHEME, pattern: '**/log/**' },
	{ scheme: DOCUMENT_SCHEME, pattern: '**/*.{log,txt,err}' },
];

/** What a log gets in the editor: its parts fold and are in the outline, and places in source files are links. */
export class LogLanguage implements Disposable {
	readonly #owned = new DisposableStore();

	constructor() {
		const { languages } = vscode;
		const parts = (): Promise<typeof onDemand> => import('../onDemand.js');
		const provideFoldingRanges = async (log: vscode.TextDocument) => (await parts()).foldingRanges(log);
		const provideDocumentSymbols = async (log: vscode.TextDocument) => (await parts()).symbols(log);
		const provideDocumentLinks = async (log: vscode.TextDocument, token: vscode.CancellationToken) =>
			(await parts()).links(log, token);
		this.#owned.add(languages.registerFoldingRangeProvider(SELECTOR, { provideFoldingRanges }));
		this.#owned.add(languages.registerDocumentSymbolProvider(SELECTOR, { provideDocumentSymbols }));
		this.#owned.add(languages.registerDocumentLinkProvider(SELECTOR, { provideDocumentLinks }));
	}

	dispose(): void {
		this.#owned.dispose();
	}
}
