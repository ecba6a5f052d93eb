import { createHash } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { startDocker, stopDocker } from './engine/docker.js';
import { preparePodman, stopPodman } from './engine/podman.js';

export type EngineKind = 'podman' | 'docker';

export interface EngineOptions {
	/** Everything lives here: images, containers, configuration, logs. What is already there is used again. */
	readonly dir: string;
	readonly kind: EngineKind;
	readonly signal?: AbortSignal;
}

/** A container engine that shares nothing with the user's own. */
export interface SandboxEngine {
	readonly kind: EngineKind;
	/** The command-line program: `podman` or `docker`. */
	readonly command: string;
	/** What to add to the environment so that `command` means this engine. */
	readonly env: Readonly<Record<string, string>>;
	/** Ends the engine's processes and containers, unmounts its file systems; images stay. Idempotent. */
	stop(): Promise<void>;
}

/** Where the parts of an engine are. */
export interface EngineFolders {
	readonly dir: string;
	/** Sockets and state of running processes; short, for a UNIX socket's path has at most 107 bytes. */
	readonly runDir: string;
}

/**
 * Starts (Docker) or prepares (Podman has no daemon) a container engine of its own in `dir`, or finds the one that
 * already runs there. Docker needs root. Throws `package-missing` without the programs, `sandbox-failed` when the
 * engine cannot run a container.
 */
export async function startEngine(options: EngineOptions): Promise<SandboxEngine> {
	const folders = foldersOf(options.dir);
	await mkdir(folders.dir, { recursive: true });
	await mkdir(folders.runDir, { recursive: true, mode: 0o711 });
	const env =
		options.kind === 'podman' ? await preparePodman(folders, options.signal) : await startDocker(folders, options.signal);
	return { kind: options.kind, command: options.kind, env, stop: () => stopEngine(options) };
}

/** Stops the engine that `startEngine` started in `dir`, from any process. Idempotent. */
export async function stopEngine(options: Pick<EngineOptions, 'dir' | 'kind'>): Promise<void> {
	const folders = foldersOf(options.dir);
	await (options.kind === 'podman' ? stopPodman(folders) : stopDocker(folders));
	if (folders.runDir !== join(folders.dir, 'run')) {
		await rm(folders.runDir, { recursive: true, force: true });
	}
}

function foldersOf(path: string): EngineFolders {
	const dir = resolve(path);
	const own = join(dir, 'run');
	const short = join(tmpdir(), `b2d-engine-${createHash('sha256').update(dir).digest('hex').slice(0, 12)}`);
	return { dir, runDir: own.length <= 60 ? own : short };
}
