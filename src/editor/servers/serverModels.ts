import { type Disposable, DisposableStore } from '../../common/disposable.js';
import { Emitter, type Event } from '../../common/event.js';
import type { ModelChange } from './serverModel.js';
import { type ModelPorts, ServerModel } from './serverModel.js';
import type { ServerStore } from './serverStore.js';

/** What changed where; without a model the list of servers itself did. */
export interface ServersChange {
	readonly model?: ServerModel;
	readonly change?: ModelChange;
}

/** One model for each server in the store, made and ended with its entry. */
export class ServerModels implements Disposable {
	readonly #store: ServerStore;
	readonly #ports: ModelPorts;
	readonly #models = new Map<string, { readonly model: ServerModel; readonly owned: DisposableStore }>();
	readonly #changed = new Emitter<ServersChange>();
	readonly #subscription: Disposable;

	constructor(store: ServerStore, ports: ModelPorts) {
		this.#store = store;
		this.#ports = ports;
		this.#sync();
		this.#subscription = store.onDidChange(() => {
			this.#sync();
			this.#changed.fire({});
		});
	}

	readonly onDidChange: Event<ServersChange> = this.#changed.event;

	/** In the order of the store. */
	all(): readonly ServerModel[] {
		return this.#store.list().flatMap(({ id }) => this.#models.get(id)?.model ?? []);
	}

	get(id: string): ServerModel | undefined {
		return this.#models.get(id)?.model;
	}

	dispose(): void {
		this.#subscription.dispose();
		for (const { owned } of this.#models.values()) {
			owned.dispose();
		}
		this.#models.clear();
		this.#changed.dispose();
	}

	#sync(): void {
		const servers = this.#store.list();
		for (const [id, { model, owned }] of this.#models) {
			const server = servers.find((other) => other.id === id);
			if (!server || JSON.stringify(server) !== JSON.stringify(model.server)) {
				owned.dispose();
				this.#models.delete(id);
			}
		}
		for (const server of servers.filter(({ id }) => !this.#models.has(id))) {
			const owned = new DisposableStore();
			const model = owned.add(new ServerModel(server, this.#ports));
			owned.add(model.onDidChange((change) => this.#changed.fire({ model, change })));
			this.#models.set(server.id, { model, owned });
		}
	}
}
