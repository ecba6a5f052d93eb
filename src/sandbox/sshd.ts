import { execFile, spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access, appendFile, chmod, mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import { BoincError, messageOf } from '../common/errors.js';

const SSHD = '/usr/sbin/sshd';
const START_MS = 15_000;
const STOP_MS = 5_000;
const runProgram = promisify(execFile);

export type HostKeyType = 'ed25519' | 'ecdsa' | 'rsa';

export interface SshdOptions {
	/** Everything lives here; keys that are already there are used again. */
	readonly dir: string;
	/** The only account that may log in. Default: the account that runs this process; only root can serve another. */
	readonly user?: string;
	/** Port on 127.0.0.1. Default: a free one. */
	readonly port?: number;
	/** Channels in one connection. Default 10, as OpenSSH. */
	readonly maxSessions?: number;
	/** Whether the account's system password is accepted (needs root). Default no. */
	readonly passwordAuth?: 'yes' | 'no';
	/** Host keys to make and offer. Default ed25519. */
	readonly hostKeyTypes?: readonly HostKeyType[];
	/** Further lines for `sshd_config`; the first value of a keyword wins, and these come first. */
	readonly config?: readonly string[];
	/** Whether the server outlives this process. Default no. */
	readonly detached?: boolean;
}

export interface Sshd {
	readonly port: number;
	readonly user: string;
	/** Private host key of the first type; the public one has `.pub` appended. */
	readonly hostKeyFile: string;
	/** Private key that may log in. */
	readonly userKeyFile: string;
	readonly knownHostsFile: string;
	readonly authorizedKeysFile: string;
	/** What the server says, at level VERBOSE. */
	readonly logFile: string;
	readonly pid: number;
	/** Process ids of everything the server started, sessions and their commands, children before grandchildren. */
	descendants(): Promise<number[]>;
	/** Ends the server, its sessions and what runs in them. Idempotent. */
	stop(): Promise<void>;
}

/**
 * Starts OpenSSH's server on a loopback port with its own configuration and keys in one folder.
 * Throws `package-missing` without `/usr/sbin/sshd`, `sandbox-failed` when it does not come up.
 */
export async function startSshd(options: SshdOptions): Promise<Sshd> {
	await access(SSHD, constants.X_OK).catch((cause: unknown) => {
		throw new BoincError('package-missing', `The SSH server ${SSHD} is not installed.`, {
			remedy: 'Install the package openssh-server.',
			cause,
		});
	});
	const { dir } = options;
	const user = options.user ?? userInfo().username;
	const types = options.hostKeyTypes ?? ['ed25519'];
	await mkdir(dir, { recursive: true, mode: 0o755 });
	if (process.getuid?.() === 0) {
		await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
	}
	for (const type of types) {
		await ensureKey(join(dir, `host_${type}`), type);
	}
	const userKeyFile = join(dir, 'id_ed25519');
	const authorizedKeysFile = join(dir, 'authorized_keys');
	await ensureKey(userKeyFile, 'ed25519');
	await authorize(authorizedKeysFile, await readFile(`${userKeyFile}.pub`, 'utf8'));

	const attempts = options.port === undefined ? 5 : 1;
	for (let attempt = 1; ; attempt++) {
		const port = options.port ?? (await freePort());
		try {
			const pid = await launch(options, user, types, port);
			const knownHostsFile = join(dir, 'known_hosts');
			const publicKeys = await Promise.all(types.map((type) => readFile(join(dir, `host_${type}.pub`), 'utf8')));
			await writeFile(knownHostsFile, publicKeys.map((key) => `[127.0.0.1]:${String(port)} ${withoutComment(key)}\n`).join(''));
			return {
				port,
				user,
				hostKeyFile: join(dir, `host_${types[0] ?? 'ed25519'}`),
				userKeyFile,
				knownHostsFile,
				authorizedKeysFile,
				logFile: join(dir, 'sshd.log'),
				pid,
				descendants: () => descendantsOf(pid),
				stop: () => stopSshd(dir),
			};
		} catch (error) {
			// Another process may have taken the free port in between.
			if (attempt >= attempts) {
				throw error;
			}
		}
	}
}

/** Ends the server that `startSshd` started in `dir`, from any process, with all that it started. Idempotent. */
export async function stopSshd(dir: string): Promise<void> {
	const pidFile = join(dir, 'sshd.pid');
	const pid = Number(await readFile(pidFile, 'utf8').catch(() => ''));
	if (!Number.isInteger(pid) || pid <= 1 || !(await isOurs(pid, dir))) {
		await rm(pidFile, { force: true });
		return;
	}
	// The list is taken while the parents live: orphans could no longer be told from other people's processes.
	const children = await descendantsOf(pid);
	signal([pid], 'SIGTERM');
	signal(children.toReversed(), 'SIGTERM');
	const deadline = Date.now() + STOP_MS;
	let alive = [pid, ...children];
	while ((alive = await living(alive)).length > 0 && Date.now() < deadline) {
		await sleep(20);
	}
	signal(alive, 'SIGKILL');
	await rm(pidFile, { force: true });
}

async function launch(options: SshdOptions, user: string, types: readonly HostKeyType[], port: number): Promise<number> {
	const { dir } = options;
	const configFile = join(dir, 'sshd_config');
	await writeFile(configFile, configuration(options, user, types, port));
	const logFile = join(dir, 'sshd.log');
	const log = await open(logFile, 'a');
	const logStart = (await log.stat()).size;
	const child = spawn(SSHD, ['-D', '-e', '-f', configFile], {
		stdio: ['ignore', log.fd, log.fd],
		detached: options.detached ?? false,
	});
	const state: { ended?: string } = {};
	child.once('error', (error) => (state.ended = messageOf(error)));
	child.once('exit', (code, signalName) => (state.ended = `it ended with ${String(code ?? signalName)}`));
	await log.close();
	if (options.detached) {
		child.unref();
	}
	const deadline = Date.now() + START_MS;
	while (state.ended === undefined && Date.now() < deadline) {
		if (child.pid !== undefined && (await greets(port)) && !('ended' in state)) {
			await writeFile(join(dir, 'sshd.pid'), String(child.pid));
			return child.pid;
		}
		await sleep(25);
	}
	child.kill('SIGKILL');
	const said = (await readFile(logFile)).subarray(logStart).toString('utf8').trim();
	throw new BoincError(
		'sandbox-failed',
		`The SSH server on port ${String(port)} did not start: ${state.ended ?? 'no answer'}. ${said}`,
	);
}

function configuration(options: SshdOptions, user: string, types: readonly HostKeyType[], port: number): string {
	const { dir } = options;
	const password = options.passwordAuth ?? 'no';
	return [
		...(options.config ?? []),
		`Port ${String(port)}`,
		'ListenAddress 127.0.0.1',
		...types.map((type) => `HostKey "${join(dir, `host_${type}`)}"`),
		`AuthorizedKeysFile "${join(dir, 'authorized_keys')}"`,
		`AllowUsers ${user}`,
		'PubkeyAuthentication yes',
		`PasswordAuthentication ${password}`,
		'KbdInteractiveAuthentication no',
		`PermitRootLogin ${password === 'yes' ? 'yes' : 'prohibit-password'}`,
		'UsePAM no',
		// Temporary folders are often writable by others, which StrictModes refuses.
		'StrictModes no',
		`MaxSessions ${String(options.maxSessions ?? 10)}`,
		'MaxStartups 100',
		'AllowTcpForwarding yes',
		'AllowStreamLocalForwarding yes',
		'UseDNS no',
		'PrintMotd no',
		'PrintLastLog no',
		'PidFile none',
		'LogLevel VERBOSE',
		'Subsystem sftp internal-sftp',
		'',
	].join('\n');
}

async function ensureKey(file: string, type: HostKeyType): Promise<void> {
	const exists = await access(file).then(
		() => true,
		() => false,
	);
	if (!exists) {
		const bits = type === 'rsa' ? ['-b', '2048'] : [];
		await runProgram('ssh-keygen', ['-q', '-t', type, ...bits, '-N', '', '-C', 'boinc2docker-sandbox', '-f', file]);
	}
	await chmod(file, 0o600);
}

async function authorize(file: string, publicKey: string): Promise<void> {
	const present = await readFile(file, 'utf8').catch(() => '');
	if (!present.includes(withoutComment(publicKey))) {
		await appendFile(file, `${present === '' || present.endsWith('\n') ? '' : '\n'}${publicKey}`);
	}
	// The session reads it as the account that logs in.
	await chmod(file, 0o644);
}

const withoutComment = (publicKey: string): string => publicKey.trim().split(' ').slice(0, 2).join(' ');

async function freePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
	const address = server.address();
	await new Promise<void>((resolve) => server.close(() => resolve()));
	if (address === null || typeof address === 'string') {
		throw new BoincError('sandbox-failed', 'No free loopback port was found.');
	}
	return address.port;
}

/** Whether an SSH server speaks at the port. */
function greets(port: number): Promise<boolean> {
	return new Promise((resolve) => {
		const socket = connect(port, '127.0.0.1');
		const finish = (answer: boolean): void => {
			socket.destroy();
			resolve(answer);
		};
		socket.setTimeout(2_000, () => finish(false));
		socket.once('error', () => finish(false));
		socket.once('close', () => finish(false));
		socket.once('data', (data) => finish(data.toString('latin1').startsWith('SSH-2.0')));
	});
}

async function isOurs(pid: number, dir: string): Promise<boolean> {
	const commandLine = await readFile(`/proc/${String(pid)}/cmdline`, 'utf8').catch(() => '');
	return commandLine.includes(join(dir, 'sshd_config'));
}

async function descendantsOf(root: number): Promise<number[]> {
	const children = new Map<number, number[]>();
	for (const name of await readdir('/proc')) {
		const stat = /^\d+$/.test(name) ? await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '') : '';
		// The program's name in parentheses may hold anything; the parent is the second field after it.
		const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
		if (stat !== '') {
			children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
		}
	}
	const found: number[] = [];
	for (const queue = [root]; queue.length > 0;) {
		const next = children.get(queue.shift() ?? 0) ?? [];
		found.push(...next);
		queue.push(...next);
	}
	return found;
}

/** Those of `pids` that run. A zombie whose parent never waits counts as ended. */
async function living(pids: readonly number[]): Promise<number[]> {
	const states = await Promise.all(
		pids.map(async (pid) => {
			const stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8').catch(() => '');
			return stat === '' ? 'Z' : (stat.slice(stat.lastIndexOf(')') + 2)[0] ?? 'Z');
		}),
	);
	return pids.filter((_, index) => states[index] !== 'Z');
}

function signal(pids: readonly number[], name: 'SIGTERM' | 'SIGKILL'): void {
	for (const pid of pids) {
		try {
			process.kill(pid, name);
		} catch {
			// It has ended by itself.
		}
	}
}
