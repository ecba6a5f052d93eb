import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

import type {} from 'mocha';
import * as vscode from 'vscode';

import { Emitter } from '../../src/common/event.js';
import { type Clock, silentLog } from '../../src/common/ports.js';
import { ResultStreamer } from '../../src/editor/results/resultStreamer.js';
import { emptyCounts } from '../../src/monitor/jobState.js';
import type { FetchReport } from '../../src/monitor/results/fetchRequest.js';
import type { Batch } from '../../src/monitor/types.js';

const batch = (id: number, done: number, total = 4): Batch => ({
	id,
	name: `batch ${String(id)}`,
	appId: 1,
	state: done === total ? 'done' : 'running',
	createTime: 0,
	total,
	counts: { ...emptyCounts(), done, running: total - done },
});

suite('results as they come', () => {
	const setting = async (value: boolean | undefined): Promise<void> => {
		const ours = (): vscode.WorkspaceConfiguration => vscode.workspace.getConfiguration('boinc2docker');
		await ours().update('results.stream', value, vscode.ConfigurationTarget.Global);
		// On a busy computer the extensions hear of it later.
		for (let turn = 0; turn < 250 && value !== undefined && ours().get('results.stream') !== value; turn++) {
			await sleep(20);
		}
	};
	let rows: Batch[];
	let fetched: number[];
	let changed: Emitter<unknown>;
	let streamer: ResultStreamer<{ server: { id: string }; batches: () => Batch[] }>;

	setup(() => {
		rows = [batch(1, 0), batch(2, 3)];
		fetched = [];
		changed = new Emitter<unknown>();
		const report = (done: number): FetchReport => {
			const already = Array.from({ length: done }, (_, n) => String(n));
			return { folder: '', fetched: [], already, failed: [], refused: [], metrics: undefined };
		};
		const clock: Clock = { now: () => Date.now(), sleep: () => Promise.resolve() };
		streamer = new ResultStreamer(
			{ all: () => [{ server: { id: 'a' }, batches: () => rows }], onDidChange: changed.event },
			{ of: () => [1] },
			{
				fetch: (_model, wanted) => {
					fetched.push(...wanted.map(({ batch: { id } }) => id));
					return Promise.resolve(wanted.map((one) => report(one.batch.counts.done)));
				},
			},
			silentLog,
			clock,
		);
	});
	teardown(async () => {
		streamer.dispose();
		await setting(undefined);
	});

	/** Everything that a change sets off has happened. */
	const settled = (): Promise<void> => sleep(50);
	const expectFetched = async (batches: readonly number[]): Promise<void> => {
		for (let turn = 0; turn < 100 && fetched.length < batches.length; turn++) {
			await settled();
		}
		assert.deepEqual(fetched, batches);
	};

	test('come for watched batches only, once for each change, and no more when the batch is over', async () => {
		await setting(true);
		changed.fire(undefined);
		await settled();
		assert.deepEqual(fetched, [], 'nothing is done yet');
		rows = [batch(1, 2), batch(2, 4)];
		changed.fire(undefined);
		await settled();
		changed.fire(undefined);
		await settled();
		await expectFetched([1]);
		rows = [batch(1, 4), batch(2, 4)];
		changed.fire(undefined);
		await settled();
		changed.fire(undefined);
		await settled();
		await expectFetched([1, 1]);
	});

	test('do not come when the person has turned that off, and come again when it is on', async () => {
		await setting(false);
		rows = [batch(1, 2)];
		changed.fire(undefined);
		await settled();
		assert.deepEqual(fetched, []);
		await setting(true);
		changed.fire(undefined);
		await settled();
		await expectFetched([1]);
	});
});
