export interface Disposable {
	dispose(): void;
}

/** Owns disposables. What is added after the store was disposed is disposed at once, so nothing can leak late. */
export class DisposableStore implements Disposable {
	#items: Disposable[] | undefined = [];

	add<T extends Disposable>(item: T): T {
		if (this.#items) {
			this.#items.push(item);
		} else {
			item.dispose();
		}
		return item;
	}

	/** Disposes in reverse order of adding. */
	dispose(): void {
		const items = this.#items ?? [];
		this.#items = undefined;
		for (const item of items.reverse()) {
			item.dispose();
		}
	}
}
