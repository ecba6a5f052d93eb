import { describe, expect, it } from 'vitest';

import { ChannelQueue } from '../../../src/connection/channelQueue.js';

const settled = async (promise: Promise<unknown>): Promise<boolean> =>
	Promise.race([promise.then(() => true), new Promise<boolean>((resolve) => setImmediate(() => resolve(false)))]);

describe('ChannelQueue', () => {
	it('lets as many in as the limit allows, then first come first served', async () => {
		const queue = new ChannelQueue(2);
		await queue.acquire();
		await queue.acquire();
		const order: number[] = [];
		const third = queue.acquire().then(() => order.push(3));
		const fourth = queue.acquire().then(() => order.push(4));
		expect(await settled(third)).toBe(false);
		queue.release();
		await third;
		queue.release();
		await fourth;
		expect(order).toEqual([3, 4]);
	});

	it('lowers the limit to what was open when the server refuses', async () => {
		const queue = new ChannelQueue(8);
		await Promise.all(Array.from({ length: 4 }, () => queue.acquire()));
		expect(queue.refused()).toBe('wait');
		expect(queue.limit).toBe(3);
		const next = queue.acquire();
		expect(await settled(next)).toBe(false);
		queue.release();
		await next;
	});

	it('gives up when the only channel is refused, and keeps the limit', async () => {
		const queue = new ChannelQueue(8);
		await queue.acquire();
		expect(queue.refused()).toBe('hopeless');
		expect(queue.limit).toBe(8);
	});

	it('forgets who cancels while waiting', async () => {
		const queue = new ChannelQueue(1);
		await queue.acquire();
		const cancel = new AbortController();
		const waiting = queue.acquire(cancel.signal);
		const next = queue.acquire();
		cancel.abort();
		await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
		queue.release();
		await next;
		await expect(queue.acquire(AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' });
	});

	it('lets everybody in when the connection is gone', async () => {
		const queue = new ChannelQueue(1);
		await queue.acquire();
		const waiting = [queue.acquire(), queue.acquire()];
		queue.dissolve();
		await Promise.all(waiting);
	});
});
