import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { BoincError } from '../common/errors.js';
import { quoteWord } from '../connection/quoting.js';
import { DAEMONS, TOOLS } from './programs.js';
import type { SandboxFolders } from './sandboxState.js';

/** The file of the bundle that holds the sandbox. */
export const PROGRAM_FILE = 'sandbox.js';
/** The file of the bundle that becomes the stand-in for docker_wrapper. */
export const STANDIN_FILE = 'standin.js';

/**
 * Copies the program from the folder `source` into the sandbox, so that later builds do not disturb it, and writes the
 * programs of `bin/`: small scripts that become Node with the name of the tool, as `ps` and `/proc` show it.
 */
export async function installProgram(source: string, folders: SandboxFolders): Promise<void> {
	if (!existsSync(path.join(source, PROGRAM_FILE))) {
		throw new BoincError('sandbox-failed', `The program of the sandbox, ${path.join(source, PROGRAM_FILE)}, does not exist.`, {
			remedy: 'Build it: npm run build.',
		});
	}
	await mkdir(path.join(folders.program, 'run'), { recursive: true });
	for (const name of [PROGRAM_FILE, STANDIN_FILE, 'lib']) {
		if (existsSync(path.join(source, name))) {
			await cp(path.join(source, name), path.join(folders.program, name), { recursive: true, force: true });
		}
	}
	// The bundles are CommonJS, whatever a package.json further up says.
	await writeFile(path.join(folders.program, 'package.json'), '{"type":"commonjs"}\n');
	await installCommands(folders);
	const bin = path.join(folders.projectRoot, 'bin');
	await mkdir(bin, { recursive: true });
	for (const [names, kind] of [
		[Object.keys(TOOLS), 'tool'],
		[Object.keys(DAEMONS), 'daemon'],
	] as const) {
		for (const name of names) {
			const node = path.join(folders.program, 'run', name);
			await rm(node, { force: true });
			await symlink(process.execPath, node);
			await writeFile(path.join(bin, name), wrapper(folders, node, kind, name));
			await chmod(path.join(bin, name), 0o755);
		}
	}
}

/**
 * Commands that BOINC's own tools call. The sandbox's tools do not, but whoever looks whether a server has them finds them
 * here, last in PATH, on a machine that lacks them.
 */
const COMMANDS = ['gzip', 'php', 'python', 'strings'] as const;

/** The folder of `COMMANDS`. */
export const commandsFolder = (folders: SandboxFolders): string => path.join(folders.program, 'commands');

async function installCommands(folders: SandboxFolders): Promise<void> {
	await mkdir(commandsFolder(folders), { recursive: true });
	for (const name of COMMANDS) {
		const text = `#!/bin/sh\necho "The sandbox works without ${name}, and this machine has none." >&2\nexit 1\n`;
		await writeFile(path.join(commandsFolder(folders), name), text, { mode: 0o755 });
	}
}

/** The programs trust nobody outside this computer, and reading a file of certificates at each start takes Node.js long. */
function wrapper(folders: SandboxFolders, node: string, kind: 'tool' | 'daemon', name: string): string {
	const words = [node, path.join(folders.program, PROGRAM_FILE), kind, name].map(quoteWord).join(' ');
	return `#!/bin/sh\nunset NODE_EXTRA_CA_CERTS\nSANDBOX_PROJECT_ROOT=${quoteWord(folders.projectRoot)} exec ${words} "$@"\n`;
}
