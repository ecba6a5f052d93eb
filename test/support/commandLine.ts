import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { quietContext } from '../../src/common/ports.js';
import { formatTarget } from '../../src/connection/target.js';
import type { Explanation } from '../../src/monitor/explain/explanation.js';
import type { Batch, Instance, Job } from '../../src/monitor/types.js';
import type { Finding } from '../../src/project/doctor.js';
import { createSandbox, type SandboxOptions } from '../../src/sandbox/createSandbox.js';
import { type Database, numberOf, openDatabase } from '../../src/sandbox/database.js';
import type { Sandbox } from '../../src/sandbox/sandbox.js';
import { runTool, type ToolResult } from './sandbox.js';

/** What one call of the command line did. */
export interface Outcome {
	readonly code: number;
	readonly stdout: string;
	readonly stderr: string;
	/** Milliseconds from its start to its end. */
	readonly ms: number;
}

/** The `error` object of `--json`. */
export interface ReportedError {
	readonly code: string;
	readonly message: string;
	readonly remedy?: string;
	readonly detail?: Readonly<Record<string, unknown>>;
}

export interface CallOptions {
	readonly env?: Readonly<Record<string, string>>;
	/** Account to run as; needs root. */
	readonly uid?: number;
	/** Address instead of the sandbox's. */
	readonly server?: string;
	readonly identity?: string;
	readonly knownHosts?: string;
}

export interface RunningCall {
	readonly child: ChildProcess;
	readonly ended: Promise<Outcome>;
	/** Standard error so far. */
	said(): string;
}

/** What a submission could leave on a server. */
export interface ServerState {
	readonly batches: number;
	/** Batches that are neither in progress nor aborted. */
	readonly preparing: number;
	readonly jobs: number;
	/** Jobs that are not cancelled. */
	readonly alive: number;
	readonly apps: readonly string[];
	/** Files below `download/`. */
	readonly staged: readonly string[];
	/** Temporary files and lock folders anywhere in the project. */
	readonly temporary: readonly string[];
}

/** The built command line, a sandbox project, and folders in which everything that is left behind is seen. */
export class CommandLine {
	private constructor(
		readonly dir: string,
		readonly sandbox: Sandbox,
		readonly database: Database,
	) {}

	static async start(options: Partial<SandboxOptions> = {}): Promise<CommandLine> {
		const dir = await mkdtemp(path.join(tmpdir(), 'b2d-cli-'));
		try {
			const program = path.join(dir, 'program');
			await promisify(execFile)(process.execPath, [
				'scripts/build.mjs',
				`--outdir=${program}`,
				...['cli', 'sandbox', 'standin'].map((name) => `--only=${name}`),
			]);
			await Promise.all(['tmp', 'home', 'config'].map((name) => mkdir(path.join(dir, name))));
			const sandbox = await createSandbox({ dir: path.join(dir, 'sandbox'), program, pace: 0.05, ...options }, quietContext());
			return new CommandLine(dir, sandbox, await openDatabase(sandbox.database));
		} catch (error) {
			await rm(dir, { recursive: true, force: true });
			throw error;
		}
	}

	async remove(): Promise<void> {
		await this.database.end().catch(() => undefined);
		await this.sandbox.stop();
		await rm(this.dir, { recursive: true, force: true });
	}

	at(...parts: readonly string[]): string {
		return path.join(this.dir, ...parts);
	}

	inProject(...parts: readonly string[]): string {
		return path.join(this.sandbox.projectRoot, ...parts);
	}

	get server(): string {
		return formatTarget(this.sandbox.target);
	}

	/** The address of the sandbox's SSH server under another port. */
	serverAt(port: number): string {
		return this.sandbox.target.kind === 'ssh' ? formatTarget({ ...this.sandbox.target, port }) : this.server;
	}

	/** A file with the server's host key for another port. */
	async knownHostsFor(port: number): Promise<string> {
		const file = this.at(`known_hosts_${String(port)}`);
		await writeFile(file, (await readFile(this.sandbox.knownHostsFile, 'utf8')).replaceAll(/\]:\d+/g, `]:${String(port)}`));
		return file;
	}

	/** Starts the command line without waiting for its end. */
	start(args: readonly string[], options: CallOptions = {}): RunningCall {
		const since = Date.now();
		const words = [
			...['--server', options.server ?? this.server],
			...['--identity', options.identity ?? this.sandbox.identityFile],
			...['--known-hosts', options.knownHosts ?? this.sandbox.knownHostsFile],
		];
		const child = spawn(process.execPath, [this.at('program', 'cli.js'), ...words, ...args], {
			env: {
				...process.env,
				...this.sandbox.engine?.env,
				XDG_CONFIG_HOME: this.at('config'),
				TMPDIR: this.at('tmp'),
				HOME: this.at('home'),
				SSH_AUTH_SOCK: '',
				...options.env,
			},
			stdio: ['ignore', 'pipe', 'pipe'],
			...(options.uid !== undefined && { uid: options.uid }),
		});
		const texts = { stdout: '', stderr: '' };
		child.stdout.on('data', (chunk: Buffer) => (texts.stdout += chunk.toString('utf8')));
		child.stderr.on('data', (chunk: Buffer) => (texts.stderr += chunk.toString('utf8')));
		const ended = new Promise<Outcome>((resolve, reject) => {
			child.once('error', reject);
			child.once('close', (code, signal) =>
				resolve({ ...texts, code: code ?? (signal === null ? -1 : -2), ms: Date.now() - since }),
			);
		});
		return { child, ended, said: () => texts.stderr };
	}

	run(args: readonly string[], options: CallOptions = {}): Promise<Outcome> {
		return this.start(args, options).ended;
	}

	/** Runs with `--json` and resolves to the exit code and the error, or the answer. */
	async json(args: readonly string[], options: CallOptions = {}): Promise<Answer> {
		return answerOf(await this.run(['--json', ...args], options));
	}

	async install(): Promise<void> {
		const { wrapperFolder, busyboxFile } = this.sandbox;
		const done = await this.run(['install', '--wrappers', wrapperFolder, '--busybox', busyboxFile, '--yes']);
		if (done.code !== 0) {
			throw new Error(`The app could not be installed: ${done.stdout}${done.stderr}`);
		}
	}

	/** Runs a program of the project's `bin/`. */
	tool(name: string, args: readonly string[] = []): Promise<ToolResult> {
		return runTool(this.inProject('bin', name), args, this.sandbox.projectRoot);
	}

	async serverState(): Promise<ServerState> {
		const count = async (sql: string): Promise<number> =>
			numberOf((await this.database.select(`SELECT COUNT(*) AS n FROM ${sql}`))[0]!, 'n');
		const all = (await readdir(this.sandbox.projectRoot, { recursive: true, withFileTypes: true })).map((entry) =>
			path.join(path.relative(this.sandbox.projectRoot, entry.parentPath), entry.name),
		);
		return {
			batches: await count('batch'),
			preparing: await count('batch WHERE state NOT IN (1, 3)'),
			jobs: await count('workunit'),
			alive: await count('workunit WHERE error_mask & 16 = 0'),
			apps: (await readdir(this.inProject('apps'))).sort(),
			staged: all.filter((name) => /^download\/.*\/(?!\.)[^/]*[a-z0-9_]$/.test(name) && name.includes('b2d_')).sort(),
			temporary: all
				.filter(
					(name) => /(\.part|\.lock|\.tmp|\.new|~)$|incoming|(^|\/)\.b2d/.test(name) && !/^(pid_|log_|results\/)/.test(name),
				)
				.sort(),
		};
	}

	/** What calls left in the folder for temporary files. */
	async temporaryHere(): Promise<string[]> {
		return readdir(this.at('tmp'));
	}
}

export interface Answer extends Outcome {
	readonly error: ReportedError | undefined;
	readonly answer: JsonAnswer;
}

/** What the commands print with `--json`: each some of these. */
export interface JsonAnswer {
	readonly error?: ReportedError;
	readonly batch?: Pick<Batch, 'id' | 'name'> & {
		readonly bytesSent?: number;
		readonly jobNames?: readonly string[];
		readonly state?: string;
	};
	readonly batches?: readonly Batch[];
	readonly jobs?: readonly (Job & { readonly instances: readonly Instance[] })[];
	readonly findings?: readonly Finding[];
	readonly waiting?: readonly Explanation[];
	readonly failure?: readonly Explanation[];
}

/** Reads the one JSON object that `--json` prints. */
export function answerOf(outcome: Outcome): Answer {
	let answer: JsonAnswer;
	try {
		answer = JSON.parse(outcome.stdout) as JsonAnswer;
	} catch {
		throw new Error(`No JSON object, exit code ${String(outcome.code)}: ${outcome.stdout}\n${outcome.stderr}`);
	}
	return { ...outcome, answer, error: answer.error };
}
