import { connect, type Socket } from 'node:net';

const SLAB = 1024 * 1024;
/** Least room offered to one read; Node by itself offers 64 KiB, and makes a buffer for each. */
const LEAST = 192 * 1024;

/** A socket that reads in large pieces: fewer system calls, fewer packets cut in two. */
export interface LargeReads {
	/** It is paused, and emits `data` as usual once it is resumed. */
	readonly socket: Socket;
	/**
	 * From now on bytes that were emitted may be overwritten as soon as the listeners of `data` have returned, whenever `isCopied` says
	 * that these copy them. New memory for each megabyte costs more than reading it.
	 */
	reuse(isCopied: () => boolean): void;
}

/** Connects such a socket. Bytes that were emitted are not overwritten until `reuse` allows it. */
export function connectWithLargeReads(host: string, port: number): LargeReads {
	let slab = Buffer.allocUnsafeSlow(SLAB);
	let used = 0;
	let isCopied = (): boolean => false;
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
				const before = used;
				used += count;
				socket.emit('data', data);
				if (isCopied()) {
					used = before;
				}
				return true;
			},
		},
	});
	// What arrived before somebody listens would be lost.
	socket.pause();
	return { socket, reuse: (judge) => (isCopied = judge) };
}
