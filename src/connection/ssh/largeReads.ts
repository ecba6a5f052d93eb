import { connect, type Socket } from 'node:net';

const SLAB = 1024 * 1024;
/** Least room offered to one read; Node by itself offers 64 KiB, and makes a buffer for each. */
const LEAST = 192 * 1024;

/**
 * Connects a socket that reads in large pieces: fewer system calls, fewer packets cut in two. It is paused, and emits
 * `data` as usual once it is resumed. Bytes that were emitted are never overwritten.
 */
export function connectWithLargeReads(host: string, port: number): Socket {
	let slab = Buffer.allocUnsafeSlow(SLAB);
	let used = 0;
	const socket = connect({
		host,
		port,
		keepAlive: true,
		onread: {
			buffer: () => {
				if (SLAB - used < LEAST) {
					slab = Buffer.allocUnsafeSlow(SLAB);
					used = 0;
				}
				return slab.subarray(used);
			},
			callback: (count) => {
				const data = slab.subarray(used, used + count);
				used += count;
				socket.emit('data', data);
				return true;
			},
		},
	});
	// What arrived before somebody listens would be lost.
	socket.pause();
	return socket;
}
