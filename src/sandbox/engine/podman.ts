import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import { BoincError, throwIfAborted } from '../../common/errors.js';
import type { EngineFolders } from '../engine.js';
import { commandLine, signalProcess } from '../processes.js';
import { findProgram, programPath, type ProgramResult, tryProgram, unmountBelow } from './programs.js';

/** What is tried in this order: the first pair that runs a container is kept. */
const DRIVERS = ['overlay', 'vfs'] as const;
// runc first: crun refuses hosts where both versions of control groups are mounted.
const RUNTIMES = ['runc', 'crun'] as const;

/**
 * Writes Podman's configuration into the folder and makes sure that a container runs with it; resolves to the
 * environment that leads `podman` there. Podman has no daemon, so nothing is started.
 */
export async function preparePodman(folders: EngineFolders, signal?: AbortSignal): Promise<Record<string, string>> {
	await findProgram('podman', 'podman');
	const env = environment(folders);
	const chosen = join(folders.dir, 'chosen.json');
	if ((await readFile(chosen, 'utf8').catch(() => '')) !== '') {
		await mkdir(join(folders.dir, 'tmp'), { recursive: true });
		return env;
	}
	const failures: string[] = [];
	for (const driver of DRIVERS) {
		for (const runtime of RUNTIMES) {
			throwIfAborted(signal);
			if ((await programPath(runtime)) === undefined) {
				continue;
			}
			await configure(folders, driver, runtime);
			const { code, stderr } = await probe(env);
			if (code === 0) {
				await writeFile(chosen, JSON.stringify({ driver, runtime }));
				return env;
			}
			failures.push(`${driver} with ${runtime}: ${stderr.trim()}`);
			await stopPodman(folders);
			// A store belongs to one driver.
			await rm(join(folders.dir, 'graph'), { recursive: true, force: true });
		}
	}
	throw new BoincError('sandbox-failed', `Podman cannot run a container on this machine.\n${failures.join('\n')}`, {
		remedy: 'Install the packages runc, containernetworking-plugins and fuse-overlayfs, and for other accounts than root uidmap.',
	});
}

/** Ends all containers and builds in this folder's store and unmounts their file systems. */
export async function stopPodman(folders: EngineFolders): Promise<void> {
	const env = environment(folders);
	if ((await readFile(env.CONTAINERS_CONF ?? '').catch(() => undefined)) === undefined) {
		return;
	}
	await tryProgram('podman', ['rm', '--all', '--force', '--time', '0'], env);
	for (const pid of await processesOf(folders)) {
		signalProcess(pid, 'SIGKILL');
	}
	await unmountBelow([folders.dir, folders.runDir]);
}

function environment(folders: EngineFolders): Record<string, string> {
	return {
		CONTAINERS_STORAGE_CONF: join(folders.dir, 'storage.conf'),
		CONTAINERS_CONF: join(folders.dir, 'containers.conf'),
		CONTAINERS_REGISTRIES_CONF: join(folders.dir, 'registries.conf'),
		REGISTRY_AUTH_FILE: join(folders.dir, 'auth.json'),
	};
}

async function configure(folders: EngineFolders, driver: string, runtime: string): Promise<void> {
	const { dir, runDir } = folders;
	const quoted = (path: string): string => JSON.stringify(path);
	const rootless = process.getuid?.() !== 0;
	await mkdir(join(dir, 'tmp'), { recursive: true });
	const storage = [
		'[storage]',
		`driver = "${driver}"`,
		`runroot = ${quoted(join(runDir, 'containers'))}`,
		`graphroot = ${quoted(join(dir, 'graph'))}`,
		`rootless_storage_path = ${quoted(join(dir, 'graph'))}`,
		...(rootless && driver === 'overlay' ? ['[storage.options.overlay]', 'mount_program = "/usr/bin/fuse-overlayfs"'] : []),
		// The copy driver keeps device nodes and the like only if it may ignore what an unprivileged account cannot set.
		...(rootless && driver === 'vfs' ? ['[storage.options.vfs]', 'ignore_chown_errors = "true"'] : []),
	];
	const containers = [
		'[containers]',
		// Podman's defaults are above what a process without CAP_SYS_RESOURCE may set.
		'default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]',
		'[network]',
		`network_config_dir = ${quoted(join(dir, 'networks'))}`,
		'[engine]',
		`runtime = "${runtime}"`,
		'cgroup_manager = "cgroupfs"',
		'events_logger = "file"',
		`tmp_dir = ${quoted(join(runDir, 'libpod'))}`,
		// Below graphroot: Podman's clean-up process is told only --root, and takes this folder from it. Anywhere else it
		// does not find the container, and `podman run` waits 20 s for it.
		`static_dir = ${quoted(join(dir, 'graph', 'libpod'))}`,
		`volume_path = ${quoted(join(dir, 'volumes'))}`,
		`image_copy_tmp_dir = ${quoted(join(dir, 'tmp'))}`,
	];
	await writeFile(join(dir, 'storage.conf'), `${storage.join('\n')}\n`);
	await writeFile(join(dir, 'containers.conf'), `${containers.join('\n')}\n`);
	// No registry is ever asked.
	await writeFile(join(dir, 'registries.conf'), 'unqualified-search-registries = []\n');
	await writeFile(join(dir, 'auth.json'), '{}\n');
}

/** Builds an image of one static program with a step that runs it. */
async function probe(env: Readonly<Record<string, string>>): Promise<ProgramResult> {
	const context = await mkdtemp(join(tmpdir(), 'b2d-probe-'));
	const image = 'localhost/b2d-probe';
	try {
		await copyFile(await findProgram('busybox', 'busybox-static'), join(context, 'busybox'));
		await writeFile(join(context, 'Dockerfile'), 'FROM scratch\nCOPY busybox /busybox\nRUN ["/busybox", "true"]\n');
		return await tryProgram('podman', ['build', '--quiet', '--network', 'none', '--tag', image, context], env);
	} finally {
		await tryProgram('podman', ['rmi', '--force', image], env);
		await rm(context, { recursive: true, force: true });
	}
}

/**
 * Processes that belong to this store: Podman itself by its environment, container monitors by their arguments,
 * contained ones by their root file system.
 */
async function processesOf(folders: EngineFolders): Promise<number[]> {
	const found: number[] = [];
	const store = `${basename(folders.dir)}/graph/`;
	for (const name of await readdir('/proc')) {
		const pid = Number(name);
		if (!Number.isInteger(pid) || pid === process.pid) {
			continue;
		}
		const words = commandLine(pid);
		const monitors = (words[0] ?? '').includes('conmon') && words.some((word) => word.includes(folders.dir));
		const builds = /(^|\/)(podman|buildah)/.test(words[0] ?? '') && (await usesStore(pid, folders));
		if (monitors || builds || (await rootMount(pid)).includes(store)) {
			found.push(pid);
		}
	}
	return found;
}

/** Whether a process was started with the environment that leads to this store. */
async function usesStore(pid: number, folders: EngineFolders): Promise<boolean> {
	const variables = await readFile(`/proc/${String(pid)}/environ`, 'utf8').catch(() => '');
	return variables.split('\0').includes(`CONTAINERS_STORAGE_CONF=${join(folders.dir, 'storage.conf')}`);
}

/** The line of the mount table for a process's root: names the store's folders when the process is in a container. */
async function rootMount(pid: number): Promise<string> {
	const table = await readFile(`/proc/${String(pid)}/mountinfo`, 'utf8').catch(() => '');
	return table.split('\n').find((line) => line.split(' ')[4] === '/') ?? '';
}
