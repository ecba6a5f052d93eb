import { type Disposable, DisposableStore } from '../../common/disposable.js';
import {
	type Clock,
	type Log,
	type OperationContext,
	type Prompts,
	type SecretStore,
	silentProgress,
} from '../../common/ports.js';
import type { Lease, ServerConnections } from '../../connection/serverConnections.js';
import { parseTarget, type Target } from '../../connection/target.js';
import type { Core } from '../services.js';
import type { Server } from './server.js';
import type { OpenProject } from './serverModel.js';

export interface AccessPorts {
	readonly log: Log;
	readonly clock: Clock;
	readonly prompts: Prompts;
	readonly secrets: SecretStore;
	/** File with the host keys that the person accepted here. */
	readonly trustFile: string;
	readonly core: () => Promise<Core>;
}

/** Connections to servers, one for each server and chosen key, shared by all who need it. */
export class ServerAccess implements Disposable {
	readonly #ports: AccessPorts;
	readonly #owned = new DisposableStore();
	readonly #pools = new Map<string, Promise<ServerConnections>>();

	constructor(ports: AccessPorts) {
		this.#ports = ports;
	}

	/** Connects, or shares the connection that is there. Whoever acquires releases. */
	async acquire(target: Target, identityFile: string | undefined): Promise<Lease> {
		const key = identityFile ?? '';
		const pool = this.#pools.get(key) ?? this.#makePool(identityFile);
		this.#pools.set(key, pool);
		return (await pool).acquire(target);
	}

	/** Opens a server's project. */
	async open(server: Server): Promise<OpenProject> {
		const target = parseTarget(server.target);
		const lease = await this.acquire(target, server.identityFile);
		try {
			const { log, clock } = this.#ports;
			const ctx: OperationContext = { log, clock, progress: silentProgress };
			const project = await (await this.#ports.core()).openProject(lease.connection, target.path ?? '', ctx);
			return {
				project,
				reach: async () => (await this.acquire(target, server.identityFile)).release(),
				dispose: () => {
					project.dispose();
					lease.release();
				},
			};
		} catch (error) {
			lease.release();
			throw error;
		}
	}

	dispose(): void {
		this.#owned.dispose();
	}

	async #makePool(identityFile: string | undefined): Promise<ServerConnections> {
		const { log, clock, prompts, secrets, trustFile, core } = this.#ports;
		const { ServerConnections: Pool } = await core();
		const pool = new Pool({
			log,
			clock,
			prompts,
			secrets,
			trustFile,
			...(identityFile !== undefined && { identityFiles: [identityFile] }),
		});
		return this.#owned.add(pool);
	}
}
