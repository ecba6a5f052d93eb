import * as vscode from 'vscode';

import type { Disposable } from '../../common/disposable.js';
import { EXPLANATION_SCHEME } from '../../common/ids.js';

/** Explanations as read-only documents; each lives as long as the window. */
export class ExplanationDocuments implements vscode.TextDocumentContentProvider, Disposable {
	readonly #texts = new Map<string, string>();
	readonly #changed = new vscode.EventEmitter<vscode.Uri>();
	readonly #registration: vscode.Disposable;

	constructor() {
		this.#registration = vscode.workspace.registerTextDocumentContentProvider(EXPLANATION_SCHEME, this);
	}

	readonly onDidChange = this.#changed.event;

	provideTextDocumentContent(uri: vscode.Uri): string {
		return this.#texts.get(uri.path) ?? vscode.l10n.t('Ask again: an explanation is not kept when the window is closed.');
	}

	/** Opens a text under this title, or puts it into the document of that title which is open already. */
	async open(title: string, text: string): Promise<void> {
		const uri = vscode.Uri.from({ scheme: EXPLANATION_SCHEME, path: `/${title.replace(/[/\\]/g, '-')}.txt` });
		this.#texts.set(uri.path, text);
		this.#changed.fire(uri);
		await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri), { preview: true });
	}

	dispose(): void {
		this.#registration.dispose();
		this.#changed.dispose();
	}
}
