import * as v from 'valibot';
import type * as vscode from 'vscode';

import { type Disposable, DisposableStore } from '../../common/disposable.js';
import { isAbort, messageOf } from '../../common/errors.js';
import type { Log } from '../../common/ports.js';

/**
 * The extension's side of a protocol with a page. What arrives is checked; what does not fit is logged and ignored.
 * Messages wait until the page has said that it is ready, and a page that was hidden, moved or reloaded says so again.
 */
export class WebviewChannel<Out, In extends v.GenericSchema<unknown, { readonly type: string }>> implements Disposable {
	readonly #webview: vscode.Webview;
	readonly #owned = new DisposableStore();
	#ready = false;

	/** What `receive` fails with is logged, unless somebody cancelled it. */
	constructor(webview: vscode.Webview, incoming: In, log: Log, receive: (message: v.InferOutput<In>) => Promise<void>) {
		this.#webview = webview;
		this.#owned.add(
			webview.onDidReceiveMessage((data: unknown) => {
				const parsed = v.safeParse(incoming, data);
				if (!parsed.success) {
					log.warn(`A message of a page is not understood: ${parsed.issues.map(({ message }) => message).join('; ')}`);
					return;
				}
				this.#ready ||= parsed.output.type === 'ready';
				receive(parsed.output).catch((error: unknown) => {
					if (!isAbort(error)) {
						log.warn(`What a page asked for failed (${parsed.output.type}): ${messageOf(error)}`);
					}
				});
			}),
		);
	}

	/** Sends a message; nothing before the page is ready, for it asks for everything then. */
	send(message: Out): void {
		if (this.#ready) {
			void this.#webview.postMessage(message);
		}
	}

	dispose(): void {
		this.#owned.dispose();
	}
}
