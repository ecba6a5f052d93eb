import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import { BoincError, messageOf } from '../common/errors.js';
import { type DatabaseSettings, openDatabase } from './database.js';
import { freePort } from './freePort.js';
import { commandLine, endProcess, isOurs, readPid, startDetached } from './processes.js';

export interface MariadbOptions {
	/** Folder of the server: data, socket, pid file and log. Created when absent; a second start uses the same data. */
	readonly dir: string;
	/** Wanted TCP port; another one is taken when it is not free. */
	readonly port?: number;
	/** Default `boincadm`. */
	readonly user?: string;
	/** Default `sandbox`. Created when absent. */
	readonly database?: string;
}

/** A running database server on 127.0.0.1. */
export interface Mariadb extends DatabaseSettings {
	readonly socket: string;
	readonly pid: number;
	stop(): Promise<void>;
}

const READY_WITHIN_MS = 60_000;

/**
 * Starts a MariaDB server of our own, as root or as anybody. It survives the caller's end; `stopMariadb(dir)` or `stop()`
 * ends it. Throws `package-missing` without the programs, `sandbox-failed` when the server does not come up.
 */
export async function startMariadb(options: MariadbOptions): Promise<Mariadb> {
	const dir = path.resolve(options.dir);
	const user = options.user ?? 'boincadm';
	const database = options.database ?? 'sandbox';
	await mkdir(dir, { recursive: true, mode: 0o755 });
	await mkdir(tmpDir(dir), { recursive: true });
	await stopMariadb(dir);
	const password = await ownPassword(dir);
	await installData(dir);
	await writeFile(path.join(dir, 'init.sql'), initSql(user, password, database), { mode: 0o600 });
	const socket = socketPath(dir);
	let port = await freePort(options.port);
	for (let attempt = 0; ; attempt++) {
		const settings = { host: '127.0.0.1', port, user, password, database };
		const pid = await startServer(dir, socket, port);
		const failure = await waitUntilReady(dir, pid, settings);
		if (failure === undefined) {
			return { ...settings, socket, pid, stop: () => stopMariadb(dir) };
		}
		await stopMariadb(dir);
		if (attempt === 2 || !failure.includes('Address already in use')) {
			throw new BoincError('sandbox-failed', `The database server in ${dir} does not start: ${failure}`, {
				remedy: `Read ${logFile(dir)}.`,
			});
		}
		port = await freePort();
	}
}

/** Ends the server of `dir`, if one runs. */
export async function stopMariadb(dir: string): Promise<void> {
	const folder = path.resolve(dir);
	const pid = readPid(pidFile(folder));
	if (pid !== undefined) {
		await endProcess(pid, dataDir(folder), 20_000);
	}
	await rm(pidFile(folder), { force: true });
}

/** The process id of the server of `dir` when it runs. */
export function mariadbPid(dir: string): number | undefined {
	const folder = path.resolve(dir);
	const pid = readPid(pidFile(folder));
	return pid !== undefined && isOurs(pid, dataDir(folder)) ? pid : undefined;
}

const dataDir = (dir: string): string => path.join(dir, 'data');
/** Servers that share a folder for temporary tables remove each other's. */
const tmpDir = (dir: string): string => path.join(dir, 'tmp');
const pidFile = (dir: string): string => path.join(dir, 'mariadbd.pid');
const logFile = (dir: string): string => path.join(dir, 'error.log');

/** A UNIX socket's path has at most 107 bytes; a deep folder gets its socket in the temporary folder. */
function socketPath(dir: string): string {
	const inside = path.join(dir, 'mysqld.sock');
	if (Buffer.byteLength(inside) <= 100) {
		return inside;
	}
	return path.join(os.tmpdir(), `b2d-${Buffer.from(dir).toString('base64url').slice(-40)}.sock`);
}

async function ownPassword(dir: string): Promise<string> {
	const file = path.join(dir, 'password');
	try {
		return (await readFile(file, 'utf8')).trim();
	} catch {
		const password = randomBytes(12).toString('hex');
		await writeFile(file, `${password}\n`, { mode: 0o600 });
		return password;
	}
}

/** `user` and `database` are words of our own, the password is hex: nothing here can break out of its quotes. */
function initSql(user: string, password: string, database: string): string {
	const lines = [`CREATE DATABASE IF NOT EXISTS \`${database}\` DEFAULT CHARACTER SET utf8mb4;`];
	for (const host of ['localhost', '127.0.0.1']) {
		lines.push(
			`CREATE USER IF NOT EXISTS '${user}'@'${host}' IDENTIFIED BY '${password}';`,
			`GRANT ALL ON *.* TO '${user}'@'${host}';`,
		);
	}
	lines.push(`ALTER USER 'root'@'localhost' IDENTIFIED BY '${password}';`);
	return `${lines.join('\n')}\n`;
}

/** The option that lets root run the server as itself; harmless for others, who need none. */
const asUser = (): string[] => (process.getuid?.() === 0 ? ['--user=root'] : []);

async function installData(dir: string): Promise<void> {
	if (existsSync(path.join(dataDir(dir), 'mysql'))) {
		return;
	}
	await rm(dataDir(dir), { recursive: true, force: true });
	try {
		await promisify(execFile)(
			'mariadb-install-db',
			[
				'--no-defaults',
				...asUser(),
				`--datadir=${dataDir(dir)}`,
				`--tmpdir=${tmpDir(dir)}`,
				'--auth-root-authentication-method=normal',
				'--skip-test-db',
				'--skip-name-resolve',
				'--innodb-log-file-size=8M',
			],
			{ timeout: 120_000, maxBuffer: 1 << 22, env: withSystemPath() },
		);
	} catch (cause) {
		throw missingOrFailed(cause);
	}
}

async function startServer(dir: string, socket: string, port: number): Promise<number> {
	await rm(logFile(dir), { force: true });
	const args = [
		'--no-defaults',
		...asUser(),
		`--datadir=${dataDir(dir)}`,
		`--tmpdir=${tmpDir(dir)}`,
		`--socket=${socket}`,
		`--pid-file=${pidFile(dir)}`,
		`--init-file=${path.join(dir, 'init.sql')}`,
		'--bind-address=127.0.0.1',
		`--port=${String(port)}`,
		'--skip-name-resolve',
		'--skip-log-bin',
		'--performance-schema=OFF',
		'--innodb-flush-log-at-trx-commit=2',
		'--innodb-buffer-pool-size=32M',
		'--innodb-log-file-size=8M',
		'--innodb-use-native-aio=0',
		'--max-connections=200',
		'--max-allowed-packet=64M',
		'--loose-innodb-fast-shutdown=1',
	];
	try {
		return await startDetached('mariadbd', args, { cwd: dir, log: logFile(dir), env: withSystemPath() });
	} catch (cause) {
		throw missingOrFailed(cause);
	}
}

/** `undefined` when the server answers; otherwise why it does not. */
async function waitUntilReady(dir: string, pid: number, settings: DatabaseSettings): Promise<string | undefined> {
	const deadline = Date.now() + READY_WITHIN_MS;
	let last = 'it does not answer';
	while (Date.now() < deadline) {
		if (commandLine(pid).length === 0) {
			return errorLines(dir);
		}
		// Only our own server writes this pid file, so a stranger on the same port is not mistaken for it.
		if (readPid(pidFile(dir)) === pid) {
			try {
				const connection = await openDatabase(settings);
				await connection.end();
				return undefined;
			} catch (error) {
				last = messageOf(error);
			}
		}
		await sleep(50);
	}
	return last;
}

async function errorLines(dir: string): Promise<string> {
	const text = await readFile(logFile(dir), 'utf8').catch(() => '');
	const errors = text.split('\n').filter((line) => line.includes('[ERROR]'));
	return errors.slice(-3).join('; ') || text.slice(-500) || 'it ended without a message';
}

/** `mariadbd` lies in /usr/sbin, which is not in everybody's PATH. */
function withSystemPath(): NodeJS.ProcessEnv {
	return { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin` };
}

function missingOrFailed(cause: unknown): BoincError {
	if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') {
		return new BoincError('package-missing', 'The sandbox needs MariaDB, which is not installed here.', {
			remedy: 'Install it: apt-get install mariadb-server (Debian, Ubuntu).',
			detail: { package: 'mariadb-server' },
			cause,
		});
	}
	return new BoincError('sandbox-failed', `The database could not be set up: ${messageOf(cause)}`, { cause });
}
