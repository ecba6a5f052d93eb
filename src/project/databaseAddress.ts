import findDatabase from '../../templates/server/find-database.sh';
import type { Connection, DialAddress } from '../connection/connection.js';
import type { ProjectConfig } from './types.js';

const DEFAULT_PORT = 3306;

/** What `find-database.sh` printed. */
interface Findings {
	readonly host: string;
	readonly sockets: readonly string[];
}

function parseFindings(text: string): Findings {
	const values = (key: string): string[] =>
		text.split('\n').flatMap((line) => (line.startsWith(`${key} `) ? [line.slice(key.length + 1)] : []));
	return { host: values('host')[0] ?? '', sockets: [...new Set(values('socket'))] };
}

/** `host`, `host:port`, `[v6]:port` or `localhost:/socket`, as BOINC's C++ and PHP code read `db_host`. */
export function parseDatabaseHost(text: string): { host: string; port: number | undefined; socket: string | undefined } {
	const socket = /^[^/]*:?(\/.+)$/.exec(text)?.[1];
	if (socket !== undefined) {
		return { host: '', port: undefined, socket };
	}
	const match = /^(?:\[([^\]]+)\]|([^:]*))(?::(\d+))?$/.exec(text);
	return match
		? { host: match[1] ?? match[2] ?? '', port: match[3] === undefined ? undefined : Number(match[3]), socket: undefined }
		: { host: text, port: undefined, socket: undefined };
}

/** Whether BOINC would use the machine's own socket for this `db_host`. */
function isLocal(host: string, ownNames: readonly string[]): boolean {
	return host === '' || host === 'localhost' || ownNames.includes(host);
}

/**
 * The addresses at which the project's database may answer, as seen from the server, best first. An empty `db_host`,
 * `localhost` and the machine's own name mean a UNIX socket, then the loopback port.
 */
export async function databaseAddresses(
	connection: Connection,
	database: ProjectConfig['database'],
	signal?: AbortSignal,
): Promise<DialAddress[]> {
	const { host, port, socket } = parseDatabaseHost(database.host);
	if (socket !== undefined) {
		return [{ socket }];
	}
	if (/^[\d.]+$/.test(host) || host.includes(':')) {
		return [{ host, port: port ?? DEFAULT_PORT }];
	}
	const { stdout } = await connection.exec(['sh', '-c', findDatabase], { timeoutMs: 20_000, ...(signal && { signal }) });
	const findings = parseFindings(stdout.toString('utf8'));
	const ownNames = [findings.host, findings.host.split('.')[0] ?? ''].filter((name) => name !== '');
	if (!isLocal(host, ownNames)) {
		return [{ host, port: port ?? DEFAULT_PORT }];
	}
	const loopback = { host: '127.0.0.1', port: port ?? DEFAULT_PORT };
	const sockets = findings.sockets.map((path) => ({ socket: path }));
	return port === undefined ? [...sockets, loopback] : [loopback, ...sockets];
}
