import * as vscode from 'vscode';

import type { ContextKey } from '../common/ids.js';
import type { Log } from '../common/ports.js';

/** Values of the keys that `when` clauses read. */
export interface ContextValues {
	/** Which invitation the empty view shows. */
	'boinc2docker:welcome': 'noServer' | 'noApp' | 'noBatch' | 'filtered' | undefined;
}

/** The only place that sets context keys. Remembers them, so that equal values cost nothing. */
export class ContextManager {
	readonly #values = new Map<ContextKey, unknown>();
	readonly #log: Log;

	constructor(log: Log) {
		this.#log = log;
	}

	set<K extends ContextKey>(key: K, value: ContextValues[K]): void {
		if (this.#values.has(key) && this.#values.get(key) === value) {
			return;
		}
		this.#values.set(key, value);
		vscode.commands
			.executeCommand('setContext', key, value)
			.then(undefined, (error: unknown) => this.#log.warn(`${key}: ${String(error)}`));
	}

	get<K extends ContextKey>(key: K): ContextValues[K] | undefined {
		return this.#values.get(key) as ContextValues[K] | undefined;
	}
}
