import type { SecretStore } from '../common/ports.js';

/** Secrets for as long as this process lives: nothing is written anywhere. */
export function memorySecrets(): SecretStore {
	const kept = new Map<string, string>();
	return {
		get: (key) => Promise.resolve(kept.get(key)),
		set: (key, value) => Promise.resolve(void kept.set(key, value)),
		delete: (key) => Promise.resolve(void kept.delete(key)),
	};
}
