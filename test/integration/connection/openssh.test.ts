import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { type Content, contentOfBytes, contentOfFile } from '../../../src/common/content.js';
import { connect, type ConnectPorts } from '../../../src/connection/connect.js';
import type { Connection } from '../../../src/connection/connection.js';
import { prefixed } from '../../../src/connection/prefixed.js';
import { upload } from '../../../src/connection/upload.js';
import { type Sshd, startSshd } from '../../../src/sandbox/sshd.js';
import { sshPorts } from '../../support/sshPorts.js';

let dir: string;
let sshd: Sshd;
let connection: Connection;
const open: Connection[] = [];

async function connected(server: Sshd = sshd, more: Partial<ConnectPorts> = {}): Promise<Connection> {
	const made = await connect(
		{ kind: 'ssh', user: server.user, host: '127.0.0.1', port: server.port, path: undefined },
		sshPorts(
			join(dir, 'trust'),
			{ confirm: 'no' },
			{ identityFiles: [server.userKeyFile], knownHostsFiles: [server.knownHostsFile], ...more },
		),
	);
	open.push(made);
	return made;
}

beforeAll(async () => {
	dir = await mkdtemp(join(tmpdir(), 'b2d-openssh-'));
	// Shells find no settings of the account, which could take longer than the commands.
	sshd = await startSshd({ dir: join(dir, 'sshd'), config: [`SetEnv HOME=${dir}`] });
	connection = await connected();
});
afterAll(async () => {
	await Promise.all(open.map((each) => each.close()));
	await sshd.stop();
	await rm(dir, { recursive: true, force: true });
});

/** The server's processes of all connections: killing them is what a crash or a lost line does. */
async function sessions(): Promise<number[]> {
	const found: number[] = [];
	for (const pid of await sshd.descendants()) {
		if ((await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).startsWith('sshd')) {
			found.push(pid);
		}
	}
	return found;
}

function kill(pids: readonly number[]): void {
	for (const pid of pids) {
		try {
			process.kill(pid, 'SIGKILL');
		} catch {
			// Its parent was killed before it.
		}
	}
}

const partsIn = async (folder: string): Promise<string[]> => (await readdir(folder)).filter((name) => name.includes('.part'));

describe('commands', () => {
	it('give output, error output, code and signal', async () => {
		const { stdout, stderr, code } = await connection.exec(['sh', '-c', 'cat; echo err >&2; exit 9'], { stdin: 'in' });
		expect([stdout.toString(), stderr.toString(), code]).toEqual(['in', 'err\n', 9]);
		expect((await connection.exec(['sh', '-c', 'kill -KILL $$'])).code).toBe(137);
	});

	it('take large input and give large output unharmed', async () => {
		const bytes = randomBytes(5_000_000);
		const { stdout } = await connection.exec(['cat'], { stdin: bytes });
		expect(stdout.equals(bytes)).toBe(true);
	});

	it('run many at once through few channels', async () => {
		const narrow = await startSshd({ dir: join(dir, 'narrow'), maxSessions: 2 });
		try {
			const through = await connected(narrow);
			const results = await Promise.all(Array.from({ length: 10 }, (_, n) => through.exec(['echo', String(n)])));
			expect(results.map(({ stdout }) => stdout.toString())).toEqual(Array.from({ length: 10 }, (_, n) => `${n}\n`));
			await through.close();
		} finally {
			await narrow.stop();
		}
	});

	it('are really ended when cancelled, with their children', async () => {
		const cancel = new AbortController();
		let done: Promise<unknown> = Promise.resolve();
		const pid = await new Promise<number>((resolve) => {
			done = connection.exec(['sh', '-c', 'trap "" TERM; sleep 1000 & echo $!; wait'], {
				signal: cancel.signal,
				onStdout: (bytes) => resolve(Number(Buffer.from(bytes).toString())),
			});
			done.catch(() => undefined);
		});
		cancel.abort();
		await expect(done).rejects.toMatchObject({ name: 'AbortError' });
		const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z');
		expect(status.slice(status.lastIndexOf(')') + 2)[0]).toBe('Z');
	});

	it('reject when the server dies', async () => {
		const doomed = await startSshd({ dir: join(dir, 'doomed') });
		const through = await connected(doomed);
		let running: Promise<unknown> = Promise.resolve();
		await new Promise<void>((resolve) => {
			running = through.exec(['sh', '-c', 'trap "" TERM; echo up; exec sleep 1000'], { onStdout: () => resolve() });
			running.catch(() => undefined);
		});
		// The command outlives the session, so nobody can tell how it ended.
		await doomed.stop();
		await expect(running).rejects.toMatchObject({ code: 'connection-lost' });
		await through.ended;
	});
});

describe('dial', () => {
	it('reaches ports and UNIX sockets of the server', async () => {
		const socket = join(dir, 'echo.sock');
		for (const where of [socket, 0]) {
			const echo = createServer((peer) => peer.pipe(peer));
			await new Promise<void>((resolve) =>
				typeof where === 'string' ? echo.listen(where, resolve) : echo.listen(where, '127.0.0.1', resolve),
			);
			const address = echo.address();
			const stream = await connection.dial(
				typeof address === 'string' || address === null ? { socket } : { host: '127.0.0.1', port: address.port },
			);
			const bytes = randomBytes(300_000);
			stream.end(bytes);
			const chunks: Buffer[] = [];
			for await (const chunk of stream) {
				chunks.push(chunk as Buffer);
			}
			expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
			await new Promise<void>((resolve) => echo.close(() => resolve()));
		}
		await expect(connection.dial({ socket: join(dir, 'absent.sock') })).rejects.toMatchObject({ code: 'server-unreachable' });
		await expect(connection.dial({ host: '127.0.0.1', port: 1 })).rejects.toMatchObject({ code: 'server-unreachable' });
	});

	it('says that the server forbids it', async () => {
		const strict = await startSshd({ dir: join(dir, 'strict'), config: ['AllowTcpForwarding no'] });
		try {
			const through = await connected(strict);
			await expect(through.dial({ host: '127.0.0.1', port: 1 })).rejects.toMatchObject({ code: 'channel-refused' });
			await through.close();
		} finally {
			await strict.stop();
		}
	});
});

describe('uploads', () => {
	it('arrive whole, with mode, and leave nothing else', async () => {
		const folder = await mkdtemp(join(dir, 'up-'));
		const bytes = randomBytes(3_000_000);
		await connection.upload(contentOfBytes(bytes), join(folder, 'file'), { mode: 0o600 });
		expect((await readFile(join(folder, 'file'))).equals(bytes)).toBe(true);
		expect((await stat(join(folder, 'file'))).mode & 0o777).toBe(0o600);
		expect(await readdir(folder)).toEqual(['file']);
	});

	it('resume after the server process of the connection was killed in the middle', async () => {
		const folder = await mkdtemp(join(dir, 'cut-'));
		const target = join(folder, 'pack');
		const bytes = randomBytes(20_000_000);
		const whole = contentOfBytes(bytes);
		const arrived = async (): Promise<boolean> => {
			const [part] = (await partsIn(folder)).filter((name) => name.endsWith('.part'));
			return part !== undefined && (await stat(join(folder, part))).size > 4_000_000;
		};
		const halting: Content = {
			...whole,
			open: async function* (offset) {
				yield bytes.subarray(offset, 8_000_000);
				await vi.waitUntil(arrived, { timeout: 60_000 });
				kill(await sessions());
				await new Promise(() => undefined);
			},
		};
		const through = await connected();
		await expect(through.upload(halting, target)).rejects.toMatchObject({ code: 'connection-lost' });
		await expect(stat(target)).rejects.toThrow();
		connection = await connected();
		const receipt = await connection.upload(whole, target);
		expect(receipt.resumedAt).toBeGreaterThan(4_000_000);
		expect(receipt.bytesSent).toBe(bytes.length - receipt.resumedAt);
		expect((await readFile(target)).equals(bytes)).toBe(true);
		expect(await readdir(folder)).toEqual(['pack']);
	});

	it('of the same file at the same time do not spoil each other', async () => {
		const folder = await mkdtemp(join(dir, 'both-'));
		const bytes = randomBytes(6_000_000);
		const other = await connected();
		await Promise.all([connection, other, connection].map((each) => each.upload(contentOfBytes(bytes), join(folder, 'file'))));
		expect((await readFile(join(folder, 'file'))).equals(bytes)).toBe(true);
		expect(await readdir(folder)).toEqual(['file']);
	});

	it('say that the disk is full, and leave nothing', async () => {
		const { folder, release } = await smallDisk();
		try {
			await expect(connection.upload(contentOfBytes(randomBytes(8_000_000)), join(folder, 'file'))).rejects.toMatchObject({
				code: 'disk-full',
				remedy: expect.stringContaining('Free some space'),
			});
			expect(await readdir(folder)).toEqual([]);
			await connection.upload(contentOfBytes(randomBytes(100_000)), join(folder, 'file'));
		} finally {
			await release();
		}
	});

	/** As on a server without Python. */
	const withoutPython = (): Pick<Connection, 'upload'> => {
		const server: Pick<Connection, 'name' | 'exec'> = {
			name: connection.name,
			exec: ([program, ...args], options) =>
				connection.exec([program, ...args.map((word) => word.replaceAll('/usr/bin/python3', '/absent/python3'))], options),
		};
		return { upload: (...args) => upload(server, ...args) };
	};

	it.each([
		['Python', () => connection],
		['other programs', withoutPython],
	])('that take long are hashed with %s while they arrive, resumed ones and damaged ones too', async (_, open) => {
		const server = open();
		const folder = await mkdtemp(join(dir, 'slow-'));
		const bytes = randomBytes(50_000_000);
		const whole = contentOfBytes(bytes);
		const slowly = (from: Buffer): Content => ({
			...whole,
			open: async function* (offset) {
				yield from.subarray(offset, offset + 5_000_000);
				await sleep(2_500);
				yield from.subarray(offset + 5_000_000);
			},
		});
		await server.upload(slowly(bytes), join(folder, 'new'), { mode: 0o640 });
		expect((await stat(join(folder, 'new'))).mode & 0o777).toBe(0o640);
		expect((await readFile(join(folder, 'new'))).equals(bytes)).toBe(true);
		const cut: Content = {
			...whole,
			open: async function* () {
				yield bytes.subarray(0, 6_000_000);
				await Promise.resolve();
				throw new Error('cut');
			},
		};
		await expect(server.upload(cut, join(folder, 'resumed'))).rejects.toThrow('cut');
		const receipt = await server.upload(slowly(bytes), join(folder, 'resumed'));
		expect(receipt.bytesSent).toBe(bytes.length - receipt.resumedAt);
		expect((await readFile(join(folder, 'resumed'))).equals(bytes)).toBe(true);
		const damaged = Buffer.from(bytes);
		damaged[30_000_000] = (damaged[30_000_000] ?? 0) ^ 1;
		await expect(server.upload(slowly(damaged), join(folder, 'damaged'))).rejects.toMatchObject({ code: 'transfer-corrupt' });
		expect((await readdir(folder)).sort()).toEqual(['new', 'resumed']);
	});

	it.each([
		['Python', () => connection],
		['other programs', withoutPython],
	])('say that the disk is full as soon as it is, also large ones with %s', async (_, open) => {
		const { folder, release } = await smallDisk();
		try {
			const endless: Content = {
				...contentOfBytes('x'),
				size: 50_000_000,
				open: async function* () {
					for (let sent = 0; sent < 20; sent++) {
						yield randomBytes(1_000_000);
						await Promise.resolve();
					}
					await new Promise(() => undefined);
				},
			};
			await expect(open().upload(endless, join(folder, 'file'))).rejects.toMatchObject({ code: 'disk-full' });
			expect(await readdir(folder)).toEqual([]);
		} finally {
			await release();
		}
	});

	it('say that the folder is not theirs', async () => {
		const folder = await mkdtemp(join(dir, 'closed-'));
		const through = userInfo().uid === 0 ? asNobody() : connection;
		await chmod(dir, 0o755);
		await chmod(folder, 0o555);
		await expect(through.upload(contentOfBytes('x'), join(folder, 'file'))).rejects.toMatchObject({ code: 'permission-denied' });
		await writeFile(join(folder, 'secret'), 'x', { mode: 0o000 });
		await expect(through.download(join(folder, 'secret'), join(dir, 'copy'))).rejects.toMatchObject({
			code: 'permission-denied',
		});
		expect(await readdir(folder)).toEqual(['secret']);
	});
});

describe('downloads', () => {
	it('resume after the server process of the connection was killed in the middle', async () => {
		const folder = await mkdtemp(join(dir, 'down-'));
		const bytes = randomBytes(60_000_000);
		await writeFile(join(folder, 'source'), bytes);
		const through = await connected();
		const victims = await sessions();
		const progress = {
			report: ({ current = 0 }: { current?: number }) => {
				if (current > 4_000_000) {
					kill(victims.splice(0));
				}
			},
		};
		await expect(through.download(join(folder, 'source'), join(folder, 'copy'), { progress })).rejects.toMatchObject({
			code: 'connection-lost',
		});
		await expect(stat(join(folder, 'copy'))).rejects.toThrow();
		connection = await connected();
		const receipt = await connection.download(join(folder, 'source'), join(folder, 'copy'));
		expect(receipt.resumedAt).toBeGreaterThan(0);
		expect((await readFile(join(folder, 'copy'))).equals(bytes)).toBe(true);
		expect((await readdir(folder)).sort()).toEqual(['copy', 'source']);
	});

	it('are verified against what the server has', async () => {
		const content = await contentOfFile(sshd.logFile);
		await copyFile(sshd.logFile, join(dir, 'log'));
		await connection.download(join(dir, 'log'), join(dir, 'log.copy'));
		expect((await readFile(join(dir, 'log.copy'))).length).toBeGreaterThanOrEqual(content.size);
	});
});

describe('logging in', () => {
	it('refuses a key that the server does not know, naming what it accepts', async () => {
		const stranger = join(dir, 'stranger');
		execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', stranger]);
		await expect(connected(sshd, { identityFiles: [stranger] })).rejects.toMatchObject({
			code: 'authentication-failed',
			message: expect.stringContaining('accepts publickey and refused 1 key'),
		});
	});

	it.each(['ed25519', 'ecdsa', 'rsa'])('works with an encrypted %s key made by ssh-keygen', async (type) => {
		const file = join(dir, `locked-${type}`);
		execFileSync('ssh-keygen', ['-q', '-t', type, '-N', 'pass phrase', '-a', '1', '-f', file]);
		await writeFile(
			sshd.authorizedKeysFile,
			`${await readFile(sshd.authorizedKeysFile, 'utf8')}${await readFile(`${file}.pub`, 'utf8')}`,
		);
		await rm(`${file}.pub`);
		const ports = sshPorts(
			join(dir, 'trust'),
			{ secrets: ['wrong', 'pass phrase'] },
			{ identityFiles: [file], knownHostsFiles: [sshd.knownHostsFile] },
		);
		const made = await connect({ kind: 'ssh', user: sshd.user, host: '127.0.0.1', port: sshd.port, path: undefined }, ports);
		open.push(made);
		expect((await made.exec(['echo', 'in'])).stdout.toString()).toBe('in\n');
		expect(ports.asked).toHaveLength(2);
	});

	it('uses the keys of an agent', async () => {
		const socket = join(dir, 'agent.sock');
		const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
		try {
			await vi.waitUntil(() => stat(socket).catch(() => undefined), { timeout: 10_000 });
			execFileSync('ssh-add', ['-q', sshd.userKeyFile], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
			const through = await connected(sshd, { identityFiles: [], agentSocket: socket });
			expect((await through.exec(['echo', 'in'])).stdout.toString()).toBe('in\n');
		} finally {
			agent.kill();
		}
	});

	it('knows a server by any one of its keys, and refuses it when that key has changed', async () => {
		const several = await startSshd({ dir: join(dir, 'several'), hostKeyTypes: ['ed25519', 'ecdsa', 'rsa'] });
		try {
			const lines = (await readFile(several.knownHostsFile, 'utf8')).split('\n');
			for (const type of ['ssh-rsa', 'ecdsa-sha2-nistp256', 'ssh-ed25519']) {
				const known = join(dir, `known-${type}`);
				await writeFile(known, `${lines.find((line) => line.includes(type)) ?? ''}\n`);
				execFileSync('ssh-keygen', ['-q', '-H', '-f', known], { stdio: 'ignore' });
				const made = await connected(several, { knownHostsFiles: [known] });
				await made.close();
			}
			const other = join(dir, 'known-other');
			const key = (await readFile(`${sshd.hostKeyFile}.pub`, 'utf8')).split(' ').slice(0, 2).join(' ');
			await writeFile(other, `# comment\n[127.0.0.1]:${several.port} ${key}\n`);
			await expect(connected(several, { knownHostsFiles: [other] })).rejects.toMatchObject({
				code: 'host-key-changed',
				detail: { file: other, line: 2 },
			});
			expect(await readFile(several.logFile, 'utf8')).not.toMatch(/(Failed|Accepted) publickey[^\n]*\n[^\n]*$/);
		} finally {
			await several.stop();
		}
	});
});

/** The same server as an account without rights. */
const asNobody = (): Connection => prefixed(connection, ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--']);

/** A folder on a file system of 2 MiB. */
async function smallDisk(): Promise<{ folder: string; release: () => Promise<void> }> {
	const folder = join(dir, 'small');
	await mkdir(folder);
	execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder]);
	return {
		folder,
		release: async () => {
			execFileSync('umount', [folder]);
			await rm(folder, { recursive: true });
		},
	};
}
