import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** Interval in which a share of the bytes passes. */
const TICK_MS = 20;

/**
 * A TCP proxy on loopback that lets few bytes through to the server, so that there is a middle of an upload to act in, that can be
 * cut, and that counts.
 */
export class SlowLink {
	/** Bytes in both directions. */
	passed = 0;
	#sockets = new Set();
	#share;
	#isCut = false;
	#server;

	constructor(port, bytesPerSecond) {
		this.#setSpeed(bytesPerSecond);
		this.#server = createServer((near) => {
			if (this.#isCut) {
				near.destroy();
				return;
			}
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
			far.on('data', ({ length }) => (this.passed += length));
			near.on('readable', () => undefined);
			const timer = setInterval(() => {
				const bytes = near.read(Math.min(this.#share, near.readableLength));
				if (bytes !== null && bytes.length > 0) {
					far.write(bytes);
					this.passed += bytes.length;
				}
			}, TICK_MS);
			near.once('close', () => clearInterval(timer));
			near.once('end', () => far.end());
		});
	}

	static async start(port, bytesPerSecond) {
		const link = new SlowLink(port, bytesPerSecond);
		link.#server.listen(0, '127.0.0.1');
		await once(link.#server, 'listening');
		return link;
	}

	get port() {
		return this.#server.address().port;
	}

	/** The server is lost: what is open ends, and nothing new is let through. */
	cut() {
		this.#isCut = true;
		this.#sockets.forEach((socket) => socket.destroy());
	}

	/** The server is back. */
	mend(bytesPerSecond) {
		this.#setSpeed(bytesPerSecond);
		this.#isCut = false;
	}

	async stop() {
		this.cut();
		const closed = once(this.#server, 'close');
		this.#server.close();
		await closed;
	}

	#setSpeed(bytesPerSecond) {
		this.#share = Math.ceil((bytesPerSecond * TICK_MS) / 1000);
	}
}
