import { once } from 'node:events';
import type { Socket } from 'node:net';
import { userInfo } from 'node:os';

import type { Client } from 'ssh2';

import { abortError, BoincError, messageOf, throwIfAborted } from '../../common/errors.js';
import type { Log, Prompts, SecretStore } from '../../common/ports.js';
import type { Connection } from '../connection.js';
import { PausableDeadline } from '../deadline.js';
import { ShellConnection } from '../shellConnection.js';
import type { Target } from '../target.js';
import { Authentication } from './authentication.js';
import { checkHostKey } from './checkHostKey.js';
import { copiesInput } from './copiesInput.js';
import { gatherWrites } from './gatheredWrites.js';
import { defaultKnownHostsFiles, HostKeys } from './hostKeys.js';
import { defaultAgentSocket, findIdentities } from './identities.js';
import { KeyUnlocker } from './keyUnlocker.js';
import { connectWithLargeReads, type LargeReads } from './largeReads.js';
import { loadSsh2 } from './loadSsh2.js';
import { followReplies, type LoginReply } from './loginReplies.js';
import { lightenCipher } from './packetCipher.js';
import { SshChannels } from './sshChannels.js';

export interface SshPorts {
	readonly prompts: Prompts;
	readonly secrets: SecretStore;
	readonly log: Log;
	/** Our own `known_hosts`: host keys that the person accepted. */
	readonly trustFile: string;
	readonly signal?: AbortSignal;
	/** Private keys to try. Default: the usual names in `~/.ssh`. */
	readonly identityFiles?: readonly string[];
	/** Read besides the trust file. Default: OpenSSH's. */
	readonly knownHostsFiles?: readonly string[];
	/** Socket of the SSH agent; empty for none. Default: the one of this system. */
	readonly agentSocket?: string | undefined;
	/** Deadline for reaching the server and for logging in, questions to the person not counted. Default 30 s. */
	readonly connectMs?: number;
	/** Deadline for opening a channel. Default 20 s. */
	readonly channelMs?: number;
	/** Silence after which the server is asked for a sign of life; four unanswered ones end the connection. Default 15 s. */
	readonly keepaliveMs?: number;
}

const CONNECT_MS = 30_000;
const KEEPALIVE_MS = 15_000;
const CLOSE_MS = 2_000;

/** Connects and logs in. Rejects with `server-unreachable`, `timeout`, a host key error or `authentication-failed`. */
export async function connectSsh(target: Target & { kind: 'ssh' }, ports: SshPorts): Promise<Connection> {
	throwIfAborted(ports.signal);
	const port = target.port ?? 22;
	const user = target.user ?? userInfo().username;
	const host = target.host;
	const name = `${user}@${host.includes(':') ? `[${host}]` : host}${port === 22 ? '' : `:${String(port)}`}`;
	const hostKeys = await HostKeys.load(
		{ host, port },
		ports.knownHostsFiles ?? defaultKnownHostsFiles(),
		ports.trustFile,
		ports.log,
	);
	const ssh2 = await loadSsh2();
	const unlocker = new KeyUnlocker(ssh2, ports.prompts, ports.secrets, ports.log);
	const agent = ports.agentSocket ?? defaultAgentSocket();
	const authentication = new Authentication(
		ssh2,
		{ name, user, id: `${user}@${host}:${String(port)}` },
		{ ...ports, unlocker, findIdentities: () => findIdentities(ssh2, agent, ports.identityFiles, ports.log) },
	);
	const reads = await openSocket(host, port, name, ports);
	const { socket } = reads;
	const client = new ssh2.Client();
	const login = new Login(client, socket, name, ports, hostKeys, authentication);
	await login.run(user);
	reads.reuse(() => copiesInput(client));
	const channels = new SshChannels(client, name, ports.log, ports.channelMs);
	return established(client, socket, channels, ports.log);
}

async function openSocket(host: string, port: number, name: string, ports: SshPorts): Promise<LargeReads> {
	const timeoutMs = ports.connectMs ?? CONNECT_MS;
	const reads = connectWithLargeReads(host, port);
	const { socket } = reads;
	const limit = AbortSignal.timeout(timeoutMs);
	try {
		await once(socket, 'connect', { signal: ports.signal ? AbortSignal.any([ports.signal, limit]) : limit });
		socket.setNoDelay(true);
		gatherWrites(socket);
		return reads;
	} catch (cause) {
		socket.on('error', () => undefined);
		socket.destroy();
		if (ports.signal?.aborted) {
			throw abortError();
		}
		const why = limit.aborted ? `it did not answer within ${String(timeoutMs / 1000)} s` : reasonOf(cause);
		throw new BoincError('server-unreachable', `Could not reach ${name}: ${why}.`, {
			remedy: 'Check the address and the port, and that this computer is online (VPN, firewall).',
			detail: { host, port },
			cause,
		});
	}
}

class Login {
	/** Why it fails, known before the library says that it does. */
	#verdict: Error | undefined;
	/** Shown again whenever the two sides renew their session keys. */
	#hostKey: Buffer | undefined;

	constructor(
		readonly client: Client,
		readonly socket: Socket,
		readonly name: string,
		readonly ports: SshPorts,
		readonly hostKeys: HostKeys,
		readonly authentication: Authentication,
	) {}

	async run(user: string): Promise<void> {
		const { client, ports, authentication } = this;
		let fail: (error: Error) => void = () => undefined;
		const deadlineMs = ports.connectMs ?? CONNECT_MS;
		const deadline = new PausableDeadline(deadlineMs, () =>
			fail(
				new BoincError('timeout', `${this.name} did not let us log in within ${String(deadlineMs / 1000)} s.`, {
					remedy: 'Look whether the server is overloaded, and try again.',
				}),
			),
		);
		const onAbort = (): void => fail(abortError());
		ports.signal?.addEventListener('abort', onAbort, { once: true });
		try {
			throwIfAborted(ports.signal);
			await new Promise<void>((resolve, reject) => {
				fail = reject;
				client.once('ready', resolve);
				client.on('error', (error: Error & { level?: string }) => {
					if (error.level === 'agent') {
						ports.log.warn(`${this.name}: a key was not used: ${error.message}`);
					} else {
						reject(this.#explain(error));
					}
				});
				client.once('close', () => reject(this.#explain(new Error('the server closed the connection'))));
				client.once('change password', () =>
					reject(
						new BoincError('authentication-failed', `${this.name} wants a new password before anybody may log in.`, {
							remedy: 'Log in once in a terminal with ssh and change the password.',
						}),
					),
				);
				client.on('banner', (text: string) => ports.log.info(`${this.name} says: ${text.trim()}`));
				let replies: () => LoginReply | undefined = () => undefined;
				client.connect({
					sock: this.socket,
					username: user,
					readyTimeout: 0,
					keepaliveInterval: ports.keepaliveMs ?? KEEPALIVE_MS,
					keepaliveCountMax: 4,
					strictVendor: false,
					algorithms: { serverHostKey: this.hostKeys.algorithms(), compress: ['none'] },
					hostVerifier: (key: Buffer, verify: (valid: boolean) => void) => {
						if (this.#hostKey?.equals(key)) {
							verify(true);
							return;
						}
						const check = async (): Promise<void> => {
							await deadline.pausedFor(() => checkHostKey(this.name, this.hostKeys, key, ports));
							this.#hostKey = key;
						};
						this.#settle(
							check(),
							() => verify(true),
							() => verify(false),
						);
					},
					authHandler: (methods, partial, next) => {
						// Before the first attempt there is no list, whatever the types say.
						const reply = replies() ?? (Array.isArray(methods) ? { methods, partial } : { methods: [], partial: false });
						this.#settle(
							deadline.pausedFor(() => authentication.next(reply)),
							(attempt) => {
								if (attempt) {
									next(attempt);
								} else {
									reject(authentication.failure());
								}
							},
							() => client.end(),
						);
					},
				});
				replies = followReplies(client);
				lightenCipher(client);
			});
			await authentication.succeeded();
		} catch (error) {
			client.on('error', () => undefined);
			client.end();
			this.socket.destroy();
			throw error;
		} finally {
			deadline.cancel();
			ports.signal?.removeEventListener('abort', onAbort);
		}
	}

	/** Keeps the first own error as the reason for what the library will say afterwards. */
	#settle<T>(work: Promise<T>, onDone: (value: T) => void, onFailed: () => void): void {
		work.then(onDone).catch((error: unknown) => {
			this.#verdict ??= error instanceof Error ? error : new Error(messageOf(error));
			this.client.emit('error', this.#verdict);
			onFailed();
		});
	}

	#explain(error: Error & { level?: string }): Error {
		if (this.#verdict) {
			return this.#verdict;
		}
		if (error.level === 'client-authentication' || this.authentication.tries > 0) {
			return this.authentication.failure(error.level === 'client-authentication' ? undefined : error);
		}
		const why = error.level === 'handshake' ? `the two sides cannot agree: ${error.message}` : reasonOf(error);
		return new BoincError('server-unreachable', `Could not connect to ${this.name}: ${why}.`, {
			remedy: 'Check that an SSH server listens at this address and is not overloaded.',
			cause: error,
		});
	}
}

function established(client: Client, socket: Socket, channels: SshChannels, log: Log): Connection {
	const gone = new Promise<void>((resolve) => client.once('close', () => resolve()));
	client.on('error', (error) => {
		log.warn(`${channels.name}: ${error.message}`);
		channels.end(reasonOf(error));
	});
	client.once('end', () => channels.end('the server closed it'));
	client.once('close', () => channels.end('it was cut'));
	const close = async (): Promise<void> => {
		channels.end('it was closed');
		client.end();
		const timer = setTimeout(() => socket.destroy(), CLOSE_MS);
		await gone;
		clearTimeout(timer);
	};
	return new ShellConnection(channels, channels.dial, close, gone);
}

const REASONS: Readonly<Record<string, string>> = {
	ENOTFOUND: 'no computer with this name is known',
	EAI_AGAIN: 'its name cannot be looked up at the moment',
	ECONNREFUSED: 'nothing listens at this port',
	EHOSTUNREACH: 'no route leads there',
	ENETUNREACH: 'no route leads there',
	ETIMEDOUT: 'it does not answer',
	ECONNRESET: 'the connection was cut',
	EPIPE: 'the connection was cut',
};

function reasonOf(error: unknown): string {
	const code = error instanceof Error && 'code' in error ? String(error.code) : '';
	return REASONS[code] ?? messageOf(error);
}
