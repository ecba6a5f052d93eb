import { mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { newsOf } from '../../../src/editor/status/batchNews.js';
import { ToldOnce } from '../../../src/editor/status/toldOnce.js';
import { emptyCounts } from '../../../src/monitor/jobState.js';
import type { Batch } from '../../../src/monitor/types.js';

const batch = (change: Partial<Batch>): Batch => ({
	id: 1,
	name: 'pi',
	appId: 1,
	state: 'running',
	createTime: 0,
	total: 10,
	counts: emptyCounts(),
	...change,
});

it('has news of the first failure, of a threshold, and of the end alone', () => {
	const counts = { ...emptyCounts(), failed: 1, done: 5 };
	expect(newsOf(batch({}), 0.5)).toEqual([]);
	expect(newsOf(batch({ counts }), 0)).toEqual(['firstFailure']);
	expect(newsOf(batch({ counts }), 0.5)).toEqual(['firstFailure', 'threshold']);
	expect(newsOf(batch({ counts }), 0.6)).toEqual(['firstFailure']);
	expect(newsOf(batch({ counts, state: 'failed' }), 0.5)).toEqual(['ended']);
});

it('has no news of a batch that is not counted, nor a threshold of one that is being submitted', () => {
	const counts = { ...emptyCounts(), done: 10 };
	expect(newsOf(batch({ state: 'retired', uncounted: true }), 0.5)).toEqual([]);
	expect(newsOf(batch({ state: 'preparing', counts }), 0.5)).toEqual([]);
});

let folder: string;
beforeEach(async () => {
	folder = await mkdtemp(path.join(tmpdir(), 'b2d-told-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('lets one of several windows tell, and none after a restart, until it is forgotten', async () => {
	const windows = Array.from({ length: 5 }, () => new ToldOnce(path.join(folder, 'told')));
	const claims = await Promise.all(windows.map((window) => window.claim('a.1.ended')));
	expect(claims.filter(Boolean)).toHaveLength(1);
	const restarted = new ToldOnce(path.join(folder, 'told'));
	expect(await restarted.claim('a.1.ended')).toBe(false);
	expect(await restarted.claim('a.2.ended')).toBe(true);
	await restarted.forget('a.1.ended');
	expect(await restarted.claim('a.1.ended')).toBe(true);
});

it('removes what is half a year old', async () => {
	const told = new ToldOnce(folder);
	await told.claim('old');
	await told.claim('new');
	await utimes(path.join(folder, 'old'), 0, 0);
	await told.tidy(Date.now());
	expect(await readdir(folder)).toEqual(['new']);
});
