import { createServer } from 'node:net';

/** A loopback TCP port that nobody listens on: `preferred` when it is free, otherwise any. */
export async function freePort(preferred?: number): Promise<number> {
	if (preferred !== undefined && (await isFree(preferred))) {
		return preferred;
	}
	return listenOnce(0);
}

async function isFree(port: number): Promise<boolean> {
	try {
		await listenOnce(port);
		return true;
	} catch {
		return false;
	}
}

function listenOnce(port: number): Promise<number> {
	return new Promise((resolve, reject) => {
		const server = createServer();
		server.once('error', reject);
		server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
			const address = server.address();
			server.close(() => {
				if (address !== null && typeof address === 'object') {
					resolve(address.port);
				} else {
					reject(new Error('The system named no port.'));
				}
			});
		});
	});
}
