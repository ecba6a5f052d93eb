import type { Disposable } from '../../../common/disposable.js';
import { Emitter, type Event } from '../../../common/event.js';
import type { BatchReference } from './batchReference.js';

/** The batches whose pages are on the screen: they are kept up to date although the tree may be hidden. */
export class SeenBatches implements Disposable {
	readonly #seen = new Map<string, Set<number>>();
	readonly #changed = new Emitter<void>();

	readonly onDidChange: Event<void> = this.#changed.event;

	of(serverId: string): readonly number[] {
		return [...(this.#seen.get(serverId) ?? [])];
	}

	set({ serverId, batchId }: BatchReference, isSeen: boolean): void {
		const own = this.#seen.get(serverId) ?? new Set<number>();
		if (own.has(batchId) === isSeen) {
			return;
		}
		if (isSeen) {
			own.add(batchId);
		} else {
			own.delete(batchId);
		}
		this.#seen.set(serverId, own);
		this.#changed.fire();
	}

	dispose(): void {
		this.#changed.dispose();
	}
}
