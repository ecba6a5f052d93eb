import type { Client, ClientChannel } from 'ssh2';

import { abortError, BoincError, messageOf, throwIfAborted } from '../../common/errors.js';
import type { Log } from '../../common/ports.js';
import { ChannelQueue } from '../channelQueue.js';
import { launch, loginCommand } from '../quoting.js';
import type { ServerProcess, Spawner, SpawnOptions } from '../serverProcess.js';
import type { Dial } from '../shellConnection.js';
import { sshProcess } from './sshProcess.js';
import { windowFor } from './window.js';

const OPEN_MS = 20_000;
/** OpenSSH allows 10 by default; two are left for ending a command and for servers that count differently. */
const CHANNELS = 8;

type Opener = (callback: (error: Error | undefined, channel: ClientChannel) => void) => void;

/** Opens channels in one SSH connection: for commands, queued below what the server allows, and for streams. */
export class SshChannels implements Spawner {
	readonly #queue = new ChannelQueue(CHANNELS);
	#lost: string | undefined;
	/** Milliseconds that the line needs to and fro, at most: the shortest that was seen. */
	#roundTripMs = Number.POSITIVE_INFINITY;

	constructor(
		readonly client: Client,
		readonly name: string,
		readonly log: Log,
		readonly openMs = OPEN_MS,
	) {}

	/** The connection has ended: whoever waits learns it. */
	end(reason: string): void {
		this.#lost ??= reason;
		this.#queue.dissolve();
	}

	async spawn(script: string, options: SpawnOptions = {}): Promise<ServerProcess> {
		const { words, preface } = launch(script);
		const command = loginCommand(words);
		const opener: Opener = (callback) => this.client.exec(command, callback);
		const urgent = options.priority === 'urgent';
		for (;;) {
			throwIfAborted(options.signal);
			if (!urgent) {
				await this.#queue.acquire(options.signal);
			}
			const asked = performance.now();
			try {
				return await this.#open(opener, options.signal, (channel) => {
					// To open a channel and to start a command is a question each.
					this.#roundTripMs = Math.min(this.#roundTripMs, (performance.now() - asked) / 2);
					if (!urgent) {
						channel.once('close', () => this.#queue.release());
					}
					const process = sshProcess(channel, () => this.#lost, windowFor(this.#roundTripMs));
					if (preface !== undefined) {
						channel.write(preface);
					}
					return process;
				});
			} catch (error) {
				if (urgent) {
					throw error;
				}
				if (!isRefusal(error) || this.#lost !== undefined) {
					this.#queue.release();
					throw error;
				}
				if (this.#queue.refused() === 'hopeless') {
					throw new BoincError('channel-refused', `${this.name} does not allow to run commands: ${messageOf(error)}.`, {
						remedy: 'Ask the administrator of the server for shell access of this account.',
						cause: error,
					});
				}
				this.log.debug(`${this.name} refused a channel; using at most ${this.#queue.limit} at once`);
			}
		}
	}

	readonly dial: Dial = async (address, signal) => {
		const where = 'socket' in address ? address.socket : `${address.host}:${String(address.port)}`;
		const opener: Opener =
			'socket' in address
				? (callback) => this.client.openssh_forwardOutStreamLocal(address.socket, callback)
				: (callback) => this.client.forwardOut('127.0.0.1', 0, address.host, address.port, callback);
		try {
			return await this.#open(opener, signal, (channel) => channel.on('error', () => undefined));
		} catch (error) {
			if (!isRefusal(error)) {
				throw error;
			}
			const forbidden = error.reason === 1;
			throw new BoincError(
				forbidden ? 'channel-refused' : 'server-unreachable',
				forbidden
					? `${this.name} does not allow to reach ${where} through SSH.`
					: `Nothing answers at ${where} on ${this.name}: ${messageOf(error)}.`,
				{
					remedy: forbidden
						? 'Ask the administrator of the server to allow forwarding (AllowTcpForwarding, AllowStreamLocalForwarding).'
						: 'Check that the service runs on the server, and its address.',
					detail: { address: where },
					cause: error,
				},
			);
		}
	};

	/**
	 * Opens a channel within the deadline. One that opens too late is closed at once. `adopt` is called before anything else of
	 * the channel is handled: the exit code may be in the same packet as the confirmation, and nobody would hear it later.
	 */
	#open<T>(opener: Opener, signal: AbortSignal | undefined, adopt: (channel: ClientChannel) => T): Promise<T> {
		if (signal?.aborted) {
			return Promise.reject(abortError());
		}
		if (this.#lost !== undefined) {
			return Promise.reject(this.lostError());
		}
		return new Promise((resolve, reject) => {
			let settled = false;
			const settle = (action: () => void): void => {
				if (!settled) {
					settled = true;
					clearTimeout(timer);
					signal?.removeEventListener('abort', onAbort);
					action();
				}
			};
			const onAbort = (): void => settle(() => reject(abortError()));
			const timer = setTimeout(() => settle(() => reject(this.#lateError())), this.openMs);
			signal?.addEventListener('abort', onAbort, { once: true });
			try {
				opener((error, channel) => {
					if (settled) {
						discard(channel);
						return;
					}
					settle(() => {
						if (error) {
							reject(this.#lost === undefined ? error : this.lostError());
						} else {
							resolve(adopt(channel));
						}
					});
				});
			} catch {
				settle(() => reject(this.lostError()));
			}
		});
	}

	lostError(): BoincError {
		return new BoincError('connection-lost', `The connection to ${this.name} has ended: ${this.#lost ?? 'it is closed'}.`, {
			remedy: 'Try again; the connection is opened anew.',
		});
	}

	#lateError(): BoincError {
		return new BoincError('timeout', `${this.name} did not open a channel within ${String(this.openMs / 1000)} s.`, {
			remedy: 'Look whether the server is overloaded, and try again.',
		});
	}
}

function discard(channel: ClientChannel | undefined): void {
	if (channel) {
		channel.on('error', () => undefined);
		channel.resume();
		channel.close();
	}
}

/** Whether the server said no to a channel; `reason` is the code of RFC 4254 §5.1. */
function isRefusal(error: unknown): error is Error & { reason: number } {
	return error instanceof Error && 'reason' in error && typeof error.reason === 'number';
}
