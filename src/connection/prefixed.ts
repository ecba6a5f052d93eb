import type { Argv, Connection } from './connection.js';
import { launch, quoteWord } from './quoting.js';
import type { Spawner } from './serverProcess.js';
import { ShellConnection } from './shellConnection.js';

/**
 * The same server through a program that runs programs: `sudo -n -u boincadm`, `docker exec -i X`. Commands and files go
 * through it; `dial` and `close` are those of `connection`. `connection` must come from `connect`, `localConnection` or
 * this function.
 */
export function prefixed(connection: Connection, prefix: Argv): Connection {
	if (!(connection instanceof ShellConnection)) {
		throw new TypeError('A prefix needs a connection that starts shells.');
	}
	const outer = connection.spawner;
	const spawner: Spawner = {
		name: `${outer.name} (${prefix.join(' ')})`,
		spawn: async (script, options) => {
			const { words, preface } = launch(script);
			const process = await outer.spawn(`exec ${[...prefix, ...words].map(quoteWord).join(' ')}`, options);
			if (preface !== undefined) {
				process.stdin.write(preface);
			}
			return process;
		},
	};
	return new ShellConnection(
		spawner,
		(address, signal) => connection.dial(address, signal),
		() => connection.close(),
		connection.ended,
	);
}
