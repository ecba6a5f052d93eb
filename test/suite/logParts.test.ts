import assert from 'node:assert/strict';

import type {} from 'mocha';
import * as vscode from 'vscode';

import { formatLog } from '../../src/editor/documents/formatLog.js';
import { foldingRanges, links, symbols } from '../../src/editor/documents/logParts.js';

suite('a log', () => {
	const open = async (log: { message: string; container: string; wrapper: string }): Promise<vscode.TextDocument> =>
		vscode.workspace.openTextDocument({ content: formatLog({ text: '', ...log }) });

	test('folds at its parts, which are in the outline', async () => {
		const document = await open({ message: 'process exited', container: 'step 1\nstep 2\n\n', wrapper: 'wrapper 18 starting' });
		const ranges = foldingRanges(document).map(({ start, end, kind }) => [start, end, kind]);
		const region = vscode.FoldingRangeKind.Region;
		assert.deepEqual(ranges, [
			[0, 1, region],
			[3, 5, region],
			[7, 8, region],
		]);
		assert.deepEqual(
			symbols(document).map(({ name }) => name),
			['Why it failed, as the client says', 'Container', 'Wrapper'],
		);
		assert.equal(document.lineAt(4).text, 'step 1');
	});

	test('in part leads to more of it, to the whole, and to the files that it names', async () => {
		const leftOut = ['… 9000 bytes left out, show more', '… 9000 bytes left out, open whole'];
		const content = ['head', ...leftOut, '  File "/app/hello.txt", line 2', 'tail'].join('\n');
		const plain = await vscode.workspace.openTextDocument({ content });
		const targets = async (path: string): Promise<(readonly [number, string | undefined, string | undefined])[]> => {
			const document: vscode.TextDocument = Object.create(plain, {
				uri: { value: plain.uri.with({ scheme: 'boinc2docker', path }) },
			});
			const found = await links(document, new vscode.CancellationTokenSource().token);
			return found.map(({ range, target }) => [range.start.line, target?.path, target?.fragment]);
		};
		const file = [3, vscode.Uri.joinPath(vscode.workspace.workspaceFolders![0]!.uri, 'hello.txt').path, 'L2'] as const;
		assert.deepEqual(await targets('/fulllog-0/ab/7/x.log'), [
			[1, '/fulllog-1/ab/7/x.log', ''],
			[2, '/fulllog/ab/7/x.log', ''],
			file,
		]);
		// In a whole log such a line is the program's own.
		assert.deepEqual(await targets('/log/ab/7/x.log'), [file]);
	});

	test('without parts has nothing to fold', async () => {
		assert.deepEqual(foldingRanges(await open({ message: '', container: '', wrapper: '' })), []);
	});
});
