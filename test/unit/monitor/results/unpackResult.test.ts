import { createHash, randomFillSync } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

import { build } from 'esbuild';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { entryPath, refusal } from '../../../../src/monitor/results/entryRules.js';
import { createUnpacker, inThisThread } from '../../../../src/monitor/results/unpacker.js';
import { unpackResult } from '../../../../src/monitor/results/unpackResult.js';
import { directory, file, hardlink, symlink, tarOf, type TestEntry } from '../../../support/savedImages.js';

let folder: string;
beforeEach(async () => {
	folder = await mkdtemp(path.join(tmpdir(), 'b2d-unpack-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const packed = (...entries: readonly TestEntry[]): Buffer => gzipSync(tarOf(entries), { level: 1 });
const target = (...parts: string[]): string => path.join(folder, 'target', ...parts);
const unpack = (archive: Buffer, limits = {}): Promise<string[]> => unpackResult(archive, target(), limits);
/** One character a byte, as names in archives are kept. */
const bytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

it.each([
	['out/data.csv', 'file', undefined],
	['out', 'directory', undefined],
	['/etc/passwd', 'file', 'its path is absolute'],
	['C:\\x', 'file', 'its path is absolute'],
	['\\\\server\\share', 'file', 'its path is absolute'],
	['a/../../b', 'file', 'its path leads out of the folder'],
	['..\\b', 'file', 'its path leads out of the folder'],
	['..', 'directory', 'its path leads out of the folder'],
	['link', 'symlink', 'it is a link'],
	['hard', 'hardlink', 'it is a link'],
	['tty', 'character', 'it is a device or a pipe'],
	['sda', 'block', 'it is a device or a pipe'],
	['pipe', 'fifo', 'it is a device or a pipe'],
	['x'.repeat(1001), 'file', 'its name is not valid'],
] as const)('judges %s (%s)', (name, kind, why) => {
	expect(refusal(name, kind, 'linux')).toBe(why);
});

it.each(['a/nul.txt', 'COM1', 'what?', 'in/a:b', 'dot.', 'blank '])('does not write %j on Windows', (name) => {
	expect(refusal(name, 'file', 'win32')).toBe('Windows has no files with such a name');
	expect(refusal(name, 'file', 'linux')).toBeUndefined();
});

it('keeps names in UTF-8, and escapes bytes that are not', () => {
	expect(entryPath(bytes('ä/日本 😀 \uFFFD'))).toBe('ä/日本 😀 \uFFFD');
	expect(entryPath(`caf\xe9/${bytes('ö')}\xff`)).toBe('caf%E9/ö%FF');
});

it('writes files and folders, and leaves out by entry what may not be', async () => {
	const refused = await unpack(
		packed(
			file(bytes('deep/Ünïcode 😀.txt'), 'hello'),
			directory('empty'),
			file('caf\xe9', 'old'),
			symlink('link', '/etc/passwd'),
			file('link/through', 'x'),
			hardlink('hard', '../../outside'),
			file('../secret', 'no'),
			file('/tmp/absolute', 'no'),
			{ name: 'tty', kind: 'character', deviceMajor: 5 },
			file('last', 'end', { mode: 0o4755 }),
		),
	);
	expect(refused).toEqual([
		'link: it is a link',
		'hard: it is a link',
		'../secret: its path leads out of the folder',
		'/tmp/absolute: its path is absolute',
		'tty: it is a device or a pipe',
	]);
	expect((await readdir(target(), { recursive: true })).sort()).toEqual(
		['caf%E9', 'deep', 'deep/Ünïcode 😀.txt', 'empty', 'last', 'link', 'link/through'].sort(),
	);
	expect((await stat(target('last'))).mode & 0o7777).toBe(0o755);
	expect(await readdir(folder)).toEqual(['target']);
});

it('goes on behind an entry that cannot be written', async () => {
	const refused = await unpack(
		packed(file('a', '1'), file('a/b', '2'), directory('d'), file('d', '3'), file('y'.repeat(300), '4'), file('z', '5')),
	);
	expect(refused).toEqual([
		'a/b: a file of the result has the name of its folder',
		'd: a folder of the result has its name',
		`${'y'.repeat(300)}: its name is too long`,
	]);
	expect(await readFile(target('z'), 'utf8')).toBe('5');
});

describe('an archive that unpacks to more than is allowed', () => {
	const big = packed(file('small', 'fits'), file('big', Buffer.alloc(90_000_000)), file('behind', 'x'));

	it('keeps the entries that fit', async () => {
		const refused = await unpack(big, { maxBytes: 70_000_000 });
		expect(refused).toEqual(['big and what follows: the result would unpack to more than 70.0 MB']);
		expect(await readdir(target())).toEqual(['small']);
		expect(await readdir(folder)).toEqual(['target']);
	});

	it('is unpacked whole when it is merely large', async () => {
		expect(await unpack(big)).toEqual([]);
		expect((await stat(target('big'))).size).toBe(90_000_000);
		expect(await readFile(target('behind'), 'utf8')).toBe('x');
	});

	it('the same from a file', async () => {
		const archive = path.join(folder, 'r.tgz');
		await writeFile(archive, big);
		expect(await unpackResult({ file: archive, size: big.length }, target())).toEqual([]);
		expect((await readdir(target())).sort()).toEqual(['behind', 'big', 'small']);
	});
});

it.each([
	['cut off', (whole: Buffer) => whole.subarray(0, whole.length / 2)],
	['no gzip', () => Buffer.from('<html>404</html>')],
	['no tar', () => gzipSync(Buffer.alloc(3000, 'x'))],
	['empty', () => Buffer.alloc(0)],
	[
		'changed by a bit',
		(whole: Buffer) => {
			const other = Buffer.from(whole);
			other[other.length >> 1]! ^= 1;
			return other;
		},
	],
])('calls an archive corrupt that is %s', async (_, damage) => {
	const noise = randomFillSync(Buffer.alloc(200_000));
	await mkdir(folder, { recursive: true });
	await expect(unpack(damage(packed(file('data', noise))))).rejects.toMatchObject({ code: 'result-corrupt' });
});

it('works in threads as in this one', async () => {
	const programs = path.join(folder, 'programs');
	await build({
		entryPoints: { unpack: 'src/monitor/results/unpackThread.ts' },
		outdir: programs,
		bundle: true,
		platform: 'node',
		format: 'cjs',
		logLevel: 'error',
	});
	const unpacker = createUnpacker(programs);
	expect(unpacker).not.toBe(inThisThread);
	const copy = (bytes: Buffer): Buffer => Buffer.concat([bytes]); // what is handed over is gone
	try {
		const good = packed(file('metrics.json', '{"n":1}'), symlink('l', 'x'));
		const md5 = createHash('md5').update(good).digest('hex');
		expect(await unpacker.keep(copy(good), { folder: target(), md5 })).toEqual({
			refused: ['l: it is a link'],
			rows: [{ n: 1 }],
		});
		const many = Array.from({ length: 9 }, (_, n) =>
			unpacker.keep(copy(good), { folder: path.join(folder, `at-once-${n}`), md5 }),
		);
		expect((await Promise.all(many)).map(({ rows }) => rows)).toEqual(many.map(() => [{ n: 1 }]));
		// The memory of a result is used for the next: what was in it is still there.
		const large = packed(file('noise', randomFillSync(Buffer.alloc(300_000))));
		const memory = unpacker.room(large.length);
		large.copy(memory);
		await unpacker.keep(memory, { folder: target('large'), md5: undefined });
		expect(memory).toHaveLength(0);
		expect(unpacker.room(large.length).equals(large)).toBe(true);
		const other = { folder: path.join(folder, 'other'), md5 };
		await expect(unpacker.keep(copy(packed()), other)).rejects.toMatchObject({ code: 'transfer-corrupt' });
		await expect(unpacker.keep(Buffer.from('x'), { ...other, md5: undefined })).rejects.toMatchObject({ code: 'result-corrupt' });
	} finally {
		await unpacker.close();
	}
	await expect(unpacker.keep(copy(packed()), { folder: target('late'), md5: undefined })).rejects.toBeDefined();
});
