/** Makes a value when it is asked for the first time, and keeps it: formats of `Intl`, for example, take milliseconds each. */
export function lazily<T>(make: () => T): () => T {
	let made: { readonly value: T } | undefined;
	return () => (made ??= { value: make() }).value;
}
