import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { BoincError, throwIfAborted } from '../../common/errors.js';
import type { EngineFolders } from '../engine.js';
import { endProcess, isOurs, readPid, startDetached } from '../processes.js';
import { findProgram, tryProgram, unmountBelow } from './programs.js';

const START_MS = 60_000;

/** Starts a `dockerd` of its own unless it runs already; resolves to the environment that leads `docker` to it. */
export async function startDocker(folders: EngineFolders, signal?: AbortSignal): Promise<Record<string, string>> {
	const daemon = await findProgram('dockerd', 'docker.io');
	await findProgram('docker', 'docker.io');
	const env = environment(folders);
	const pid = readPid(pidFile(folders));
	if (pid === undefined || !isOurs(pid, folders.dir)) {
		await launch(daemon, folders, env, signal);
	}
	return env;
}

/** Ends the daemon with all its containers and unmounts what it mounted. */
export async function stopDocker(folders: EngineFolders): Promise<void> {
	const pid = readPid(pidFile(folders));
	if (pid !== undefined && isOurs(pid, folders.dir)) {
		// The daemon waits ten seconds for each container that ignores SIGTERM, so they are ended first.
		const env = environment(folders);
		const list = await tryProgram('docker', ['ps', '--quiet', '--all'], env);
		const ids = list.stdout.split('\n').filter((id) => id !== '');
		if (ids.length > 0) {
			await tryProgram('docker', ['rm', '--force', ...ids], env);
		}
		await endProcess(pid, folders.dir, 20_000);
	}
	await unmountBelow([folders.dir, folders.runDir]);
}

const pidFile = (folders: EngineFolders): string => join(folders.runDir, 'docker.pid');

function environment(folders: EngineFolders): Record<string, string> {
	return { DOCKER_HOST: `unix://${join(folders.runDir, 'docker.sock')}`, DOCKER_CONFIG: join(folders.dir, 'config') };
}

async function launch(
	daemon: string,
	folders: EngineFolders,
	env: Record<string, string>,
	signal: AbortSignal | undefined,
): Promise<void> {
	const { dir, runDir } = folders;
	const log = join(dir, 'dockerd.log');
	const daemonConfig = join(dir, 'daemon.json');
	await mkdir(join(dir, 'config'), { recursive: true });
	// A file of its own: the machine's /etc/docker/daemon.json must not reach into the sandbox.
	await writeFile(daemonConfig, '{}\n');
	const pid = await startDetached(
		daemon,
		[
			`--config-file=${daemonConfig}`,
			`--host=unix://${join(runDir, 'docker.sock')}`,
			`--data-root=${join(dir, 'data')}`,
			`--exec-root=${join(runDir, 'exec')}`,
			`--pidfile=${pidFile(folders)}`,
			// If the machine runs a containerd, dockerd uses that one: own namespaces keep the two apart.
			`--containerd-namespace=${namespaceOf(dir)}`,
			`--containerd-plugins-namespace=${namespaceOf(dir)}-plugins`,
			// No bridge and no firewall rules: the machine's network stays as it is.
			'--bridge=none',
			'--iptables=false',
			'--ip6tables=false',
		],
		{ cwd: dir, log },
	);
	const deadline = Date.now() + START_MS;
	while (Date.now() < deadline && isOurs(pid, dir)) {
		if (await answers(folders, env)) {
			return;
		}
		if (signal?.aborted) {
			await stopDocker(folders);
		}
		throwIfAborted(signal);
		await sleep(50);
	}
	await endProcess(pid, dir);
	await unmountBelow([dir, runDir]);
	const said = (await readFile(log, 'utf8').catch(() => '')).trim().split('\n').slice(-5).join('\n');
	throw new BoincError('sandbox-failed', `The Docker daemon of the sandbox did not start:\n${said}`, {
		remedy: 'Docker’s daemon needs root; use Podman otherwise.',
		detail: { log },
	});
}

async function answers(folders: EngineFolders, env: Record<string, string>): Promise<boolean> {
	try {
		await access(join(folders.runDir, 'docker.sock'));
	} catch {
		return false;
	}
	return (await tryProgram('docker', ['version', '--format', '{{.Server.Version}}'], env)).code === 0;
}

/** Letters and digits only, different for each folder with high probability. */
function namespaceOf(dir: string): string {
	return `b2d-${basename(dir).replaceAll(/[^A-Za-z0-9]/g, '')}-${Buffer.from(dir).toString('hex').slice(-16)}`;
}
