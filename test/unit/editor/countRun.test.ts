import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { silentLog, systemClock } from '../../../src/common/ports.js';
import { CountRun } from '../../../src/editor/images/countRun.js';
import type { ImageSource } from '../../../src/editor/images/imageSource.js';
import type { Core } from '../../../src/editor/services.js';
import { type ContextSize, contextSize } from '../../../src/image/build/contextSize.js';

let dir: string;
let source: ImageSource;
beforeEach(async () => {
	dir = await mkdtemp(path.join(tmpdir(), 'b2d-count-'));
	await writeFile(path.join(dir, 'Dockerfile'), 'FROM scratch\n');
	source = { contextDir: dir, dockerfile: { fsPath: path.join(dir, 'Dockerfile') } } as ImageSource;
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const ports = { log: silentLog, clock: systemClock, onChange: (): void => undefined };
const soFar: ContextSize = { bytes: 7, files: 1, isWhole: false, largest: [], ignoreFile: undefined };

it('tells the size, and the former one until there is another', async () => {
	const run = new CountRun(soFar, ports);
	expect(run.size).toBe(soFar);
	await run.count(source, () => Promise.resolve({ contextSize } as Core));
	expect([run.state, run.size?.files, run.size?.isWhole]).toEqual(['done', 1, true]);
	await expect(run.ended()).resolves.toBeUndefined();
});

it('keeps what was counted when it is stopped, and whoever waits goes on', async () => {
	const run = new CountRun(undefined, ports);
	const endless: Core['contextSize'] = (_, __, options) =>
		new Promise((__, reject) => {
			options?.onProgress?.(soFar);
			options?.signal?.addEventListener('abort', () => reject(options.signal?.reason as Error));
		});
	const counting = run.count(source, () => Promise.resolve({ contextSize: endless } as Core));
	counting.catch(() => undefined);
	await Promise.resolve();
	const ended = run.ended();
	run.cancel();
	await ended;
	expect([run.state, run.size]).toEqual(['cancelled', soFar]);
});

it('says nothing of what cannot be counted', async () => {
	const run = new CountRun(soFar, ports);
	const gone = { ...source, contextDir: path.join(dir, 'absent') };
	await expect(run.count(gone, () => Promise.resolve({ contextSize } as Core))).rejects.toMatchObject({ code: 'ENOENT' });
	expect([run.state, run.size]).toEqual(['failed', undefined]);
});
