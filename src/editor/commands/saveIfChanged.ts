import * as vscode from 'vscode';

/** Saves a file that is open and changed: a build reads the file, not the editor. */
export async function saveIfChanged(file: vscode.Uri): Promise<void> {
	const open = vscode.workspace.textDocuments.find((document) => document.uri.toString() === file.toString());
	if (open?.isDirty === true) {
		await open.save();
	}
}
