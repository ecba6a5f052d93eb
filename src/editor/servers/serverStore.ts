import type { Disposable } from '../../common/disposable.js';
import { Emitter, type Event } from '../../common/event.js';
import { STORAGE_KEYS } from '../../common/ids.js';
import { isServer, type Server } from './server.js';

/** The part of VS Code's `Memento` that is used. */
export interface Storage {
	get(key: string): unknown;
	update(key: string, value: unknown): PromiseLike<void>;
}

/** The servers that the person added, on this computer. */
export class ServerStore implements Disposable {
	readonly #storage: Storage;
	readonly #changed = new Emitter<void>();
	/** The list as those who listen know it. */
	#known: string;

	constructor(storage: Storage) {
		this.#storage = storage;
		this.#known = JSON.stringify(this.list());
	}

	readonly onDidChange: Event<void> = this.#changed.event;

	/** By name. What cannot be understood is left out. */
	list(): readonly Server[] {
		const stored = this.#storage.get(STORAGE_KEYS.servers);
		return Array.isArray(stored) ? stored.filter(isServer).sort((a, b) => a.name.localeCompare(b.name)) : [];
	}

	get(id: string): Server | undefined {
		return this.list().find((server) => server.id === id);
	}

	/** Adds a server, or replaces the one with the same id. */
	async put(server: Server): Promise<void> {
		await this.#save([...this.list().filter(({ id }) => id !== server.id), server]);
	}

	async remove(id: string): Promise<void> {
		await this.#save(this.list().filter((server) => server.id !== id));
	}

	/** Notices what another window has changed: windows share the list, and nobody tells this one. */
	look(): void {
		if (JSON.stringify(this.list()) !== this.#known) {
			this.#tell();
		}
	}

	dispose(): void {
		this.#changed.dispose();
	}

	async #save(servers: readonly Server[]): Promise<void> {
		await this.#storage.update(STORAGE_KEYS.servers, servers);
		this.#tell();
	}

	#tell(): void {
		this.#known = JSON.stringify(this.list());
		this.#changed.fire();
	}
}
