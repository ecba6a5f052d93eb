import assert from 'node:assert/strict';

import type {} from 'mocha';
import * as vscode from 'vscode';

import { formatLog } from '../../src/editor/documents/formatLog.js';
import { foldingRanges, symbols } from '../../src/editor/documents/logLanguage.js';

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

	test('without parts has nothing to fold', async () => {
		assert.deepEqual(foldingRanges(await open({ message: '', container: '', wrapper: '' })), []);
	});
});
