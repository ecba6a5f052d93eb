import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { expect, test } from 'vitest';

import { neededLibraries, neededSymbols } from '../../../iso/elf.js';
import { standInLibrary } from '../../../iso/standInLibrary.js';

const TAR = readFileSync(realpathSync('/bin/tar'));

test('the libraries of a program and what it takes from one are found', () => {
	expect(neededLibraries(TAR)).toEqual(expect.arrayContaining(['libc.so.6', 'libselinux.so.1']));
	expect(neededSymbols(TAR, 'libselinux.so.1')).toContainEqual({ name: 'lgetfilecon', version: 'LIBSELINUX_1.0' });
	expect(neededLibraries(readFileSync('/bin/busybox'))).toEqual([]);
});

test('a program runs with a stand-in in the place of a library, without a warning', () => {
	const dir = mkdtempSync(path.join(tmpdir(), 'b2d-standin-'));
	try {
		writeFileSync(path.join(dir, 'libselinux.so.1'), standInLibrary('libselinux.so.1', neededSymbols(TAR, 'libselinux.so.1')), {
			mode: 0o755,
		});
		// All symbols are looked up at the start; with --selinux tar calls the library.
		const script =
			'export LD_LIBRARY_PATH="$1" LD_BIND_NOW=1; ldd /bin/tar && tar --selinux -C / -cf /dev/null etc/passwd 2>&1 && echo well';
		const output = execFileSync('sh', ['-c', script, 'sh', dir], { encoding: 'utf8' });
		expect(output).toContain(`libselinux.so.1 => ${dir}/libselinux.so.1`);
		expect(output).toMatch(/^well$/m);
		expect(output).not.toMatch(/no version|undefined/);
	} finally {
		rmSync(dir, { recursive: true, force: true });
	}
});
