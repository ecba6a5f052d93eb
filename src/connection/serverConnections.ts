import { BoincError } from '../common/errors.js';
import { Emitter, type Event } from '../common/event.js';
import { connect, type ConnectPorts } from './connect.js';
import type { Connection } from './connection.js';
import type { LinkState } from './reconnect.js';
import { ServerLink } from './serverLink.js';
import { formatTarget, type Target } from './target.js';

/** A share in the connection to one server. */
export interface Lease {
	/** Stays usable across a loss: each operation uses the connection that is open then, or opens it again. */
	readonly connection: Connection;
	/** Gives the share back. Idempotent. */
	release(): void;
}

export interface LinkChange {
	/** The server as a target without a path. */
	readonly server: string;
	readonly state: LinkState;
}

export interface ServerConnectionsOptions {
	/** How long a connection that nobody needs stays open. Default 60 s. */
	readonly idleMs?: number;
	/** For tests: how to connect, and chance. */
	readonly open?: (target: Target, ports: ConnectPorts) => Promise<Connection>;
	readonly random?: () => number;
}

/** One connection for each server: opened on first need, shared, closed when idle, reopened when lost. */
export class ServerConnections {
	readonly #links = new Map<string, ServerLink>();
	readonly #changed = new Emitter<LinkChange>();
	#disposed = false;

	constructor(
		readonly ports: ConnectPorts,
		readonly options: ServerConnectionsOptions = {},
	) {}

	/** Fires whenever a connection is opened, lost, tried again or closed. */
	get onDidChange(): Event<LinkChange> {
		return this.#changed.event;
	}

	/**
	 * Connects, or shares the connection that is open or being opened. Rejects as `connect` does. Asking again after a
	 * refused login is a new try, with new questions to the person.
	 */
	async acquire(target: Target): Promise<Lease> {
		if (this.#disposed) {
			throw new BoincError('connection-lost', 'The connections to servers are closed.');
		}
		const server = formatTarget({ ...target, path: undefined });
		let link = this.#links.get(server);
		if (!link) {
			link = new ServerLink({
				name: server,
				open: () => (this.options.open ?? connect)(target, this.ports),
				clock: this.ports.clock,
				log: this.ports.log,
				idleMs: this.options.idleMs ?? 60_000,
				random: this.options.random ?? Math.random,
				onState: (state) => this.#changed.fire({ server, state }),
			});
			this.#links.set(server, link);
		}
		return await link.acquire();
	}

	/** Closes all connections, whoever uses them. */
	dispose(): void {
		this.#disposed = true;
		for (const link of this.#links.values()) {
			link.dispose();
		}
		this.#links.clear();
		this.#changed.dispose();
	}
}
