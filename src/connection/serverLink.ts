import { BoincError, isAbort, messageOf } from '../common/errors.js';
import type { Clock, Log } from '../common/ports.js';
import type { Connection } from './connection.js';
import { idle, type LinkEvent, type LinkState, reduceLink } from './reconnect.js';

export interface LinkPorts {
	/** The server, for messages. */
	readonly name: string;
	readonly open: () => Promise<Connection>;
	readonly clock: Clock;
	readonly log: Log;
	readonly idleMs: number;
	readonly random: () => number;
	readonly onState: (state: LinkState) => void;
}

/** The shared connection to one server: carries out what the reducer of `reconnect.ts` decides. */
export class ServerLink {
	#state: LinkState = idle;
	#users = 0;
	#connection: Connection | undefined;
	#opening: Promise<Connection> | undefined;
	#lastError: unknown;
	/** Ends the timer of the present state. */
	#timer = new AbortController();
	/** What users hold: it outlives single connections. */
	readonly #facade: Connection;

	constructor(readonly ports: LinkPorts) {
		this.#facade = {
			name: ports.name,
			exec: async (argv, options) => (await this.#usable()).exec(argv, options),
			dial: async (address, signal) => (await this.#usable()).dial(address, signal),
			upload: async (source, path, options) => (await this.#usable()).upload(source, path, options),
			download: async (path, target, options) => (await this.#usable()).download(path, target, options),
			// Shared: whoever is done releases the lease.
			close: () => Promise.resolve(),
		};
	}

	async acquire(): Promise<{ connection: Connection; release(): void }> {
		this.#users++;
		this.#timer.abort();
		let released = false;
		const release = (): void => {
			if (!released) {
				released = true;
				this.#release();
			}
		};
		try {
			await this.#connected();
		} catch (error) {
			release();
			throw error;
		}
		return { connection: this.#facade, release };
	}

	dispose(): void {
		this.#apply({ kind: 'dispose' });
		this.#drop();
	}

	/** The open connection for an operation; does not ask the person anything that was answered before. */
	async #usable(): Promise<Connection> {
		if (this.#state.kind === 'stopped' || this.#state.kind === 'waiting') {
			throw this.#lastError instanceof Error ? this.#lastError : this.#lostError();
		}
		return await this.#connected();
	}

	#connected(): Promise<Connection> {
		if (this.#state.kind === 'disposed') {
			return Promise.reject(this.#lostError());
		}
		if (this.#connection) {
			return Promise.resolve(this.#connection);
		}
		if (!this.#opening) {
			this.#apply({ kind: 'wanted' });
			this.#open();
		}
		return this.#opening ?? Promise.reject(this.#lostError());
	}

	#open(): void {
		this.#opening = this.ports.open().then(
			(connection) => this.#opened(connection),
			(error: unknown) => {
				this.#opening = undefined;
				this.#lastError = error;
				this.#apply({ kind: 'failed', code: codeOf(error), random: this.ports.random(), needed: this.#needed() });
				this.#schedule();
				throw error;
			},
		);
		// Those who wait hear of it; in the background nobody may be waiting.
		this.#opening.catch((error: unknown) => {
			if (!isAbort(error)) {
				this.ports.log.debug(`${this.ports.name}: ${messageOf(error)}`);
			}
		});
	}

	async #opened(connection: Connection): Promise<Connection> {
		this.#opening = undefined;
		if (this.#state.kind === 'disposed') {
			await connection.close();
			throw this.#lostError();
		}
		this.#connection = connection;
		this.#lastError = undefined;
		this.#apply({ kind: 'opened' });
		void connection.ended?.then(() => this.#lost(connection));
		if (this.#users === 0) {
			this.#schedule();
		}
		return connection;
	}

	#lost(connection: Connection): void {
		if (this.#connection !== connection) {
			return;
		}
		this.#connection = undefined;
		this.#lastError = this.#lostError();
		this.ports.log.warn(`The connection to ${this.ports.name} was lost.`);
		this.#apply({ kind: 'lost', random: this.ports.random(), needed: this.#needed() });
		this.#schedule();
	}

	#release(): void {
		this.#users--;
		if (this.#users === 0) {
			this.#schedule();
		}
	}

	/** Starts the timer that the state asks for. */
	#schedule(): void {
		this.#timer.abort();
		this.#timer = new AbortController();
		const state = this.#state;
		if (state.kind === 'waiting' && this.#users > 0) {
			this.#after(state.delayMs, () => {
				this.#apply({ kind: 'due' });
				this.#open();
			});
		} else if (this.#users === 0 && (state.kind === 'connected' || state.kind === 'waiting')) {
			this.#after(state.kind === 'connected' ? this.ports.idleMs : 0, () => {
				this.#apply({ kind: 'unneeded' });
				this.#drop();
			});
		}
	}

	#after(ms: number, action: () => void): void {
		this.ports.clock.sleep(ms, this.#timer.signal).then(action, () => undefined);
	}

	#drop(): void {
		this.#timer.abort();
		const connection = this.#connection;
		this.#connection = undefined;
		connection?.close().catch((error: unknown) => this.ports.log.debug(`${this.ports.name}: ${messageOf(error)}`));
	}

	#apply(event: LinkEvent): void {
		const next = reduceLink(this.#state, event);
		if (next !== this.#state) {
			this.#state = next;
			this.ports.onState(next);
		}
	}

	#needed(): 'yes' | 'no' {
		return this.#users > 0 ? 'yes' : 'no';
	}

	#lostError(): BoincError {
		return new BoincError('connection-lost', `The connection to ${this.ports.name} was lost.`, {
			remedy: 'It is opened again by itself; try again in a moment.',
		});
	}
}

const codeOf = (error: unknown): BoincError['code'] | undefined => (BoincError.is(error) ? error.code : undefined);
