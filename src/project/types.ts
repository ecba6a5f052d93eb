import type { Content } from '../common/content.js';

/** What we read of `config.xml`. Directories are absolute paths on the server without a trailing slash. */
export interface ProjectConfig {
	readonly longName: string;
	/** With the trailing slash that BOINC wants. */
	readonly masterUrl: string;
	/** Short host name of the machine that runs the daemons; empty if the file has none. */
	readonly host: string;
	readonly database: {
		/** Empty or `localhost` mean a UNIX socket for BOINC's own tools. May be `host:port`. */
		readonly host: string;
		readonly name: string;
		readonly user: string;
		readonly password: string;
	};
	readonly downloadDir: string;
	readonly downloadUrl: string;
	readonly uploadDir: string;
	readonly uploadUrl: string;
	readonly keyDir: string;
	readonly appDir: string;
	readonly logDir: string;
	/** Number of hash directories; 0 means flat. */
	readonly uldlDirFanout: number;
	readonly sendResultAbort: boolean;
	/** The scheduler sends no jobs. */
	readonly dontSendJobs?: boolean;
	/** `project_user_name`: the only account that may start the daemons. */
	readonly daemonUser?: string | undefined;
	readonly daemons: readonly DaemonEntry[];
}

export interface DaemonEntry {
	/** As written in `config.xml`. */
	readonly command: string;
	readonly output: string | undefined;
	readonly pidFile: string | undefined;
	readonly disabled: boolean;
	/** Short name of the machine that runs it; absent means the project's own host. */
	readonly host?: string | undefined;
}

/** A file that clients download: a pack, a recipe, a parameter table, an input. */
export interface StagedFile {
	/** Physical name: `[A-Za-z0-9._-]`, one content for ever. */
	readonly name: string;
	readonly content: Content;
}

/** Platforms that we install app versions for, by BOINC's names. */
export const PLATFORMS = [
	'x86_64-pc-linux-gnu',
	'aarch64-unknown-linux-gnu',
	'windows_x86_64',
	'windows_arm64',
	'x86_64-apple-darwin',
	'arm64-apple-darwin',
] as const;
export type Platform = (typeof PLATFORMS)[number];

/** Platforms whose hosts can run our virtual machine: it is an x86-64 one. */
export const VM_PLATFORMS: readonly Platform[] = ['x86_64-pc-linux-gnu', 'windows_x86_64', 'x86_64-apple-darwin'];

/** How hosts run a job: by Docker or Podman, or in a virtual machine under VirtualBox. */
export const RUNTIMES = ['docker', 'vm'] as const;
export type Runtime = (typeof RUNTIMES)[number];

/** Architecture of the containers that a platform's hosts run, in Docker's words. */
export type Architecture = 'amd64' | 'arm64';

export interface InstalledApp {
	readonly id: number;
	/** BOINC's short name. */
	readonly name: string;
	readonly friendlyName: string;
	readonly deprecated: boolean;
	/** Newest app version of each platform and plan class. */
	readonly versions: readonly {
		readonly versionNum: number;
		readonly platform: string;
		readonly planClass: string;
		/** How it runs our jobs; `undefined` for versions of other kinds. */
		readonly runtime: Runtime | undefined;
	}[];
}
