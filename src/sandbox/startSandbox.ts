import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import { BoincError, messageOf, throwIfAborted } from '../common/errors.js';
import type { OperationContext } from '../common/ports.js';
import { startClient } from './client/boincClient.js';
import { type DatabaseSettings, openDatabase } from './database.js';
import { type SandboxEngine, startEngine } from './engine.js';
import { takeLock } from './fileLock.js';
import { freePort } from './freePort.js';
import { commandsFolder, PROGRAM_FILE } from './installProgram.js';
import { startMariadb } from './mariadb.js';
import { isOurs, startDetached } from './processes.js';
import { masterUrlOf, urlBase } from './projectFiles.js';
import type { Sandbox } from './sandbox.js';
import { readSandboxState, type SandboxFolders, sandboxFolders, type SandboxState, writeSandboxState } from './sandboxState.js';
import { startSshd } from './sshd.js';
import { stopSandbox } from './stopSandbox.js';

const WEB_READY_WITHIN_MS = 20_000;
const START_WITHIN_MS = 60_000;

/**
 * Starts the sandbox in a folder that `createSandbox` made; what still runs from an earlier start is ended first. Its parts
 * outlive the caller. Throws `sandbox-failed`, `package-missing` or an `AbortError`; then nothing runs.
 */
export async function startSandbox(options: { readonly dir: string }, ctx: OperationContext): Promise<Sandbox> {
	const before = await readSandboxState(options.dir);
	if (!before) {
		throw new BoincError('sandbox-failed', `There is no sandbox in ${path.resolve(options.dir)}.`, {
			remedy: 'Create one there first.',
		});
	}
	const folders = sandboxFolders(options.dir, before.name);
	const lock = takeLock(folders.lockFile);
	if (!lock) {
		throw new BoincError('sandbox-failed', `The sandbox in ${folders.dir} is being started or stopped by another program.`);
	}
	try {
		await stopSandbox(folders.dir, 'locked');
		return await startParts(before, folders, ctx);
	} catch (error) {
		await stopSandbox(folders.dir, 'locked');
		throw error;
	} finally {
		lock.release();
	}
}

async function startParts(before: SandboxState, folders: SandboxFolders, ctx: OperationContext): Promise<Sandbox> {
	const step = (message: string): void => {
		throwIfAborted(ctx.signal);
		ctx.progress.report({ message });
	};
	step('Starting the database');
	const port = before.ports.database;
	const mariadb = await startMariadb({ dir: folders.mariadb, ...(port !== undefined && { port }) });
	step('Starting the SSH server');
	const sshPort = await freePort(before.ports.ssh);
	const sshd = await startSshd({
		dir: folders.sshd,
		port: sshPort,
		detached: true,
		// With a home of its own: what a person's shell does at each start has no place here, and may take longer than the command.
		config: [`SetEnv "PATH=${serverPath(folders)}" "HOME=${folders.dir}"`],
	});
	const webPort = await freePort(before.ports.web);
	const state: SandboxState = { ...before, ports: { database: mariadb.port, ssh: sshd.port, web: webPort } };
	await movePorts(before, state, folders, mariadb);
	await writeSandboxState(folders.dir, state);
	step('Starting the web server');
	await startWeb(folders, webPort);
	step('Starting the daemons');
	await runStart(folders);
	const { engine, client } = await startVolunteer(state, folders, ctx, step);
	return {
		dir: folders.dir,
		projectRoot: folders.projectRoot,
		masterUrl: masterUrlOf({ name: state.name, webPort }),
		target: { kind: 'ssh', user: os.userInfo().username, host: '127.0.0.1', port: sshd.port, path: folders.projectRoot },
		identityFile: sshd.userKeyFile,
		knownHostsFile: sshd.knownHostsFile,
		wrapperFolder: state.wrapperFolder,
		busyboxFile: ['/bin/busybox', '/usr/bin/busybox'].find((file) => existsSync(file)) ?? '/bin/busybox',
		serverPath: serverPath(folders),
		database: mariadb,
		authenticator: state.authenticator,
		engine,
		client,
		stop: () => stopSandbox(folders.dir),
	};
}

/** What `sshd` gives to sessions, and our commands after it. */
const serverPath = (folders: SandboxFolders): string =>
	`/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:${commandsFolder(folders)}`;

async function startVolunteer(
	state: SandboxState,
	folders: SandboxFolders,
	ctx: OperationContext,
	step: (message: string) => void,
): Promise<Pick<Sandbox, 'engine' | 'client'>> {
	const signal = ctx.signal && { signal: ctx.signal };
	let engine: SandboxEngine | undefined;
	if (state.engine !== 'none') {
		step('Starting the container engine');
		engine = await startEngine({ dir: folders.engine, kind: state.engine, ...signal });
	}
	if (state.clientCount === 0) {
		return { engine, client: undefined };
	}
	step('Starting the BOINC client');
	const client = await startClient({
		dir: folders.client,
		masterUrl: masterUrlOf({ name: state.name, webPort: state.ports.web }),
		authenticator: state.authenticator,
		// The stand-in looks at its container as often as BOINC's wrapper does, scaled like the project's programs.
		env: {
			...engine?.env,
			...(engine && { BOINC_SANDBOX_ENGINE: engine.kind, BOINC_SANDBOX_STATUS_SECONDS: String(Math.max(1, 10 * state.pace)) }),
		},
		...signal,
	});
	return { engine, client };
}

/** Addresses that had to change because somebody else took a port are changed wherever the project keeps them. */
async function movePorts(
	before: SandboxState,
	after: SandboxState,
	folders: SandboxFolders,
	settings: DatabaseSettings,
): Promise<void> {
	const moves = [
		[before.ports.database, after.ports.database],
		[before.ports.web, after.ports.web],
	].filter((ports): ports is [number, number] => ports[0] !== undefined && ports[0] !== ports[1]);
	if (moves.length === 0) {
		return;
	}
	for (const name of ['config.xml', 'html/user/schedulers.txt']) {
		const file = path.join(folders.projectRoot, name);
		let text = await readFile(file, 'utf8');
		for (const [from, to] of moves) {
			text = text.replaceAll(new RegExp(`127\\.0\\.0\\.1:${from}(?!\\d)`, 'g'), `127.0.0.1:${to}`);
		}
		await writeFile(file, text);
	}
	if (before.ports.web === after.ports.web) {
		return;
	}
	const database = await openDatabase(settings);
	try {
		for (const [table, column] of [
			['app_version', 'xml_doc'],
			['workunit', 'xml_doc'],
			['result', 'xml_doc_in'],
		] as const) {
			await database.execute(`UPDATE ${table} SET ${column} = REPLACE(${column}, ?, ?)`, [
				`${urlBase(before.ports.web)}/`,
				`${urlBase(after.ports.web)}/`,
			]);
		}
	} finally {
		await database.end();
	}
}

async function startWeb(folders: SandboxFolders, port: number): Promise<void> {
	const node = path.join(folders.program, 'run', 'status');
	const pid = await startDetached(node, [path.join(folders.program, PROGRAM_FILE), 'web', folders.dir], {
		cwd: folders.dir,
		log: folders.webLog,
	});
	await writeFile(folders.webPidFile, `${pid}\n`);
	const deadline = Date.now() + WEB_READY_WITHIN_MS;
	while (isOurs(pid, folders.program) && Date.now() < deadline) {
		if (await answers(port)) {
			return;
		}
		await sleep(50);
	}
	const log = await readFile(folders.webLog, 'utf8').catch(() => '');
	throw new BoincError('sandbox-failed', `The web server of the sandbox in ${folders.dir} does not start: ${log.slice(-500)}`, {
		remedy: `Read ${folders.webLog}.`,
	});
}

async function answers(port: number): Promise<boolean> {
	try {
		const response = await fetch(`${urlBase(port)}/`, { signal: AbortSignal.timeout(2000) });
		await response.arrayBuffer();
		return true;
	} catch {
		return false;
	}
}

async function runStart(folders: SandboxFolders): Promise<void> {
	try {
		await promisify(execFile)(path.join(folders.projectRoot, 'bin/start'), ['-v'], {
			cwd: folders.projectRoot,
			timeout: START_WITHIN_MS,
		});
	} catch (cause) {
		throw new BoincError('sandbox-failed', `The daemons of the sandbox in ${folders.dir} do not start: ${messageOf(cause)}`, {
			cause,
		});
	}
}
