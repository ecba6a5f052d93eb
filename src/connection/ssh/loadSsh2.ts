import type * as ssh2Library from 'ssh2';

export type Ssh2 = typeof ssh2Library;

/** Loads the SSH library on first use. It is CommonJS: some of its parts are only reached through `default`. */
export async function loadSsh2(): Promise<Ssh2> {
	const loaded: Ssh2 & { readonly default?: Ssh2 } = await import('ssh2');
	return loaded.default ?? loaded;
}
