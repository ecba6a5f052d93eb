import { execFile, execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

import { neededLibraries } from './elf.js';
import { fileNameOf, type Lock } from './lock.js';

const run = promisify(execFile);
const LIBRARIES = 'usr/lib/x86_64-linux-gnu';
const LOADER = 'ld-linux-x86-64.so.2';

/** The locked packages, each unpacked into a folder of its own. Nothing of this machine's programs is used but dpkg-deb. */
export class UnpackedPackages {
	readonly #folders: ReadonlyMap<string, string>;

	private constructor(folders: ReadonlyMap<string, string>) {
		this.#folders = folders;
	}

	/** Unpacks all packages of the lock from `packages` into `dir`. */
	static async unpack(lock: Lock, packages: string, dir: string): Promise<UnpackedPackages> {
		const folders = new Map<string, string>();
		for (const each of lock.packages) {
			const folder = path.join(dir, each.name);
			await mkdir(folder, { recursive: true });
			await run('dpkg-deb', ['-x', path.join(packages, fileNameOf(each)), folder]);
			folders.set(each.name, folder);
		}
		return new UnpackedPackages(folders);
	}

	/** Path of a file of a package. */
	file(name: string, file: string): string {
		const folder = this.#folders.get(name);
		if (folder === undefined) {
			throw new Error(`The lock has no package ${name}.`);
		}
		return path.join(folder, file);
	}

	read(name: string, file: string): Buffer {
		return readFileSync(this.file(name, file));
	}

	/** Files below a folder of a package, with their whole paths. */
	list(name: string, folder: string): string[] {
		return readdirSync(this.file(name, folder), { recursive: true, encoding: 'utf8' }).map((file) =>
			path.join(this.file(name, folder), file),
		);
	}

	/** Content of a shared library, wherever it is. */
	library(name: string): Buffer {
		for (const folder of this.#folders.values()) {
			try {
				return readFileSync(realpathSync(path.join(folder, LIBRARIES, name)));
			} catch {
				// The next package.
			}
		}
		throw new Error(`No locked package has the library ${name}.`);
	}

	/** Names of all libraries that a program needs, the dynamic linker included, but for those in `except`. */
	librariesFor(program: Buffer, except: readonly string[]): string[] {
		const found = new Set<string>();
		const visit = (elf: Buffer): void => {
			for (const name of neededLibraries(elf)) {
				if (!found.has(name) && !except.includes(name)) {
					found.add(name);
					visit(this.library(name));
				}
			}
		};
		visit(program);
		if (found.size > 0) {
			found.add(LOADER);
		}
		return [...found];
	}

	/** Runs a program of a package with the libraries of the lock, so that this machine's versions do not matter. */
	runTool(name: string, program: string, args: readonly string[], options: { input?: Buffer; cwd?: string } = {}): Buffer {
		const folders = [...this.#folders.values()].map((folder) => path.join(folder, LIBRARIES));
		return execFileSync(
			this.file('libc6', path.join(LIBRARIES, LOADER)),
			['--library-path', folders.join(':'), this.file(name, program), ...args],
			{
				...options,
				stdio: ['pipe', 'pipe', 'pipe'],
				maxBuffer: 1 << 28,
				env: { LC_ALL: 'C', TZ: 'UTC', PATH: '/nonexistent', HOME: '/nonexistent' },
			},
		);
	}
}
