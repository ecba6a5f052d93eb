import { silentLog, systemClock } from '../../src/common/ports.js';
import { connect } from '../../src/connection/connect.js';
import type { Connection } from '../../src/connection/connection.js';
import { memorySecrets } from '../../src/connection/memorySecrets.js';
import type { Sshd } from '../../src/sandbox/sshd.js';

/** A connection to `sshd` by way of a port of this machine: nobody is asked anything. */
export const connectLoopback = (sshd: Pick<Sshd, 'user' | 'userKeyFile'>, port: number, trustFile: string): Promise<Connection> =>
	connect(
		{ kind: 'ssh', user: sshd.user, host: '127.0.0.1', port, path: undefined },
		{
			prompts: {
				secret: () => Promise.resolve(undefined),
				text: () => Promise.resolve(undefined),
				confirm: () => Promise.resolve(true),
			},
			secrets: memorySecrets(),
			log: silentLog,
			clock: systemClock,
			trustFile,
			identityFiles: [sshd.userKeyFile],
			knownHostsFiles: [],
			agentSocket: '',
		},
	);
