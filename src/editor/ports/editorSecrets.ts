import type * as vscode from 'vscode';

import type { SecretStore } from '../../common/ports.js';

/** Passwords and passphrases in VS Code's secret storage, which the system's key ring guards. */
export function editorSecrets(secrets: vscode.SecretStorage): SecretStore {
	return {
		get: async (key) => secrets.get(key),
		set: async (key, value) => secrets.store(key, value),
		delete: async (key) => secrets.delete(key),
	};
}
