/** Items that are made when they are asked for: a million of them take the memory of what describes them. An array is one too. */
export interface Sequence<T> {
	readonly length: number;
	/** Defined for 0 to `length` - 1, and the same each time. */
	at(index: number): T | undefined;
}

/** The items with their numbers, one by one, from `from` up to but not including `to`. */
export function* entriesOf<T>(items: Sequence<T>, from = 0, to = items.length): Generator<readonly [number, T]> {
	for (let index = from; index < Math.min(to, items.length); index++) {
		const item = items.at(index);
		if (item !== undefined) {
			yield [index, item];
		}
	}
}

/** Each item changed when it is asked for. */
export function mapped<T, U>(items: Sequence<T>, change: (item: T, index: number) => U): Sequence<U> {
	return {
		length: items.length,
		at: (index) => {
			const item = items.at(index);
			return item === undefined ? undefined : change(item, index);
		},
	};
}

/** All items in an array: only where there are few. */
export function listOf<T>(items: Sequence<T>): T[] {
	return Array.from(entriesOf(items), ([, item]) => item);
}
