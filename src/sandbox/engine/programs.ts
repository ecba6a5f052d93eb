import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { BoincError } from '../../common/errors.js';

/** Folders of administrators' programs, which are not on every account's PATH. */
const MORE_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/bin'];

/** Absolute path of a program; throws `package-missing` with the Debian package that brings it. */
export async function findProgram(name: string, debianPackage: string): Promise<string> {
	const found = await programPath(name);
	if (found === undefined) {
		throw new BoincError('package-missing', `The program ${name} is not installed.`, {
			remedy: `Install the package ${debianPackage}.`,
			detail: { package: debianPackage },
		});
	}
	return found;
}

/** Absolute path of a program, if it is installed. */
export async function programPath(name: string): Promise<string | undefined> {
	for (const folder of [...(process.env.PATH ?? '').split(':'), ...MORE_FOLDERS]) {
		const file = join(folder, name);
		try {
			await access(file, constants.X_OK);
			return file;
		} catch {
			// Not in this folder.
		}
	}
	return undefined;
}

export interface ProgramResult {
	/** Exit code; -1 when a signal or the deadline ended it, or it could not be started. */
	readonly code: number;
	readonly stdout: string;
	readonly stderr: string;
}

/** Runs a program to its end; never rejects. The deadline is in milliseconds. */
export function tryProgram(
	file: string,
	args: readonly string[],
	env: Readonly<Record<string, string>> = {},
	timeout = 60_000,
): Promise<ProgramResult> {
	return new Promise((resolve) => {
		execFile(
			file,
			[...args],
			{ env: { ...process.env, ...env }, timeout, maxBuffer: 16 << 20, killSignal: 'SIGKILL' },
			(error, stdout, stderr) => {
				const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
				resolve({ code, stdout, stderr: stderr === '' && error !== null ? error.message : stderr });
			},
		);
	});
}

/** Unmounts every file system that is mounted in one of `folders`, innermost first. Needs root; does nothing otherwise. */
export async function unmountBelow(folders: readonly string[]): Promise<void> {
	if (process.getuid?.() !== 0) {
		return;
	}
	// Several file systems may be on one mount point, and an unmount may show another: twice is enough in practice.
	for (let round = 0; round < 2; round++) {
		const points = (await mountPoints()).filter((point) => folders.some((folder) => point.startsWith(`${folder}/`)));
		for (const point of points.reverse()) {
			const { code } = await tryProgram('umount', [point]);
			if (code !== 0) {
				await tryProgram('umount', ['--lazy', point]);
			}
		}
	}
}

async function mountPoints(): Promise<string[]> {
	const table = await readFile('/proc/self/mountinfo', 'utf8');
	return table
		.split('\n')
		.map((line) => line.split(' ')[4] ?? '')
		.filter((point) => point !== '')
		.map((point) => point.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))));
}
