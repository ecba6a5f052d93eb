import assert from 'node:assert/strict';

import type {} from 'mocha';
import * as vscode from 'vscode';

import { COMMANDS, SETTINGS } from '../../src/common/ids.js';

const ID = 'boinc2docker.boinc2docker';
/** Milliseconds that loading and activating may take together. Far above what is measured: this computer may be busy. */
const MOST_MS = 2000;

interface Marks {
	readonly MonacoPerformanceMarks?: { getMarks(): readonly { readonly name: string; readonly startTime: number }[] };
}

suite('extension', () => {
	const extension = vscode.extensions.getExtension(ID);

	test('is installed and does nothing before it is used', () => {
		assert.ok(extension);
		assert.equal(extension.isActive, false);
	});

	test('activates when a command runs, and quickly', async () => {
		await vscode.commands.executeCommand('boinc2docker.view.refresh');
		assert.equal(extension?.isActive, true);
		const marks = (globalThis as Marks).MonacoPerformanceMarks?.getMarks() ?? [];
		const time = (what: string): number => marks.find(({ name }) => name === `code/extHost/${what}/${ID}`)?.startTime ?? NaN;
		const loading = time('didLoadExtensionCode') - time('willLoadExtensionCode');
		const activating = time('didActivateExtension') - time('willActivateExtension');
		assert.ok(loading + activating < MOST_MS, `loading ${loading} ms, activating ${activating} ms`);
	});

	test('registers every command', async () => {
		const known = new Set(await vscode.commands.getCommands(true));
		assert.deepEqual(
			COMMANDS.filter((id) => !known.has(id)),
			[],
		);
	});

	test('has a default for every setting', () => {
		for (const id of SETTINGS) {
			assert.notEqual(vscode.workspace.getConfiguration().inspect(id)?.defaultValue, undefined, id);
		}
	});

	test('puts diagnostics without names on the clipboard', async () => {
		await vscode.commands.executeCommand('boinc2docker.diagnostics.copy');
		const text = await vscode.env.clipboard.readText();
		assert.match(text, /^boinc2docker \d+\.\d+\.\d+\n/);
		assert.match(text, /Node\.js v\d+/);
		for (const { uri } of vscode.workspace.workspaceFolders ?? []) {
			assert.ok(!text.includes(uri.fsPath), text);
		}
	});

	test('says that a document of a forgotten server cannot be had', async () => {
		const uri = vscode.Uri.parse('boinc2docker:/log/0123456789ab/17/job_0.log');
		await assert.rejects(async () => vscode.workspace.openTextDocument(uri), /no longer in the list|nonexistent|cannot open/i);
	});

	test('documents are read-only', async () => {
		assert.equal(vscode.workspace.fs.isWritableFileSystem('boinc2docker'), false);
		await assert.rejects(async () =>
			vscode.workspace.fs.writeFile(vscode.Uri.parse('boinc2docker:/plan/1/x.diff'), Buffer.from('x')),
		);
	});
});
