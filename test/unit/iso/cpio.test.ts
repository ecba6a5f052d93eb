import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { expect, test } from 'vitest';

import { cpioArchive, type CpioEntry } from '../../../iso/cpio.js';

const ENTRIES: CpioEntry[] = [
	{ path: 'bin', kind: 'directory', mode: 0o755 },
	{ path: 'bin/tool', kind: 'file', mode: 0o751, content: Buffer.from('tool') },
	{ path: 'bin/link', kind: 'link', target: 'tool' },
	{ path: 'empty', kind: 'file', mode: 0o644, content: Buffer.alloc(0) },
	{ path: 'odd', kind: 'file', mode: 0o600, content: Buffer.alloc(4097, 7) },
];

test('an archive unpacks to what went in', () => {
	const dir = mkdtempSync(path.join(tmpdir(), 'b2d-cpio-'));
	try {
		execFileSync('/bin/busybox', ['cpio', '-i', '-d', '-m'], {
			cwd: dir,
			input: cpioArchive(ENTRIES, 1_000_000),
			stdio: ['pipe', 'ignore', 'ignore'],
		});
		expect(readFileSync(path.join(dir, 'bin/tool'), 'utf8')).toBe('tool');
		expect(statSync(path.join(dir, 'bin/tool')).mode & 0o777).toBe(0o751);
		expect(statSync(path.join(dir, 'bin/tool')).mtimeMs).toBe(1_000_000_000);
		expect(readlinkSync(path.join(dir, 'bin/link'))).toBe('tool');
		expect(readFileSync(path.join(dir, 'odd'))).toEqual(Buffer.alloc(4097, 7));
		expect(statSync(path.join(dir, 'empty')).size).toBe(0);
	} finally {
		rmSync(dir, { recursive: true, force: true });
	}
});

test('the order of the entries does not matter', () => {
	expect(cpioArchive([...ENTRIES].reverse(), 5)).toEqual(cpioArchive(ENTRIES, 5));
});
