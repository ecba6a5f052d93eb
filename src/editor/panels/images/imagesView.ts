import * as vscode from 'vscode';

import { type Disposable, DisposableStore } from '../../../common/disposable.js';
import { VIEWS } from '../../../common/ids.js';
import type { Services } from '../../services.js';

/** The view *Images*. Its page and model are loaded when it is shown for the first time. */
export class ImagesView implements vscode.WebviewViewProvider, Disposable {
	readonly #services: Services;
	readonly #extensionUri: vscode.Uri;
	readonly #registration: vscode.Disposable;
	#shown: { readonly view: vscode.WebviewView; readonly page: DisposableStore } | undefined;

	constructor(services: Services, extensionUri: vscode.Uri) {
		this.#services = services;
		this.#extensionUri = extensionUri;
		this.#registration = vscode.window.registerWebviewViewProvider(VIEWS[1], this);
	}

	/** Whether the person sees what happens. */
	get isVisible(): boolean {
		return this.#shown?.view.visible === true;
	}

	/** Shows the view; the focus goes there. */
	async reveal(): Promise<void> {
		await vscode.commands.executeCommand(`${VIEWS[1]}.focus`);
	}

	async resolveWebviewView(view: vscode.WebviewView): Promise<void> {
		const page = new DisposableStore();
		this.#shown = { view, page };
		view.onDidDispose(() => {
			page.dispose();
			this.#shown = this.#isShown(view) ? undefined : this.#shown;
		});
		const [{ ImagesPage }, model] = await Promise.all([import('../../onDemand.js'), this.#services.images()]);
		// By now it may be closed.
		if (this.#isShown(view)) {
			page.add(new ImagesPage(view, this.#services, model)).show(this.#extensionUri);
		}
	}

	dispose(): void {
		this.#shown?.page.dispose();
		this.#shown = undefined;
		this.#registration.dispose();
	}

	#isShown(view: vscode.WebviewView): boolean {
		return this.#shown?.view === view;
	}
}
