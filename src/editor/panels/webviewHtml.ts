import { randomBytes } from 'node:crypto';

import * as vscode from 'vscode';

/** A page of ours: its bundle `dist/webview/<name>.js` and `.css`, and the HTML inside of `<body>`. */
export interface Page {
	readonly name: 'batch' | 'images';
	readonly title: string;
	/** Fixed HTML of ours; data never goes in here. */
	readonly body: string;
}

/** The folder that pages load from, and the only one. */
const webviewRoot = (extensionUri: vscode.Uri): vscode.Uri => vscode.Uri.joinPath(extensionUri, 'dist', 'webview');

/** Loads a page into its webview. Whoever wants to hear it listens already. */
export function showPage(webview: vscode.Webview, extensionUri: vscode.Uri, page: Page): void {
	webview.options = { enableScripts: true, localResourceRoots: [webviewRoot(extensionUri)] };
	webview.html = webviewHtml(webview, extensionUri, page);
}

/**
 * The HTML of a page: nothing remote, no inline script, one script with a nonce. Styles of our own folder, and those that
 * components and charts set on elements, which a nonce cannot cover.
 */
function webviewHtml(webview: vscode.Webview, extensionUri: vscode.Uri, { name, title, body }: Page): string {
	const nonce = randomBytes(16).toString('base64');
	const uri = (file: string): string => webview.asWebviewUri(vscode.Uri.joinPath(webviewRoot(extensionUri), file)).toString();
	const policy = [
		"default-src 'none'",
		`script-src 'nonce-${nonce}'`,
		`style-src ${webview.cspSource} 'unsafe-inline'`,
		`font-src ${webview.cspSource}`,
	].join('; ');
	return `<!DOCTYPE html>
<html lang="${escapeHtml(vscode.env.language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<link rel="stylesheet" href="${uri(`${name}.css`)}">
</head>
<body>
${body}
<script type="module" nonce="${nonce}" src="${uri(`${name}.js`)}"></script>
</body>
</html>`;
}

/** Text for an attribute or between tags. */
function escapeHtml(text: string): string {
	return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
