import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { DRIVERS, PROGRAMS, STAND_INS } from './contents.js';
import type { CpioEntry } from './cpio.js';
import { neededSymbols } from './elf.js';
import { KernelModules } from './kernelModules.js';
import { standInLibrary } from './standInLibrary.js';
import type { UnpackedPackages } from './unpackedPackages.js';

const FOLDERS = ['boinc', 'dev', 'disk', 'mnt', 'newroot', 'proc', 'root', 'run', 'sys', 'tmp', 'var/run'];

/** The guest's whole root file system: busybox, the programs with their libraries, kernel modules, and our scripts. */
export function rootTree(packages: UnpackedPackages, kernel: string, scripts: string, manifest: string): CpioEntry[] {
	const files = new Map<string, CpioEntry>();
	const add = (entry: CpioEntry): void => {
		files.set(entry.path, entry);
	};
	const file = (target: string, content: Buffer, mode = 0o644): void => add({ path: target, kind: 'file', mode, content });
	for (const folder of FOLDERS) {
		add({ path: folder, kind: 'directory', mode: folder === 'tmp' ? 0o1777 : 0o755 });
	}
	addBusybox(packages, file, add);
	const programs = PROGRAMS.map(({ package: name, file: from, target }) => ({ target, content: packages.read(name, from) }));
	for (const { target, content } of programs) {
		file(target, content, 0o755);
		for (const library of packages.librariesFor(content, STAND_INS)) {
			file(library.startsWith('ld-linux') ? `lib64/${library}` : `lib/${library}`, packages.library(library), 0o755);
		}
	}
	for (const library of STAND_INS) {
		const symbols = programs.flatMap(({ content }) => neededSymbols(content, library));
		file(`lib/${library}`, standInLibrary(library, symbols), 0o755);
	}
	addModules(packages, kernel, file);
	for (const name of readdirSync(scripts).sort()) {
		const target = SCRIPTS[name];
		if (target !== undefined) {
			file(target, readFileSync(path.join(scripts, name)), 0o755);
		}
	}
	file('usr/bin/guestlog', Buffer.from(readFileSync(path.join(scripts, 'guestlog.base64'), 'latin1'), 'base64'), 0o755);
	file('manifest', Buffer.from(manifest));
	return withParents(files);
}

/** Where the files of iso/guest go. */
const SCRIPTS: Readonly<Record<string, string>> = {
	init: 'init',
	'b2d-run': 'sbin/b2d-run',
	'functions.sh': 'lib/b2d/functions.sh',
	'udhcpc.sh': 'lib/b2d/udhcpc.sh',
};

function addBusybox(
	packages: UnpackedPackages,
	file: (target: string, content: Buffer, mode: number) => void,
	add: (entry: CpioEntry) => void,
): void {
	const program = packages.file('busybox-static', 'usr/bin/busybox');
	file('bin/busybox', readFileSync(program), 0o755);
	const applets = execFileSync(program, ['--list'], { encoding: 'utf8' }).split('\n');
	for (const applet of applets.filter((name) => name !== '' && name !== 'busybox' && name !== 'init')) {
		add({ path: `bin/${applet}`, kind: 'link', target: 'busybox' });
	}
}

/** Modules, and a list for the boot: a device and the modules for it in the order of loading. */
function addModules(packages: UnpackedPackages, kernel: string, file: (target: string, content: Buffer) => void): void {
	const paths = packages.list(kernel, 'usr/lib/modules').filter((each) => each.endsWith('.ko.xz'));
	const modules = new KernelModules(paths, (each) =>
		packages.runTool('xz-utils', 'usr/bin/xz', ['-dc'], { input: readFileSync(each) }),
	);
	const lines = DRIVERS.map(({ on, modules: names }) => {
		const order = [...new Set(names.flatMap((name) => modules.loadOrder(name)))];
		for (const name of order) {
			file(`lib/modules/${name}.ko`, modules.content(name));
		}
		return `${on.replace(' ', '/')} ${order.join(' ')}\n`;
	});
	file('lib/modules/drivers', Buffer.from(lines.join('')));
}

function withParents(files: ReadonlyMap<string, CpioEntry>): CpioEntry[] {
	const all = new Map(files);
	for (const { path: name } of files.values()) {
		for (let parent = path.posix.dirname(name); parent !== '.'; parent = path.posix.dirname(parent)) {
			if (!all.has(parent)) {
				all.set(parent, { path: parent, kind: 'directory', mode: 0o755 });
			}
		}
	}
	return [...all.values()];
}
