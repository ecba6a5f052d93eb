import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { BoincError } from '../common/errors.js';
import type { OperationContext } from '../common/ports.js';
import { installSchema, openDatabase } from './database.js';
import type { EngineKind } from './engine.js';
import { freePort } from './freePort.js';
import { installProgram, STANDIN_FILE } from './installProgram.js';
import { startMariadb } from './mariadb.js';
import { STOCK_PLATFORMS } from './platforms.js';
import { createProjectTree } from './projectTree.js';
import type { Sandbox } from './sandbox.js';
import { readSandboxState, type SandboxFolders, sandboxFolders, type SandboxState, writeSandboxState } from './sandboxState.js';
import { installStandin, STANDIN_NAME } from './standin/installStandin.js';
import { startSandbox } from './startSandbox.js';
import { stopSandbox } from './stopSandbox.js';

export interface SandboxOptions {
	/** An empty or absent folder for everything. */
	readonly dir: string;
	/** Folder with the built program (`sandbox.js`). Default: where this program runs from. */
	readonly program?: string;
	/** BOINC clients that work for the project. Default 0. */
	readonly clientCount?: 0 | 1;
	/** Container engine of the volunteer's host. Default: Podman, or Docker without it, for a client; none otherwise. */
	readonly engine?: EngineKind | 'none';
	/** Hash directories. Default 1024. */
	readonly fanout?: number;
	/** Waiting times of the project's programs in comparison with BOINC's. Default 0.1. */
	readonly pace?: number;
	/** docker_wrapper binaries. Default: the stand-in. */
	readonly wrapperFolder?: string;
	/** Short name: folder below `projects/` and path in the URLs. Default `sandbox`. */
	readonly name?: string;
	readonly longName?: string;
}

/** Short host name, as BOINC's programs use it. */
export const shortHostName = (): string => os.hostname().split('.')[0] ?? 'localhost';

/**
 * Creates a project in a folder and starts it. On failure everything is stopped and the folder is empty again. Throws
 * `package-missing`, `sandbox-failed`, `file-in-the-way` when the folder is in use, or an `AbortError`.
 */
export async function createSandbox(options: SandboxOptions, ctx: OperationContext): Promise<Sandbox> {
	const name = options.name ?? 'sandbox';
	const folders = sandboxFolders(options.dir, name);
	const existed = existsSync(folders.dir);
	if (existed && (await readdir(folders.dir)).length > 0) {
		throw new BoincError('file-in-the-way', `The folder ${folders.dir} is not empty.`, {
			remedy: (await readSandboxState(folders.dir))
				? 'It is a sandbox already: start it, or choose another folder.'
				: 'Choose an empty folder for the sandbox.',
		});
	}
	try {
		await mkdir(folders.dir, { recursive: true, mode: 0o755 });
		await prepare(options, name, folders, ctx);
		return await startSandbox({ dir: folders.dir }, ctx);
	} catch (error) {
		await stopSandbox(folders.dir).catch((failure: unknown) => ctx.log.warn(`Cleaning up the sandbox: ${String(failure)}`));
		await removeContent(folders.dir, existed);
		throw error;
	}
}

async function removeContent(dir: string, keepFolder: boolean): Promise<void> {
	for (const entry of await readdir(dir).catch(() => [])) {
		await rm(path.join(dir, entry), { recursive: true, force: true });
	}
	if (!keepFolder) {
		await rm(dir, { recursive: true, force: true });
	}
}

async function prepare(options: SandboxOptions, name: string, folders: SandboxFolders, ctx: OperationContext): Promise<void> {
	if (!/^[a-z][a-z0-9]*$/i.test(name)) {
		throw new BoincError('usage', `“${name}” cannot be the short name of a project: use letters and digits.`);
	}
	ctx.progress.report({ message: 'Creating the database' });
	const program = options.program ?? path.dirname(process.argv[1] ?? '');
	const state = initialState(options, name, folders, await freePort());
	await writeSandboxState(folders.dir, state);
	const mariadb = await startMariadb({ dir: folders.mariadb });
	await writeSandboxState(folders.dir, { ...state, ports: { ...state.ports, database: mariadb.port } });
	const database = await openDatabase(mariadb);
	try {
		await installSchema(database);
		const now = Math.floor(Date.now() / 1000);
		for (const [platform, friendlyName] of STOCK_PLATFORMS) {
			await database.execute('INSERT INTO platform (create_time, name, user_friendly_name) VALUES (?, ?, ?)', [
				now,
				platform,
				friendlyName,
			]);
		}
		await database.execute(
			`INSERT INTO user (create_time, email_addr, name, authenticator, passwd_hash, send_email, show_hosts, cross_project_id)
				VALUES (?, 'volunteer@example.org', 'volunteer', ?, '', 1, 1, ?)`,
			[now, state.authenticator, randomBytes(16).toString('hex')],
		);
	} finally {
		await database.end();
	}
	ctx.progress.report({ message: 'Creating the project' });
	await createProjectTree({
		root: folders.projectRoot,
		name,
		longName: options.longName ?? 'Sandbox',
		host: shortHostName(),
		fanout: state.fanout,
		webPort: state.ports.web,
		database: mariadb,
	});
	await installProgram(program, folders);
	await mkdir(folders.wrappers, { recursive: true });
	if (options.wrapperFolder === undefined && existsSync(path.join(program, STANDIN_FILE))) {
		await installStandin(path.join(program, STANDIN_FILE), path.join(folders.wrappers, STANDIN_NAME));
		ctx.log.info('The volunteer runs a stand-in for docker_wrapper: a script of ours, not the program of the BOINC project.');
	}
}

function initialState(options: SandboxOptions, name: string, folders: SandboxFolders, webPort: number): SandboxState {
	const clientCount = options.clientCount ?? 0;
	return {
		name,
		pace: options.pace ?? 0.1,
		fanout: options.fanout ?? 1024,
		clientCount,
		engine: options.engine ?? (clientCount === 0 ? 'none' : defaultEngine()),
		wrapperFolder: options.wrapperFolder === undefined ? folders.wrappers : path.resolve(options.wrapperFolder),
		ports: { web: webPort },
		authenticator: randomBytes(16).toString('hex'),
	};
}

function defaultEngine(): EngineKind {
	const folders = (process.env.PATH ?? '').split(':');
	const isThere = (program: string): boolean => folders.some((folder) => existsSync(path.join(folder, program)));
	return isThere('podman') || !isThere('docker') ? 'podman' : 'docker';
}
