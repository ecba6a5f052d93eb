import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { AuthContext } from 'ssh2';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { SECRET_KEYS } from '../../../src/common/ids.js';
import { connect, type ConnectPorts } from '../../../src/connection/connect.js';
import type { Connection } from '../../../src/connection/connection.js';
import { fingerprint } from '../../../src/connection/ssh/hostKeys.js';
import { sshPorts } from '../../support/sshPorts.js';
import { makeKey, publicBlob, SshServer } from '../../support/sshServer.js';

let dir: string;
let server: SshServer;
const open: Connection[] = [];
beforeEach(async () => {
	dir = await mkdtemp(join(tmpdir(), 'b2d-ssh-'));
	server = await SshServer.start();
});
afterEach(async () => {
	await Promise.all(open.splice(0).map((connection) => connection.close()));
	await server.stop();
	await rm(dir, { recursive: true, force: true });
});

const trust = (): string => join(dir, 'trust', 'known_hosts');
async function connected(ports: ConnectPorts, port = server.port): Promise<Connection> {
	const connection = await connect({ kind: 'ssh', user: 'boincadm', host: '127.0.0.1', port, path: undefined }, ports);
	open.push(connection);
	return connection;
}
async function identity(name: string, passphrase?: string): Promise<{ file: string; blob: Buffer; fingerprint: string }> {
	const pair = makeKey(passphrase);
	const file = join(dir, name);
	await writeFile(file, pair.private, { mode: 0o600 });
	const blob = Buffer.from(pair.public.split(' ')[1] ?? '', 'base64');
	return { file, blob, fingerprint: fingerprint(blob) };
}
const serverId = (): string => `boincadm@127.0.0.1:${server.port}`;

describe('host keys', () => {
	it('asks with type and fingerprint at first contact, remembers, and does not ask again', async () => {
		const first = sshPorts(trust());
		await connected(first);
		expect(first.asked).toEqual([expect.stringContaining(`ED25519 ${fingerprint(publicBlob(server.hostKeys[0]!))}`)]);
		expect(await readFile(trust(), 'utf8')).toMatch(new RegExp(`^\\[127.0.0.1\\]:${server.port} ssh-ed25519 \\S+\\n$`));
		const second = sshPorts(trust());
		await connected(second);
		expect(second.asked).toEqual([]);
	});

	it('sends no credential and stores nothing when the person does not trust the key', async () => {
		server.behaviour.authenticate = () => ['password'];
		const ports = sshPorts(trust(), { confirm: 'no', secrets: ['pw'] });
		await expect(connected(ports)).rejects.toMatchObject({ code: 'host-key-unknown' });
		expect(server.attempts).toEqual([]);
		await expect(readFile(trust(), 'utf8')).rejects.toThrow();
	});

	it('refuses a changed key before any credential is sent and names file and line', async () => {
		await connected(sshPorts(trust()));
		server.hostKeys = [makeKey().private];
		server.behaviour.authenticate = () => ['password'];
		const ports = sshPorts(trust(), { secrets: ['pw'] });
		await expect(connected(ports)).rejects.toMatchObject({ code: 'host-key-changed', detail: { file: trust(), line: 1 } });
		expect(ports.asked).toEqual([]);
		expect(server.attempts).toEqual([]);
	});

	it('refuses a revoked key', async () => {
		const known = join(dir, 'known_hosts');
		await writeFile(known, `@revoked * ssh-ed25519 ${publicBlob(server.hostKeys[0]!).toString('base64')}\n`);
		await expect(connected(sshPorts(trust(), {}, { knownHostsFiles: [known] }))).rejects.toMatchObject({
			code: 'host-key-revoked',
			detail: { line: 1 },
		});
	});
});

describe('authentication', () => {
	const accepts =
		(...blobs: Buffer[]) =>
		(attempt: AuthContext) =>
			attempt.method === 'publickey' && blobs.some((blob) => blob.equals(attempt.key.data)) ? 'accept' : ['publickey'];

	it('tries key files in order and logs each with its fingerprint', async () => {
		const [wrong, right] = [await identity('one'), await identity('two')];
		server.behaviour.authenticate = accepts(right.blob);
		const ports = sshPorts(trust(), {}, { identityFiles: [wrong.file, right.file] });
		await connected(ports);
		expect(ports.logged.filter((text) => text.includes('offering'))).toEqual([
			expect.stringContaining(wrong.fingerprint),
			expect.stringContaining(right.fingerprint),
		]);
		expect(ports.logged.join()).toContain(`Logged in to boincadm@127.0.0.1:${server.port} with ${right.fingerprint}`);
	});

	it('says what the server accepts and what was refused', async () => {
		const keys = [await identity('one'), await identity('two')];
		server.behaviour.authenticate = () => ['publickey'];
		await expect(connected(sshPorts(trust(), {}, { identityFiles: keys.map(({ file }) => file) }))).rejects.toMatchObject({
			code: 'authentication-failed',
			message: expect.stringContaining('the server accepts publickey and refused 2 keys'),
		});
		await expect(connected(sshPorts(trust()))).rejects.toMatchObject({
			message: expect.stringContaining('there was nothing to try'),
		});
	});

	it('asks for a passphrase only when the server accepts the key, three times at most, and keeps the right one', async () => {
		const locked = await identity('locked', 'open sesame');
		const other = await identity('other', 'never asked for');
		server.behaviour.authenticate = accepts(locked.blob);
		const ports = sshPorts(trust(), { secrets: ['wrong', 'open sesame'] }, { identityFiles: [other.file, locked.file] });
		await connected(ports);
		expect(ports.asked.filter((text) => text.includes('Passphrase'))).toEqual([
			expect.stringContaining(locked.file),
			expect.stringContaining('Try again'),
		]);
		expect(await ports.secrets.get(SECRET_KEYS.passphrase(locked.fingerprint))).toBe('open sesame');
		const again = sshPorts(trust(), {}, { identityFiles: [locked.file], secrets: ports.secrets });
		await connected(again);
		expect(again.asked).toEqual([]);
	});

	it('leaves a key out after three wrong passphrases, and a stale stored passphrase is forgotten', async () => {
		const locked = await identity('locked', 'open sesame');
		server.behaviour.authenticate = accepts(locked.blob);
		const ports = sshPorts(trust(), { secrets: ['a', 'b', 'c', 'd'] }, { identityFiles: [locked.file] });
		await ports.secrets.set(SECRET_KEYS.passphrase(locked.fingerprint), 'old');
		await expect(connected(ports)).rejects.toMatchObject({ code: 'authentication-failed' });
		expect(ports.asked.filter((text) => text.includes('Passphrase'))).toHaveLength(3);
		expect(await ports.secrets.get(SECRET_KEYS.passphrase(locked.fingerprint))).toBeUndefined();
	});

	it('keeps a password only after it worked', async () => {
		server.behaviour.authenticate = (attempt) =>
			attempt.method === 'password' && attempt.password === 'right' ? 'accept' : ['password'];
		const ports = sshPorts(trust(), { secrets: ['wrong', 'right'] });
		await connected(ports);
		expect(await ports.secrets.get(SECRET_KEYS.password(serverId()))).toBe('right');
		const again = sshPorts(trust(), {}, { secrets: ports.secrets });
		await connected(again);
		expect(again.asked).toEqual([]);
	});

	it('forgets a stored password that is refused and asks', async () => {
		server.behaviour.authenticate = (attempt) =>
			attempt.method === 'password' && attempt.password === 'new' ? 'accept' : ['password'];
		const ports = sshPorts(trust(), { secrets: [undefined] });
		await ports.secrets.set(SECRET_KEYS.password(serverId()), 'old');
		await expect(connected(ports)).rejects.toMatchObject({ code: 'authentication-failed', detail: { declined: true } });
		expect(await ports.secrets.get(SECRET_KEYS.password(serverId()))).toBeUndefined();
		expect(server.attempts).toEqual(['password']);
	});

	it('answers keyboard-interactive: the password from the store, other questions from the person', async () => {
		const seen: string[][] = [];
		server.behaviour.authenticate = () => ['keyboard-interactive'];
		const ports = sshPorts(trust(), { secrets: ['pw'], texts: ['blue'] });
		server.ask = [
			{ prompt: 'Password: ', echo: false },
			{ prompt: 'Favourite colour? ', echo: true },
		];
		server.onAnswers = (answers) => {
			seen.push([...answers]);
			return answers.join() === 'pw,blue';
		};
		await connected(ports);
		expect(seen).toEqual([['pw', 'blue']]);
		expect(await ports.secrets.get(SECRET_KEYS.password(serverId()))).toBe('pw');
	});

	it('goes on after a part of success: a key and then a password', async () => {
		const key = await identity('one');
		server.behaviour.authenticate = (attempt) => {
			if (attempt.method === 'publickey') {
				return { partial: ['password'] };
			}
			return attempt.method === 'password' && attempt.password === 'pw' ? 'accept' : ['publickey'];
		};
		await connected(sshPorts(trust(), { secrets: ['pw'] }, { identityFiles: [key.file] }));
		expect(server.attempts).toEqual(['publickey', 'password']);
	});
});

describe('reaching the server', () => {
	it('says that nothing listens', async () => {
		const unused = createServer();
		await new Promise<void>((resolve) => unused.listen(0, '127.0.0.1', resolve));
		const address = unused.address();
		await new Promise<void>((resolve) => unused.close(() => resolve()));
		await expect(connected(sshPorts(trust()), (address as { port: number }).port)).rejects.toMatchObject({
			code: 'server-unreachable',
			message: expect.stringContaining('nothing listens at this port'),
		});
	});

	it('holds no small packet back: keys pressed and statements of a database go at once', async () => {
		const setNoDelay = vi.spyOn(Socket.prototype, 'setNoDelay');
		try {
			const connection = await connected(sshPorts(trust()));
			await connection.exec(['true']);
			const ours = setNoDelay.mock.contexts.flatMap((socket, call) =>
				(socket as Socket).remotePort === server.port ? setNoDelay.mock.calls[call] : [],
			);
			expect(ours).toEqual([true]);
		} finally {
			setNoDelay.mockRestore();
		}
	});

	it('gives up on a server that says nothing', async () => {
		server.behaviour.greeting = 'silent';
		await expect(connected(sshPorts(trust(), {}, { connectMs: 200 }))).rejects.toMatchObject({ code: 'timeout' });
	});

	it('says that the server closed the connection', async () => {
		server.behaviour.greeting = 'close';
		await expect(connected(sshPorts(trust()))).rejects.toMatchObject({ code: 'server-unreachable' });
	});

	it('can be cancelled while connecting and while the person is asked', async () => {
		await expect(connected(sshPorts(trust(), {}, { signal: AbortSignal.abort() }))).rejects.toMatchObject({ name: 'AbortError' });
		const cancel = new AbortController();
		const ports = sshPorts(trust(), {}, { signal: cancel.signal });
		const asking = connected({
			...ports,
			prompts: {
				...ports.prompts,
				confirm: () =>
					new Promise(() => {
						cancel.abort();
					}),
			},
		});
		await expect(asking).rejects.toMatchObject({ name: 'AbortError' });
	});

	it('does not count the time a person takes', async () => {
		const ports = sshPorts(trust(), {}, { connectMs: 700 });
		const slow = { ...ports.prompts, confirm: () => new Promise<boolean>((resolve) => setTimeout(() => resolve(true), 800)) };
		await connected({ ...ports, prompts: slow });
	});

	it('ends the connection when the server no longer gives a sign of life', async () => {
		const connection = await connected(sshPorts(trust(), {}, { keepaliveMs: 30 }));
		const running = connection.exec(['sh', '-c', 'exec sleep 60']);
		server.freeze();
		await expect(running).rejects.toMatchObject({ code: 'connection-lost' });
		await connection.ended;
	});
});
