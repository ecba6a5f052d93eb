import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, open, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ForwardReader, LocalFile } from '../../../src/image/archive/randomAccess.js';
import { readTar, type TarEntry } from '../../../src/image/tar/readTar.js';

const run = promisify(execFile);
const FORMATS = [
	'--format=gnu',
	'--format=oldgnu',
	'--format=posix --sparse-version=0.0',
	'--format=posix --sparse-version=0.1',
	'--format=posix --sparse-version=1.0',
];
const HUGE = 9 * 2 ** 30;
let dir: string;
let tree: string;

beforeAll(async () => {
	dir = await mkdtemp(join(tmpdir(), 'b2d-sparse-'));
	tree = join(dir, 'tree');
	await mkdir(join(tree, 'folder'), { recursive: true });
	await makeFile('several-holes', 3_000_001, [0, 5_000, 1_000_000, 70_000, 2_000_000, 1, 2_999_000, 1_001]);
	await makeFile(
		'many-holes',
		2_000_000,
		Array.from({ length: 200 }, (_, index) => (index % 2 === 0 ? index * 8192 : 100)),
	);
	await makeFile('folder/all-hole', 5_000_000, []);
	await makeFile('ends-in-a-hole', 4_000_000, [300_000, 9_999]);
	await makeFile(`folder/${'n'.repeat(120)}-ünï`, 1_000_000, [500_000, 700]);
	await writeFile(join(tree, 'solid'), 'no holes');
});

afterAll(async () => {
	await rm(dir, { recursive: true });
});

/** Writes a file of `size` bytes with something at each offset and length. */
async function makeFile(name: string, size: number, pieces: readonly number[]): Promise<void> {
	const path = join(tree, name);
	const handle = await open(path, 'w');
	for (let index = 0; index < pieces.length; index += 2) {
		await handle.write(Buffer.alloc(pieces[index + 1] ?? 0, `${name} ${index}`), 0, null, pieces[index]);
	}
	await handle.close();
	await truncate(path, size);
}

async function hashOf(bytes: AsyncIterable<Buffer>): Promise<string> {
	const hash = createHash('sha256');
	for await (const piece of bytes) {
		hash.update(piece);
	}
	return hash.digest('hex');
}

async function archived(options: readonly string[], names: readonly string[]): Promise<LocalFile> {
	const path = join(dir, 'archive.tar');
	await run('tar', ['-C', tree, '--sparse', ...options, '-cf', path, ...names]);
	return LocalFile.open(path);
}

async function entriesOf(source: LocalFile): Promise<TarEntry[]> {
	const entries: TarEntry[] = [];
	for await (const entry of readTar({ source, start: 0, end: source.size, label: 'archive.tar', endMark: 'required' })) {
		entries.push(entry);
	}
	return entries;
}

describe.each(FORMATS)('archives of tar --sparse %s', (words) => {
	const options = words.split(' ');

	it('hold the files with their holes filled', async () => {
		const source = await archived(options, ['.']);
		expect(source.size).toBeLessThan(2_000_000);
		const files = (await entriesOf(source)).filter(({ kind }) => kind === 'file');
		expect(files).toHaveLength(6);
		expect(files.filter((each) => each.source !== source)).toHaveLength(5);
		for (const { name, source: content, offset, size } of files) {
			const path = Buffer.concat([Buffer.from(`${tree}/`), Buffer.from(name, 'latin1')]);
			expect(size).toBe((await stat(path)).size);
			const actual = await hashOf(new ForwardReader(content).stream(offset, offset + size));
			expect(actual).toBe(await hashOf(createReadStream(path)));
		}
		await source.close();
	});

	it('may hold files of more than 8 GiB', async () => {
		await makeFile('huge', HUGE, [8 * 2 ** 30 + 4096, 10]);
		const source = await archived(options, ['huge', 'solid']);
		const [huge, solid] = await entriesOf(source);
		expect([huge?.name, huge?.size, solid?.name]).toEqual(['huge', HUGE, 'solid']);
		const start = huge!.offset + 8 * 2 ** 30 + 4090;
		const read = await new ForwardReader(huge!.source).read(start, 20);
		expect(read.toString('latin1')).toBe('\0\0\0\0\0\0huge 0huge\0\0\0\0');
		await source.close();
		await rm(join(tree, 'huge'));
	});
});
