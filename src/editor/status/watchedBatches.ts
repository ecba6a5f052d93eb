import type { Disposable } from '../../common/disposable.js';
import { Emitter, type Event } from '../../common/event.js';
import { STORAGE_KEYS } from '../../common/ids.js';
import type { Storage } from '../servers/serverStore.js';
import type { ToldOnce } from './toldOnce.js';

/** Batches that were submitted from here and whose end shall be told; remembered until it was. */
export class WatchedBatches implements Disposable {
	readonly #storage: Storage;
	readonly #told: ToldOnce;
	readonly #changed = new Emitter<void>();

	constructor(storage: Storage, told: ToldOnce) {
		this.#told = told;
		this.#storage = storage;
	}

	readonly onDidChange: Event<void> = this.#changed.event;

	/** Ids of a server's watched batches. */
	of(serverId: string): readonly number[] {
		return this.#keys().flatMap((key) => (key.startsWith(`${serverId}/`) ? [Number(key.slice(serverId.length + 1))] : []));
	}

	async add(serverId: string, batchId: number): Promise<void> {
		await this.#save([...new Set([...this.#keys(), `${serverId}/${batchId}`])]);
	}

	/** Watches a batch whose end was told and is not true any longer. */
	async watchAgain(serverId: string, batchId: number): Promise<void> {
		await this.#told.forget(`${serverId}.${batchId}.ended`);
		await this.add(serverId, batchId);
	}

	async remove(serverId: string, batchId: number): Promise<void> {
		await this.#save(this.#keys().filter((key) => key !== `${serverId}/${batchId}`));
	}

	dispose(): void {
		this.#changed.dispose();
	}

	#keys(): readonly string[] {
		const stored = this.#storage.get(STORAGE_KEYS.watched);
		return Array.isArray(stored) ? stored.filter((key) => typeof key === 'string') : [];
	}

	async #save(keys: readonly string[]): Promise<void> {
		await this.#storage.update(STORAGE_KEYS.watched, keys);
		this.#changed.fire();
	}
}
