import { createHash } from 'node:crypto';

import { formatTarget, type Target } from '../../connection/target.js';

/** One project on one server, as it is remembered. Holds no secret. */
export interface Server {
	/** Derived from the address, so that adding the same project again replaces it. */
	readonly id: string;
	/** How the person sees it: the project's long name. */
	readonly name: string;
	/** Address with the project's path, as `parseTarget` reads it. */
	readonly target: string;
	/** Private key that was chosen for it; absolute path on this computer. */
	readonly identityFile?: string;
}

/** The id of the server with this address. */
export function serverId(target: Target): string {
	return createHash('sha256').update(formatTarget(target)).digest('hex').slice(0, 12);
}

/** Whether data that was read back is a server. */
export function isServer(value: unknown): value is Server {
	if (typeof value !== 'object' || value === null) {
		return false;
	}
	const text = (key: string): boolean => typeof (value as Record<string, unknown>)[key] === 'string';
	return text('id') && text('name') && text('target') && (!('identityFile' in value) || text('identityFile'));
}
