import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import { contentOfBytes, contentOfFile } from '../../../src/common/content.js';
import { DisposableStore } from '../../../src/common/disposable.js';
import { isAbort } from '../../../src/common/errors.js';
import { Emitter } from '../../../src/common/event.js';
import { formatBytes, formatSeconds, plural } from '../../../src/common/format.js';
import { eachParallel } from '../../../src/common/parallel.js';
import { systemClock } from '../../../src/common/ports.js';

describe('sizes and times for people', () => {
	it.each([
		[0, '0 B'],
		[999, '999 B'],
		[1000, '1.00 KB'],
		[15_600_000, '15.6 MB'],
		[999_600_000, '1.00 GB'],
		[-2048, '-2.05 KB'],
	])('%i bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

	it.each([
		[0, '0 s'],
		[42.4, '42 s'],
		[190, '3 min 10 s'],
		[7200, '2 h'],
		[273_600, '3 d 4 h'],
	])('%d seconds are %s', (seconds, text) => expect(formatSeconds(seconds)).toBe(text));

	it('counts', () => expect([plural(1, 'job'), plural(0, 'job'), plural(3, 'job')]).toEqual(['1 job', '0 jobs', '3 jobs']));
});

describe('content', () => {
	it('is the same from a file and from memory, from any offset', async () => {
		const folder = await mkdtemp(path.join(tmpdir(), 'b2d-content-'));
		try {
			const bytes = Buffer.from('hello world');
			await writeFile(path.join(folder, 'f'), bytes);
			const contents = [await contentOfFile(path.join(folder, 'f')), contentOfBytes(bytes)];
			for (const content of contents) {
				expect(content).toMatchObject({
					size: 11,
					md5: '5eb63bbbe01eeed093cb22bb8f5acdc3',
					sha256: 'b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9',
				});
				const parts: Uint8Array[] = [];
				for await (const part of content.open(6)) {
					parts.push(part);
				}
				expect(Buffer.concat(parts).toString()).toBe('world');
			}
		} finally {
			await rm(folder, { recursive: true });
		}
	});
});

it('content of a file passes through few buffers, one chunk at a time', async () => {
	const folder = await mkdtemp(path.join(tmpdir(), 'b2d-content-'));
	try {
		const bytes = randomBytes(1_500_000);
		await writeFile(path.join(folder, 'f'), bytes);
		const content = await contentOfFile(path.join(folder, 'f'));
		const buffers = new Set<unknown>();
		let position = 7;
		for await (const part of content.open(7, 'passing')) {
			// Long enough for the next chunk to be read.
			await sleep(5);
			expect(bytes.subarray(position, position + part.length).equals(part)).toBe(true);
			position += part.length;
			buffers.add(part.buffer);
		}
		expect(position).toBe(bytes.length);
		expect(buffers.size).toBe(2);
		for await (const _ of content.open(bytes.length, 'passing')) {
			expect.unreachable();
		}
	} finally {
		await rm(folder, { recursive: true });
	}
});

it('disposes in reverse order, and at once what comes late', () => {
	const order: number[] = [];
	const store = new DisposableStore();
	store.add({ dispose: () => order.push(1) });
	store.add({ dispose: () => order.push(2) });
	store.dispose();
	store.add({ dispose: () => order.push(3) });
	store.dispose();
	expect(order).toEqual([2, 1, 3]);
});

it('fires to all listeners although one throws, and to none after they left', () => {
	const errors: unknown[] = [];
	const seen: number[] = [];
	const emitter = new Emitter<number>((error) => errors.push(error));
	emitter.event(() => {
		throw new Error('bad');
	});
	const subscription = emitter.event((value) => seen.push(value));
	emitter.fire(1);
	subscription.dispose();
	emitter.fire(2);
	expect([seen, errors.length]).toEqual([[1], 2]);
});

describe('work in parallel', () => {
	it('keeps to the limit and does everything', async () => {
		let now = 0;
		let most = 0;
		const done: number[] = [];
		await eachParallel([1, 2, 3, 4, 5, 6], 2, async (item) => {
			most = Math.max(most, ++now);
			await Promise.resolve();
			now -= 1;
			done.push(item);
		});
		expect([most, done.sort()]).toEqual([2, [1, 2, 3, 4, 5, 6]]);
	});

	it('throws the first failure and begins nothing more', async () => {
		const begun: number[] = [];
		await expect(
			eachParallel([1, 2, 3, 4], 1, (item) => {
				begun.push(item);
				return item === 2 ? Promise.reject(new Error('two')) : Promise.resolve();
			}),
		).rejects.toThrow('two');
		expect(begun).toEqual([1, 2]);
	});
});

it('wakes a sleeper when somebody cancels', async () => {
	const controller = new AbortController();
	const sleeping = systemClock.sleep(60_000, controller.signal).catch((error: unknown) => error);
	controller.abort();
	expect(isAbort(await sleeping)).toBe(true);
	expect(isAbort(await systemClock.sleep(1, controller.signal).catch((error: unknown) => error))).toBe(true);
});
