import * as vscode from 'vscode';

import type { Disposable } from '../../common/disposable.js';

/** Scheme of addresses that only carry what a row is decorated by: no document has one. */
const SCHEME = 'boinc2docker-row';
/** VS Code shows two characters; the row itself says the number. */
const MOST = 99;

/** An address for a row with so many failed jobs. */
export function decorated(id: string, { failed }: { readonly failed: number }): vscode.Uri {
	return vscode.Uri.from({ scheme: SCHEME, path: `/${id}`, query: failed > 0 ? String(failed) : '' });
}

/** Marks rows with failed jobs by their number and in the colour of errors. */
export class Decorations implements vscode.FileDecorationProvider, Disposable {
	readonly #registration = vscode.window.registerFileDecorationProvider(this);

	provideFileDecoration({ scheme, query }: vscode.Uri): vscode.FileDecoration | undefined {
		const failed = Number(query);
		if (scheme !== SCHEME || !(failed > 0)) {
			return undefined;
		}
		return new vscode.FileDecoration(
			failed > MOST ? '9+' : String(failed),
			vscode.l10n.t('{0} failed', failed),
			new vscode.ThemeColor('list.errorForeground'),
		);
	}

	dispose(): void {
		this.#registration.dispose();
	}
}
