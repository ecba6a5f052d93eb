import { messageOf } from '../../common/errors.js';
import { connect, type ConnectPorts } from '../../connection/connect.js';
import type { Connection } from '../../connection/connection.js';
import { formatTarget, type Target } from '../../connection/target.js';

/** The right to use a connection until it is released. */
export interface Lease {
	readonly connection: Connection;
	release(): void;
}

interface Shared {
	readonly opening: Promise<Connection>;
	users: number;
}

/** One connection for each server, shared by all who use it and closed with the last of them. */
export class ConnectionPool {
	readonly #ports: ConnectPorts;
	readonly #shared = new Map<string, Shared>();

	constructor(ports: ConnectPorts) {
		this.#ports = ports;
	}

	async acquire(target: Target): Promise<Lease> {
		const key = formatTarget({ ...target, path: undefined });
		const shared = this.#shared.get(key) ?? { opening: connect(target, this.#ports), users: 0 };
		this.#shared.set(key, shared);
		shared.users += 1;
		try {
			const connection = await shared.opening;
			let held = true;
			const release = (): void => {
				if (held) {
					held = false;
					this.#leave(key, shared);
				}
			};
			return { connection, release };
		} catch (error) {
			this.#leave(key, shared);
			throw error;
		}
	}

	async dispose(): Promise<void> {
		const open = [...this.#shared.values()];
		this.#shared.clear();
		await Promise.allSettled(open.map(async ({ opening }) => (await opening).close()));
	}

	#leave(key: string, shared: Shared): void {
		shared.users -= 1;
		if (shared.users > 0) {
			return;
		}
		if (this.#shared.get(key) === shared) {
			this.#shared.delete(key);
		}
		shared.opening
			.then((connection) => connection.close())
			.catch((error: unknown) => this.#ports.log.debug(`closing: ${messageOf(error)}`));
	}
}
