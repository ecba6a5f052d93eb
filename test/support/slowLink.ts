import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Interval in which a share of the bytes passes. */
const TICK_MS = 20;

/** A TCP proxy on loopback that lets few bytes through to the server, so that there is a middle of an upload to act in. */
export class SlowLink {
	readonly #server: Server;
	readonly #sockets = new Set<Socket>();

	private constructor(port: number, bytesPerSecond: number) {
		const share = Math.ceil((bytesPerSecond * TICK_MS) / 1000);
		this.#server = createServer((near) => {
			const far = connect(port, '127.0.0.1');
			for (const socket of [near, far]) {
				this.#sockets.add(socket);
				socket.setNoDelay(true);
				socket.on('error', () => undefined);
				socket.once('close', () => {
					this.#sockets.delete(socket);
					near.destroy();
					far.destroy();
				});
			}
			far.pipe(near);
			near.on('readable', () => undefined);
			const timer = setInterval(() => {
				const bytes = near.read(Math.min(share, near.readableLength)) as Buffer | null;
				if (bytes !== null && bytes.length > 0) {
					far.write(bytes);
				}
			}, TICK_MS);
			near.once('close', () => clearInterval(timer));
			near.once('end', () => far.end());
		});
	}

	static async start(port: number, bytesPerSecond: number): Promise<SlowLink> {
		const link = new SlowLink(port, bytesPerSecond);
		await new Promise<void>((resolve) => link.#server.listen(0, '127.0.0.1', resolve));
		return link;
	}

	get port(): number {
		return (this.#server.address() as AddressInfo).port;
	}

	async stop(): Promise<void> {
		this.#sockets.forEach((socket) => socket.destroy());
		await new Promise<void>((resolve) => this.#server.close(() => resolve()));
	}
}
