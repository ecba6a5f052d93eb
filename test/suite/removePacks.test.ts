import assert from 'node:assert/strict';

import type {} from 'mocha';
import * as vscode from 'vscode';

import { quietContext, silentLog } from '../../src/common/ports.js';
import { removeUnusedPacks } from '../../src/editor/commands/packs/remove.js';
import type { Services } from '../../src/editor/services.js';
import type { ListedPack } from '../../src/project/packList.js';

const pack = (digit: string, state: ListedPack['state']): ListedPack => ({
	name: `b2d_pack_${digit.repeat(32)}.tar.gz`,
	bytes: 1_500_000,
	ageSeconds: 3 * 86_400,
	lastUseSeconds: undefined,
	wantedSeconds: 3 * 86_400,
	images: [],
	batches: [7],
	state,
});

interface Row extends vscode.QuickPickItem {
	readonly pack: ListedPack;
}

suite('removing unused packs', () => {
	const { showQuickPick, showWarningMessage, showInformationMessage } = vscode.window;
	let asked: string[];
	let removed: string[];

	/** Runs the command on a server with these packs; the person accepts all that is chosen, or nothing. */
	async function run(packs: readonly ListedPack[], accept: 'accept' | 'refuse' = 'accept'): Promise<void> {
		asked = [];
		removed = [];
		Object.assign(vscode.window, {
			showQuickPick: (rows: readonly Row[]) => {
				asked.push(...rows.map(({ label, description, picked }) => `${label} ${description ?? ''} ${String(picked)}`));
				return Promise.resolve(rows);
			},
			showWarningMessage: (text: string, _options: unknown, button: string) => {
				asked.push(text);
				return Promise.resolve(accept === 'accept' ? button : undefined);
			},
			showInformationMessage: (text: string) => {
				asked.push(text);
				return Promise.resolve(undefined);
			},
		});
		const model = { server: { id: 'a', name: 'Test Project', target: 'local:/p' }, project: () => Promise.resolve({}) };
		const services = {
			log: silentLog,
			models: { all: () => [model] },
			operation: (_title: string, task: (ctx: unknown) => unknown) => task(quietContext()),
			core: () =>
				Promise.resolve({
					listPacks: () => Promise.resolve(packs),
					removePacks: (_project: unknown, names: readonly string[]) => {
						removed.push(...names);
						return Promise.resolve({ removed: names, bytesFreed: 3_000_000, kept: [] });
					},
				}),
		};
		await removeUnusedPacks(services as unknown as Services);
	}

	teardown(() => void Object.assign(vscode.window, { showQuickPick, showWarningMessage, showInformationMessage }));

	const unused = [pack('1', 'unused'), pack('2', 'unused')];

	test('offers them with size and age, asks once more, and says what was done', async () => {
		await run([...unused, pack('3', 'needed'), pack('4', 'recent')]);
		assert.deepEqual(asked, [
			'111111111111 1.50 MB, 3 d old true',
			'222222222222 1.50 MB, 3 d old true',
			'Remove 2 packs (3.00 MB) from Test Project?',
			'Removed 2 packs (3.00 MB) from Test Project.',
		]);
		assert.deepEqual(
			removed,
			unused.map(({ name }) => name),
		);
	});

	test('removes nothing when the person says no', async () => {
		await assert.rejects(run(unused, 'refuse'), { name: 'AbortError' });
		assert.deepEqual(removed, []);
	});

	test('says when there is nothing to remove', async () => {
		await run([pack('3', 'needed')]);
		assert.match(asked[0] ?? '', /^There is nothing to remove on Test Project: all 1 packs \(1\.50 MB\)/);
	});
});
