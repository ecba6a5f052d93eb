import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { isLocked } from '../fileLock.js';
import { startDetached } from '../processes.js';
import type { ProjectSettings } from '../projectSettings.js';
import type { Program } from './programs.js';

/** Starts one daemon in `tmp_HOST` with `bin/` first in PATH, without a shell. Resolves to what happened, for a person. */
export async function startDaemon(
	settings: ProjectSettings,
	daemon: Program,
	env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
	if (isLocked(daemon.lockFile)) {
		return `Daemon already running: ${daemon.command}`;
	}
	await mkdir(settings.tmpDir, { recursive: true });
	await mkdir(path.dirname(daemon.log), { recursive: true });
	await appendFile(daemon.log, `[${pythonTime(new Date())}] Executing command: ${daemon.command}\n`);
	try {
		const pid = await launch(settings, daemon, env);
		await writeFile(daemon.pidFile, `${pid}\n`);
		// The real program keeps an flock open; here the lock names the process.
		await writeFile(daemon.lockFile, `${pid}\n`);
	} catch (error) {
		await appendFile(daemon.log, `Couldn't execute ${daemon.argv[0] ?? ''}: ${String(error)}\n`);
	}
	return `Starting daemon: ${daemon.command}`;
}

/** Runs a program of the project in the background. */
export function launch(
	settings: ProjectSettings,
	program: Program,
	env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
	const [command = '', ...args] = program.useShell ? ['/bin/sh', '-c', program.command] : program.argv;
	const bin = path.join(settings.root, 'bin');
	// `spawn` looks for the command in the PATH of the new environment.
	return startDetached(command, args, {
		cwd: settings.tmpDir,
		log: program.log,
		env: { ...env, PATH: `${bin}:${env.PATH ?? '/usr/local/bin:/usr/bin:/bin'}`, BOINC_PROJECT_DIR: undefined },
	});
}

/** `2026/11/23 00:29:45`, local time. */
export function pythonTime(date: Date): string {
	const two = (value: number): string => String(value).padStart(2, '0');
	const day = `${date.getFullYear()}/${two(date.getMonth() + 1)}/${two(date.getDate())}`;
	return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
