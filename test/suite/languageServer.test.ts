import assert from 'node:assert/strict';

import type {} from 'mocha';
import * as vscode from 'vscode';

const JOB_FILE = `image: alpine:3.20
comand: run {{alpha}}
resources:
  memory: 2 GiB
sweep:
  grid:
    alpha: [1, 2, 3]
`;
const TEMPLATE = `<output_template>
<file_info>
<name><OUTFILE_0/></name>
<url><UPLOAD_URL/></url>
</file_info>
<result><file_ref>
<file_name><OUTFILE_0/></file_name>
<open_name>out</open_name>
<copy_file/>
</file_ref>
</result>
</output_template>
`;

suite('language server', () => {
	let folder: vscode.Uri;
	let job: vscode.Uri;

	suiteSetup(async () => {
		const [first] = vscode.workspace.workspaceFolders ?? [];
		assert.ok(first);
		folder = first.uri;
		job = await write('boinc2docker.yml', JOB_FILE);
		await vscode.extensions.getExtension('boinc2docker.boinc2docker')?.activate();
	});

	async function write(name: string, text: string): Promise<vscode.Uri> {
		const uri = vscode.Uri.joinPath(folder, name);
		await vscode.workspace.fs.writeFile(uri, Buffer.from(text));
		return uri;
	}

	test('marks a mistake in boinc2docker.yml, mends it by a quick fix, and keeps the language of the file', async function () {
		const found = diagnosticsOf(job, (all) => all.length === 1);
		const document = await vscode.workspace.openTextDocument(job);
		assert.equal(document.languageId, 'yaml');
		const [diagnostic] = await found;
		assert.equal(diagnostic?.source, 'boinc2docker');
		assert.deepEqual(diagnostic.range, new vscode.Range(1, 0, 1, 6));
		assert.ok(typeof diagnostic.code === 'object' && diagnostic.code.target.path.endsWith('syntaxes/boinc2docker.md'));
		const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>(
			'vscode.executeCodeActionProvider',
			job,
			diagnostic.range,
		);
		const fix = actions.find(({ title }) => title === 'Change to “command”');
		assert.ok(fix?.edit);
		const mended = diagnosticsOf(job, (all) => all.length === 0);
		await vscode.workspace.applyEdit(fix.edit);
		assert.deepEqual(await mended, []);
	});

	test('completes, explains and shows what can be done with the file', async () => {
		const offered = await vscode.commands.executeCommand<vscode.CompletionList>(
			'vscode.executeCompletionItemProvider',
			job,
			new vscode.Position(3, 2),
		);
		const labels = offered.items.map(({ label }) => (typeof label === 'string' ? label : label.label));
		assert.ok(labels.includes('time') && labels.includes('disk'), labels.join());
		const [hover] = await vscode.commands.executeCommand<vscode.Hover[]>(
			'vscode.executeHoverProvider',
			job,
			new vscode.Position(3, 12),
		);
		const [text] = hover?.contents ?? [];
		assert.ok(text instanceof vscode.MarkdownString);
		assert.match(text.value, /2,147,483,648 bytes/);
		const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', job, 10);
		const titles = lenses.map(({ command }) => command?.title);
		assert.ok(
			['Submit', 'Run Locally', 'Preview 3 Jobs'].every((title) => titles.includes(title)),
			titles.join(),
		);
	});

	test('previews the jobs from above the file', async () => {
		await vscode.commands.executeCommand('boinc2docker.job.preview', job.toString());
		const shown = vscode.window.activeTextEditor?.document.getText() ?? '';
		assert.match(shown, /^3 jobs, about /);
		assert.match(shown, /row +alpha\n0 +1\n1 +2\n2 +3\n/);
	});

	test('knows BOINC templates, and leaves foreign files their language and their peace', async () => {
		const uri = await write('templates/demo_out', TEMPLATE);
		const found = diagnosticsOf(uri, (all) => all.length === 2);
		assert.equal((await vscode.workspace.openTextDocument(uri)).languageId, 'boinc-template');
		assert.deepEqual(
			(await found).map(({ code }) => (typeof code === 'object' ? code.value : code)),
			['output-max-nbytes', 'output-line-feed'],
		);
		const foreign = await write('config.xml', '<configuration></configuration>\n');
		const document = await vscode.workspace.openTextDocument(foreign);
		assert.equal(document.languageId, 'xml');
		const symbols = await vscode.commands.executeCommand<unknown[] | undefined>('vscode.executeDocumentSymbolProvider', foreign);
		assert.deepEqual(symbols ?? [], []);
		assert.deepEqual(vscode.languages.getDiagnostics(foreign), []);
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
