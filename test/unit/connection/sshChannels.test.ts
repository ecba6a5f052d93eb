import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { type Content, contentOfBytes } from '../../../src/common/content.js';
import { connect, type ConnectPorts } from '../../../src/connection/connect.js';
import type { Connection } from '../../../src/connection/connection.js';
import { sshPorts } from '../../support/sshPorts.js';
import { SshServer } from '../../support/sshServer.js';

let dir: string;
let server: SshServer;
let connection: Connection;
const open: Connection[] = [];
async function connected(more: Partial<ConnectPorts> = {}): Promise<Connection> {
	const made = await connect(
		{ kind: 'ssh', user: 'u', host: '127.0.0.1', port: server.port, path: undefined },
		sshPorts(join(dir, 'trust'), {}, more),
	);
	open.push(made);
	return made;
}
beforeEach(async () => {
	dir = await mkdtemp(join(tmpdir(), 'b2d-channels-'));
	server = await SshServer.start();
	connection = await connected();
});
afterEach(async () => {
	await Promise.all(open.splice(0).map((each) => each.close()));
	await server.stop();
	await rm(dir, { recursive: true, force: true });
});

describe('channels', () => {
	it('stay below the limit that servers usually have', async () => {
		const results = await Promise.all(Array.from({ length: 14 }, (_, n) => connection.exec(['echo', String(n)])));
		expect(results.map(({ stdout }) => stdout.toString().trim())).toEqual(Array.from({ length: 14 }, (_, n) => String(n)));
		expect(server.mostSessions).toBeLessThanOrEqual(8);
	});

	it('adapt to a server that allows fewer', async () => {
		server.behaviour.maxSessions = 2;
		const results = await Promise.all(Array.from({ length: 6 }, (_, n) => connection.exec(['echo', String(n)])));
		expect(results.every(({ code }) => code === 0)).toBe(true);
		expect(server.mostSessions).toBe(2);
	});

	it('say so when the server allows none', async () => {
		server.behaviour.maxSessions = 0;
		await expect(connection.exec(['true'])).rejects.toMatchObject({ code: 'channel-refused' });
	});

	it('have a deadline for being opened', async () => {
		const impatient = await connected({ channelMs: 100 });
		server.behaviour.channels = 'stall';
		await expect(impatient.exec(['true'])).rejects.toMatchObject({ code: 'timeout' });
	});

	it('can be cancelled while they wait to be opened', async () => {
		server.behaviour.channels = 'stall';
		const cancel = new AbortController();
		const waiting = connection.exec(['true'], { signal: cancel.signal });
		cancel.abort();
		await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
	});

	it('end with connection-lost when the line is cut, waiting ones too', async () => {
		server.behaviour.maxSessions = 1;
		let all: Promise<unknown>[] = [];
		await new Promise<void>((resolve) => {
			all = [
				connection.exec(['sh', '-c', 'echo on; exec sleep 60'], { onStdout: () => resolve() }),
				connection.exec(['true']),
				connection.exec(['true']),
			];
			all.forEach((each) => void each.catch(() => undefined));
		});
		server.drop();
		for (const each of all) {
			await expect(each).rejects.toMatchObject({ code: 'connection-lost' });
		}
		await connection.ended;
		await expect(connection.exec(['true'])).rejects.toMatchObject({ code: 'connection-lost' });
		await expect(connection.dial({ host: '127.0.0.1', port: 1 })).rejects.toMatchObject({ code: 'connection-lost' });
	});

	it('are all ended by close, which can be called twice', async () => {
		const running = connection.exec(['sh', '-c', 'echo on; exec sleep 60']);
		running.catch(() => undefined);
		await Promise.all([connection.close(), connection.close()]);
		await expect(running).rejects.toMatchObject({ code: 'connection-lost' });
		await connection.close();
	});
});

describe('dial', () => {
	it('reaches a port as seen from the server', async () => {
		const echo = createServer((socket) => socket.pipe(socket));
		await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
		const stream = await connection.dial({ host: '127.0.0.1', port: (echo.address() as AddressInfo).port });
		stream.write('ping');
		const [answer] = await new Promise<Buffer[]>((resolve) => stream.once('data', (...data) => resolve(data as Buffer[])));
		expect(answer!.toString()).toBe('ping');
		stream.destroy();
		await new Promise<void>((resolve) => echo.close(() => resolve()));
	});
});

describe('upload over a line that breaks', () => {
	/** Content that calls `at` when half of it has been read. */
	function breaking(bytes: Buffer, at: () => void): Content {
		const whole = contentOfBytes(bytes);
		return {
			...whole,
			open: async function* (offset) {
				let position = offset;
				while (position < bytes.length) {
					yield bytes.subarray(position, (position += 64 * 1024));
					if (position >= bytes.length / 2) {
						at();
						await new Promise(() => undefined);
					}
				}
			},
		};
	}

	it('leaves nothing under the final name, and the next try sends only the rest', async () => {
		const bytes = Buffer.alloc(3_000_000, 'abcdefg');
		const target = join(dir, 'pack.tar.gz');
		// The line breaks once a part is on the disk of the server.
		const cut = async (): Promise<void> => {
			for (;;) {
				const part = (await readdir(dir)).find((name) => name.endsWith('.part'));
				if (part !== undefined && (await stat(join(dir, part))).size > 500_000) {
					server.drop();
					return;
				}
				await new Promise((resolve) => setImmediate(resolve));
			}
		};
		await expect(
			connection.upload(
				breaking(bytes, () => void cut()),
				target,
			),
		).rejects.toMatchObject({ code: 'connection-lost' });
		await expect(stat(target)).rejects.toThrow();
		const again = await connected();
		const receipt = await again.upload(contentOfBytes(bytes), target);
		expect(receipt.resumedAt).toBeGreaterThan(0);
		expect(receipt.resumedAt + receipt.bytesSent).toBe(bytes.length);
		expect((await readFile(target)).equals(bytes)).toBe(true);
		expect((await readdir(dir)).filter((name) => name.includes('.part'))).toEqual([]);
	});
});

describe('download over a line that breaks', () => {
	it('leaves nothing under the final name, and the next try fetches only the rest', async () => {
		const bytes = createHash('sha512').update('x').digest();
		const source = join(dir, 'result');
		const big = Buffer.alloc(30_000_000, bytes);
		await writeFile(source, big);
		const target = join(dir, 'copy');
		const progress = {
			report: ({ current = 0 }: { current?: number }) => {
				if (current > 5_000_000) {
					server.drop();
				}
			},
		};
		await expect(connection.download(source, target, { progress })).rejects.toMatchObject({ code: 'connection-lost' });
		await expect(stat(target)).rejects.toThrow();
		const receipt = await (await connected()).download(source, target);
		expect(receipt.resumedAt).toBeGreaterThan(0);
		expect(receipt.resumedAt + receipt.bytesSent).toBe(big.length);
		expect((await readFile(target)).equals(big)).toBe(true);
		expect((await readdir(dir)).filter((name) => name.includes('.part'))).toEqual([]);
	});
});
