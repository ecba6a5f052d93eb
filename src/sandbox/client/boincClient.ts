import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import { BoincError, messageOf, throwIfAborted } from '../../common/errors.js';
import { freePort } from '../freePort.js';
import { commandLine, endProcess, gone, isOurs, signalProcess, startDetached } from '../processes.js';
import { type ClientSettings, writeClientFiles } from './clientFiles.js';
import { signalTasks, tasksGone } from './clientTasks.js';
import { type ClientTask, parseTaskList, parseTransferNames } from './taskList.js';

export interface ClientOptions extends ClientSettings {
	/** The client's data folder: made when absent, used again otherwise. */
	readonly dir: string;
	readonly masterUrl: string;
	/** Of the account that the client works for. */
	readonly authenticator: string;
	/** Added to the environment of the client and hence of its tasks: how to reach the container engine. */
	readonly env?: Readonly<Record<string, string>>;
	readonly signal?: AbortSignal;
}

/** An unmodified BOINC client that works for one project. It outlives the caller until `stop()` or `stopClient(dir)`. */
export interface BoincClient {
	readonly dir: string;
	readonly pid: number;
	/** Loopback port of the client's control interface. */
	readonly port: number;
	/** Contacts the project now and tries deferred transfers again. */
	update(): Promise<void>;
	tasks(): Promise<ClientTask[]>;
	/** Runs `boinccmd` with these words; rejects with `sandbox-failed` when it fails. */
	command(...words: readonly string[]): Promise<string>;
	/** The client's log so far. */
	log(): Promise<string>;
	/** Ends the client and its tasks; its files stay. */
	stop(): Promise<void>;
	/** Ends the client at once, as a crash does; tasks find out by themselves. */
	kill(): Promise<void>;
	/** `stop()`, then a client on the same folder. */
	restart(): Promise<BoincClient>;
}

const READY_WITHIN_MS = 30_000;
const COMMAND_WITHIN_MS = 30_000;
const TASKS_END_WITHIN_MS = 8000;

/**
 * Starts Debian's `boinc` in `dir` and attaches it to the project. Throws `package-missing` without the program and
 * `sandbox-failed` when it does not start or attach.
 */
export async function startClient(options: ClientOptions): Promise<BoincClient> {
	const dir = path.resolve(options.dir);
	await stopClient(dir);
	await writeClientFiles(dir, options);
	const port = await freePort();
	const pid = await launch(dir, port, options.env ?? {});
	const control: Control = { dir, port, pid, masterUrl: options.masterUrl };
	await writeFile(controlFile(dir), `${JSON.stringify(control)}\n`);
	try {
		await waitUntilReady(control, options.signal);
		await boinccmd(control, ['--set_run_mode', 'always']);
		await boinccmd(control, ['--set_network_mode', 'always']);
		await attach(control, options);
	} catch (error) {
		await stopClient(dir);
		throw error;
	}
	return clientOf(control, () => startClient(options));
}

/** The client that runs in `dir`, also when another process started it; `undefined` when none does. */
export async function runningClient(dir: string): Promise<Omit<BoincClient, 'restart'> | undefined> {
	const control = await readControl(path.resolve(dir));
	return control && clientOf(control, () => Promise.reject(new Error('Only the starter knows how to start it again.')));
}

function clientOf(control: Control, start: () => Promise<BoincClient>): BoincClient {
	const { dir, pid, port } = control;
	const command = (...words: readonly string[]): Promise<string> => boinccmd(control, words);
	const stop = (): Promise<void> => stopClient(dir);
	return {
		dir,
		pid,
		port,
		command,
		stop,
		update: async () => {
			await command('--network_available');
			for (const name of parseTransferNames(await command('--get_file_transfers'))) {
				// The transfer may have ended meanwhile.
				await command('--file_transfer', control.masterUrl, name, 'retry').catch(() => undefined);
			}
			await command('--project', control.masterUrl, 'update');
		},
		tasks: async () => parseTaskList(await command('--get_tasks')),
		log: () => readFile(logFile(dir), 'utf8'),
		kill: async () => {
			signalProcess(pid, 'SIGKILL');
			await gone(pid, dir, 10_000);
			await rm(controlFile(dir), { force: true });
		},
		restart: async () => {
			await stop();
			return start();
		},
	};
}

/**
 * Ends the client of `dir` and its tasks, if any run: first by asking, so that container tasks pause; then by ending the
 * tasks that do not listen, for which the client would wait a minute; at last by force.
 */
export async function stopClient(dir: string): Promise<void> {
	const folder = path.resolve(dir);
	const control = await readControl(folder);
	if (control) {
		await boinccmd(control, ['--quit']).catch(() => undefined);
		if (!(await gone(control.pid, folder, TASKS_END_WITHIN_MS))) {
			signalTasks(folder, 'SIGTERM');
			await gone(control.pid, folder, TASKS_END_WITHIN_MS);
		}
		await endProcess(control.pid, folder);
	}
	// A task that the client was about to abort, or that outlived a crash of the client.
	if (!(await tasksGone(folder, TASKS_END_WITHIN_MS))) {
		signalTasks(folder, 'SIGTERM');
		await tasksGone(folder, TASKS_END_WITHIN_MS);
		signalTasks(folder, 'SIGKILL');
	}
	await rm(controlFile(folder), { force: true });
}

/** How to reach a client. */
interface Control {
	readonly dir: string;
	readonly port: number;
	readonly pid: number;
	readonly masterUrl: string;
}

const controlFile = (dir: string): string => path.join(dir, 'client.json');
const logFile = (dir: string): string => path.join(dir, 'client.log');

/** What the starter of the client in `dir` wrote down, if that client still runs. */
async function readControl(dir: string): Promise<Control | undefined> {
	const text = await readFile(controlFile(dir), 'utf8').catch(() => '{}');
	const { pid, port, masterUrl } = JSON.parse(text) as Readonly<Record<string, unknown>>;
	const known = typeof pid === 'number' && typeof port === 'number' && typeof masterUrl === 'string';
	return known && isOurs(pid, dir) ? { dir, pid, port, masterUrl } : undefined;
}

async function launch(dir: string, port: number, env: Readonly<Record<string, string>>): Promise<number> {
	try {
		return await startDetached('boinc', ['--dir', dir, '--gui_rpc_port', String(port)], {
			cwd: dir,
			log: logFile(dir),
			env: { ...process.env, ...env },
		});
	} catch (cause) {
		throw missingOrFailed(cause);
	}
}

async function waitUntilReady(control: Control, signal: AbortSignal | undefined): Promise<void> {
	const deadline = Date.now() + READY_WITHIN_MS;
	let last: unknown;
	while (Date.now() < deadline) {
		throwIfAborted(signal);
		if (commandLine(control.pid).length === 0) {
			break;
		}
		try {
			await boinccmd(control, ['--client_version']);
			return;
		} catch (error) {
			last = error;
		}
		await sleep(100);
	}
	const tail = (await readFile(logFile(control.dir), 'utf8').catch(() => '')).slice(-500);
	throw new BoincError('sandbox-failed', `The BOINC client in ${control.dir} does not start: ${tail || messageOf(last)}`, {
		remedy: `Read ${logFile(control.dir)}.`,
		cause: last,
	});
}

/** Attaches once: a folder that is used again remembers its projects. */
async function attach(control: Control, options: ClientOptions): Promise<void> {
	const attached = async (): Promise<boolean> => (await boinccmd(control, ['--get_project_status'])).includes(options.masterUrl);
	if (await attached()) {
		return;
	}
	await boinccmd(control, ['--project_attach', options.masterUrl, options.authenticator]);
	const deadline = Date.now() + READY_WITHIN_MS;
	while (!(await attached())) {
		throwIfAborted(options.signal);
		if (Date.now() > deadline) {
			throw new BoincError('sandbox-failed', `The BOINC client in ${control.dir} does not attach to ${options.masterUrl}.`, {
				remedy: `Read ${logFile(control.dir)}.`,
			});
		}
		await sleep(100);
	}
}

async function boinccmd(control: Control, words: readonly string[]): Promise<string> {
	// The password is in gui_rpc_auth.cfg of the working folder, not in the list of processes.
	const args = ['--host', `127.0.0.1:${control.port}`, ...words];
	try {
		const { stdout } = await promisify(execFile)('boinccmd', args, {
			cwd: control.dir,
			timeout: COMMAND_WITHIN_MS,
			maxBuffer: 1 << 24,
		});
		return stdout;
	} catch (cause) {
		if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') {
			throw missingOrFailed(cause);
		}
		const output = cause instanceof Error && 'stderr' in cause ? String(cause.stderr) : '';
		throw new BoincError('sandbox-failed', `boinccmd ${words[0] ?? ''} failed: ${output.trim() || 'no answer'}`, {
			remedy: `Read ${logFile(control.dir)}.`,
		});
	}
}

function missingOrFailed(cause: unknown): BoincError {
	if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') {
		return new BoincError('package-missing', 'The sandbox needs a BOINC client, which is not installed here.', {
			remedy: 'Install it: apt-get install boinc-client (Debian, Ubuntu).',
			detail: { package: 'boinc-client' },
			cause,
		});
	}
	return new BoincError('sandbox-failed', `The BOINC client could not be started: ${messageOf(cause)}`, { cause });
}
