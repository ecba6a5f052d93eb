import type * as vscode from 'vscode';

import { createContainer } from './editor/container.js';

/** Called by VS Code when the view is shown or a command runs for the first time. */
export function activate(context: vscode.ExtensionContext): void {
	context.subscriptions.push(createContainer(context));
}
