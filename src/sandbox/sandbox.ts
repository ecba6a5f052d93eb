import type { Target } from '../connection/target.js';
import type { BoincClient } from './client/boincClient.js';
import type { DatabaseSettings } from './database.js';
import type { SandboxEngine } from './engine.js';

/** A running BOINC project on this machine. */
export interface Sandbox {
	readonly dir: string;
	readonly projectRoot: string;
	/** What volunteers attach to. */
	readonly masterUrl: string;
	/** How the extension reaches the project. */
	readonly target: Target;
	/** Private key that may log in. */
	readonly identityFile: string;
	/** The server's host key, as OpenSSH keeps it. */
	readonly knownHostsFile: string;
	/** docker_wrapper binaries, or the stand-in for them. */
	readonly wrapperFolder: string;
	/** A static busybox of this machine. */
	readonly busyboxFile: string;
	/** PATH of the accounts on its server. */
	readonly serverPath: string;
	/** The project's database, as `config.xml` names it. */
	readonly database: DatabaseSettings;
	/** Account of the volunteer. */
	readonly authenticator: string;
	/** The container engine of the volunteer's host; absent when the sandbox has none. */
	readonly engine: SandboxEngine | undefined;
	/** The volunteer's host; absent when the sandbox has none. */
	readonly client: Pick<BoincClient, 'dir' | 'pid' | 'update' | 'tasks' | 'log' | 'stop' | 'kill'> | undefined;
	/** Ends everything that runs; the folder stays and can be started again. */
	stop(): Promise<void>;
}
