import type { Clock } from '../common/ports.js';
import type { Connection } from './connection.js';
import { localConnection } from './localConnection.js';
import { connectSsh, type SshPorts } from './ssh/connectSsh.js';
import type { Target } from './target.js';

/** What connecting needs from whoever runs it. */
export interface ConnectPorts extends SshPorts {
	readonly clock: Clock;
}

/**
 * Connects to a server and logs in. Rejects with `server-unreachable`, `timeout`, `host-key-unknown`,
 * `host-key-changed`, `host-key-revoked`, `authentication-failed` or an `AbortError`.
 */
export async function connect(target: Target, ports: ConnectPorts): Promise<Connection> {
	return target.kind === 'local' ? localConnection() : await connectSsh(target, ports);
}
