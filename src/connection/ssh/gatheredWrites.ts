import type { Socket } from 'node:net';

/**
 * Makes a socket send what is written in one turn of the event loop with one system call. The library writes each packet
 * in up to four pieces, and a large chunk as many packets.
 */
export function gatherWrites(socket: Socket): void {
	const write: Socket['write'] = socket.write.bind(socket);
	let corked = false;
	const uncork = (): void => {
		corked = false;
		socket.uncork();
	};
	socket.write = ((...args: Parameters<Socket['write']>) => {
		if (!corked) {
			corked = true;
			socket.cork();
			process.nextTick(uncork);
		}
		return write(...args);
	}) as Socket['write'];
}
