import assert from 'node:assert/strict';

import type {} from 'mocha';
import * as vscode from 'vscode';

suite('language server', () => {
	test('says what is wrong in boinc2docker.yml while it is edited', async function () {
		this.timeout(60_000); // starts a process
		const [folder] = vscode.workspace.workspaceFolders ?? [];
		assert.ok(folder);
		const uri = vscode.Uri.joinPath(folder.uri, 'boinc2docker.yml');
		await vscode.workspace.fs.writeFile(uri, Buffer.from('# app\nappname: "not a name"\n'));
		await vscode.extensions.getExtension('boinc2docker.boinc2docker')?.activate();
		const found = diagnosticsOf(uri, (all) => all.length === 1);
		const document = await vscode.workspace.openTextDocument(uri);
		const [diagnostic] = await found;
		assert.equal(diagnostic?.source, 'boinc2docker');
		assert.equal(diagnostic.range.start.line, 1);
		assert.equal(diagnostic.severity, vscode.DiagnosticSeverity.Error);

		const mended = diagnosticsOf(uri, (all) => all.length === 0);
		const edit = new vscode.WorkspaceEdit();
		edit.replace(uri, document.lineAt(1).range, 'appname: pi');
		await vscode.workspace.applyEdit(edit);
		assert.deepEqual(await mended, []);
	});
});

/** The next diagnostics of a file that satisfy `wanted`. */
function diagnosticsOf(
	uri: vscode.Uri,
	wanted: (all: readonly vscode.Diagnostic[]) => boolean,
): Promise<readonly vscode.Diagnostic[]> {
	return new Promise((resolve) => {
		const listener = vscode.languages.onDidChangeDiagnostics(({ uris }) => {
			const all = vscode.languages.getDiagnostics(uri);
			if (uris.some((changed) => changed.toString() === uri.toString()) && wanted(all)) {
				listener.dispose();
				resolve(all);
			}
		});
	});
}
