import { type ChildProcess, spawn } from 'node:child_process';
import { type AddressInfo, connect, createServer, type Server as NetServer, type Socket } from 'node:net';
import type { Writable } from 'node:stream';

import ssh2, { type AuthContext, type Connection as Peer, type ParsedKey, type ServerChannel } from 'ssh2';

const EMPTY = Buffer.alloc(0);

/** How the in-process server misbehaves; everything can be changed while it runs. */
export interface SshServerBehaviour {
	/** Answers an attempt to log in: accept, the methods that may go on, or partial success with those that must. */
	authenticate: (attempt: AuthContext) => 'accept' | readonly string[] | { readonly partial: readonly string[] };
	/** Sessions at once in one connection; more are refused. */
	maxSessions: number;
	/** `stall` never answers a request for a channel. */
	channels: 'open' | 'stall';
	/** `silent` accepts the TCP connection and says nothing. */
	greeting: 'ssh' | 'silent' | 'close';
}

/** A small SSH server in this process. Commands run in `sh`; the host key can be changed between connections. */
export class SshServer {
	readonly behaviour: SshServerBehaviour = {
		authenticate: () => 'accept',
		maxSessions: 10,
		channels: 'open',
		greeting: 'ssh',
	};
	hostKeys: string[];
	/** Attempts to log in, `none` not counted. */
	readonly attempts: string[] = [];
	/** Questions of keyboard-interactive, and what is said to the answers. */
	ask: { prompt: string; echo: boolean }[] = [];
	onAnswers: (answers: readonly string[]) => boolean = () => true;
	mostSessions = 0;
	connections = 0;
	readonly #net: NetServer;
	readonly #sockets = new Set<Socket>();
	readonly #children = new Set<ChildProcess>();

	private constructor(hostKeys: string[]) {
		this.hostKeys = hostKeys;
		this.#net = createServer((socket) => this.#accept(socket));
	}

	static async start(hostKeys: string[] = [makeKey().private]): Promise<SshServer> {
		const server = new SshServer(hostKeys);
		await new Promise<void>((resolve) => server.#net.listen(0, '127.0.0.1', resolve));
		return server;
	}

	get port(): number {
		return (this.#net.address() as AddressInfo).port;
	}

	/** Cuts all connections, as a broken line does. */
	drop(): void {
		this.#sockets.forEach((socket) => socket.destroy());
	}

	/** Stops reading and answering without closing anything: a half-open connection. */
	freeze(): void {
		this.#sockets.forEach((socket) => {
			socket.removeAllListeners('data');
			socket.pause();
		});
	}

	async stop(): Promise<void> {
		this.drop();
		this.#children.forEach((child) => child.kill('SIGKILL'));
		await new Promise<void>((resolve) => this.#net.close(() => resolve()));
	}

	#accept(socket: Socket): void {
		this.connections++;
		this.#sockets.add(socket);
		socket.on('error', () => undefined);
		socket.once('close', () => this.#sockets.delete(socket));
		if (this.behaviour.greeting === 'silent') {
			return;
		}
		if (this.behaviour.greeting === 'close') {
			socket.destroy();
			return;
		}
		const server = new ssh2.Server({ hostKeys: this.hostKeys }, (peer) => this.#serve(peer));
		server.on('error', () => undefined);
		server.injectSocket(socket);
	}

	#serve(peer: Peer): void {
		let sessions = 0;
		peer.on('error', () => undefined);
		peer.on('authentication', (attempt) => {
			if (attempt.method === 'none') {
				const answer = this.behaviour.authenticate(attempt);
				if (answer === 'accept') {
					attempt.accept();
				} else {
					attempt.reject([...methodsOf(answer)] as never);
				}
				return;
			}
			if (attempt.method === 'publickey' && attempt.signature === undefined) {
				const answer = this.behaviour.authenticate(attempt);
				if (answer === 'accept' || 'partial' in answer) {
					attempt.accept();
				} else {
					this.attempts.push('publickey');
					attempt.reject([...answer] as never);
				}
				return;
			}
			this.attempts.push(attempt.method);
			if (attempt.method === 'keyboard-interactive') {
				attempt.prompt(this.ask, (answers) => {
					if (this.onAnswers(answers)) {
						attempt.accept();
					} else {
						attempt.reject(['keyboard-interactive']);
					}
				});
				return;
			}
			const answer = this.behaviour.authenticate(attempt);
			if (answer === 'accept') {
				attempt.accept();
			} else if ('partial' in answer) {
				attempt.reject([...answer.partial] as never, true);
			} else {
				attempt.reject([...answer] as never);
			}
		});
		peer.on('session', (accept, reject) => {
			if (this.behaviour.channels === 'stall') {
				return;
			}
			if (sessions >= this.behaviour.maxSessions) {
				reject();
				return;
			}
			sessions++;
			this.mostSessions = Math.max(this.mostSessions, sessions);
			const session = accept();
			session.on('close', () => sessions--);
			session.on('signal', (acceptSignal) => acceptSignal());
			session.on('exec', (acceptExec, _rejectExec, { command }) => this.#exec(acceptExec(), command));
		});
		peer.on('tcpip', (accept, reject, { destIP, destPort }) => {
			const target = connect(destPort, destIP);
			target.once('error', () => reject());
			target.once('connect', () => {
				const channel = accept();
				channel.pipe(target).pipe(channel);
				target.on('error', () => channel.close());
			});
		});
	}

	#exec(channel: ServerChannel, command: string): void {
		const child = spawn('sh', ['-c', command], { detached: true });
		this.#children.add(child);
		channel.on('error', () => undefined);
		child.stdin.on('error', () => undefined);
		channel.pipe(child.stdin);
		child.stdout.pipe(channel, { end: false });
		const said: Buffer[] = [];
		child.stderr.on('data', (chunk: Buffer) => said.push(chunk));
		// The ends of the pipes are the end of the command, as with a real server whose connection is cut.
		channel.on('close', () => {
			child.stdin.destroy();
			child.stdout.destroy();
			child.stderr.destroy();
		});
		child.once('close', (code, signal) => {
			this.#children.delete(child);
			// Closing a channel drops what still waits for the other side's window, and the library forgets what was said on standard
			// error while output waited for it.
			void written(channel, EMPTY)
				.then(() => written(channel.stderr, Buffer.concat(said)))
				.then(() => {
					if (signal === null) {
						channel.exit(code ?? 255);
					} else {
						channel.exit(signal.replace(/^SIG/, '') as never, false, '');
					}
					channel.end();
					channel.close();
				});
		});
	}
}

/** Resolves once these bytes, and all that were written before, have been sent or cannot be. */
const written = (stream: Writable, bytes: Buffer): Promise<void> =>
	new Promise((resolve) => void stream.write(bytes, () => resolve()));

/** A new ed25519 key pair in OpenSSH's format. Now and then ssh2 makes one that it cannot read itself; then another. */
export function makeKey(passphrase?: string): { private: string; public: string } {
	for (;;) {
		const pair = ssh2.utils.generateKeyPairSync(
			'ed25519',
			passphrase === undefined ? {} : { passphrase, cipher: 'aes256-ctr', rounds: 1 },
		);
		if (!(ssh2.utils.parseKey(pair.private, passphrase) instanceof Error)) {
			return pair;
		}
	}
}

export function publicBlob(privateKey: string): Buffer {
	return (ssh2.utils.parseKey(privateKey) as ParsedKey).getPublicSSH();
}

const methodsOf = (answer: readonly string[] | { readonly partial: readonly string[] }): readonly string[] =>
	'partial' in answer ? answer.partial : answer;
