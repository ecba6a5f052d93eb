import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { ForwardReader, MemoryFile } from '../../../src/image/archive/randomAccess.js';
import { SparseFiles } from '../../../src/image/archive/sparseFiles.js';
import { readTar, type TarEntry } from '../../../src/image/tar/readTar.js';
import { directory, file, tarOf } from '../../support/savedImages.js';
import { oldGnuSparse, paxSparse, type SparseFormat, type SparseTestFile } from '../../support/sparseArchives.js';

/** A file with holes, and its bytes. */
const sparseFile = fc
	.array(fc.record({ hole: fc.nat(700), data: fc.uint8Array({ maxLength: 900 }) }), { maxLength: 30 })
	.chain((parts) =>
		fc.nat(600).map((tail) => {
			const pieces: number[] = [];
			let content = Buffer.alloc(0);
			for (const { hole, data } of parts) {
				pieces.push(content.length + hole, data.length);
				content = Buffer.concat([content, Buffer.alloc(hole), data]);
			}
			content = Buffer.concat([content, Buffer.alloc(tail)]);
			const stored = Buffer.concat(parts.map(({ data }) => data));
			return { map: { size: content.length, pieces }, stored, content };
		}),
	);

describe('files with holes', () => {
	it('read at any offset as if the holes were stored', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.array(sparseFile, { minLength: 1, maxLength: 4 }),
				fc.nat(),
				fc.integer({ min: 0, max: 3000 }),
				async (files, at, length) => {
					const source = new MemoryFile(Buffer.concat([Buffer.alloc(7), ...files.map(({ stored }) => stored)]));
					const row = new SparseFiles(source);
					let offset = 7;
					let start = 0;
					for (const { map, stored } of files) {
						expect(row.add(map, offset)).toBe(start);
						offset += stored.length;
						start += map.size;
					}
					const whole = Buffer.concat(files.map(({ content }) => content));
					expect(row.size).toBe(whole.length);
					const from = at % (whole.length + 1);
					const target = Buffer.alloc(length, 0xee);
					const count = await row.readInto(target, from);
					expect(target.subarray(0, count)).toEqual(whole.subarray(from, from + length));
				},
			),
			{ numRuns: 100 },
		);
	});

	it('take no memory for their holes', async () => {
		const row = new SparseFiles(new MemoryFile(Buffer.from('end')));
		row.add({ size: 2 ** 39, pieces: [2 ** 39 - 3, 3] }, 0);
		const target = Buffer.alloc(8, 1);
		expect(await row.readInto(target, 2 ** 39 - 8)).toBe(8);
		expect(target.toString('latin1')).toBe('\0\0\0\0\0end');
		expect(await row.readInto(target, 2 ** 39)).toBe(0);
	});
});

async function read(archive: Buffer): Promise<TarEntry[]> {
	const entries: TarEntry[] = [];
	for await (const entry of readTar({ source: new MemoryFile(archive), start: 0, end: archive.length, label: 'test.tar' })) {
		entries.push(entry);
	}
	return entries;
}

const made = (format: SparseFormat, given: SparseTestFile): Buffer =>
	format === 'old GNU' ? oldGnuSparse(given) : paxSparse(format, given);
const FORMATS: readonly SparseFormat[] = ['old GNU', '0.0', '0.1', '1.0'];

describe.each(FORMATS)('a sparse file in the format %s', (format) => {
	it('is an ordinary file of its real size, and what follows is found', async () => {
		await fc.assert(
			fc.asyncProperty(sparseFile, async ({ map, stored, content }) => {
				const archive = Buffer.concat([
					tarOf([file('before', 'b')]).subarray(0, 1024),
					made(format, { name: 'holes', ...map, stored }),
					tarOf([file('after', 'a')]),
				]);
				const [, holes, after, ...none] = await read(archive);
				expect([holes?.name, holes?.kind, holes?.size]).toEqual(['holes', 'file', content.length]);
				expect(await new ForwardReader(holes!.source).read(holes!.offset, holes!.size)).toEqual(content);
				expect([after?.name, after?.size, none]).toEqual(['after', 1, []]);
			}),
			{ numRuns: 30 },
		);
	});

	const stored = Buffer.alloc(1000, 'x');
	const good: SparseTestFile = { name: 'folder/holes', size: 5000, pieces: [0, 500, 2000, 500], stored };
	it.each<[string, Partial<SparseTestFile>, string]>([
		['overlaps', { pieces: [0, 500, 499, 500] }, 'overlap'],
		['goes backwards', { pieces: [2000, 500, 0, 500] }, 'overlap'],
		['exceeds the size', { pieces: [0, 500, 4501, 500] }, 'beyond its size'],
		['begins beyond the size', { pieces: [0, 1000, 6000, 0] }, 'beyond its size'],
		['has less than what is stored', { pieces: [0, 500, 2000, 499] }, '999 bytes of content, but 1000 are stored'],
		['has more than what is stored', { pieces: [0, 500, 2000, 501] }, '1001 bytes of content, but 1000 are stored'],
		['has nothing though something is stored', { pieces: [] }, '0 bytes of content'],
		['has a piece far beyond what numbers hold', { pieces: [0, 500, 2 ** 60, 500] }, 'malformed'],
	])('is refused by name if its map %s', async (_, change, why) => {
		await expect(read(Buffer.concat([made(format, { ...good, ...change }), tarOf([])]))).rejects.toMatchObject({
			code: 'archive-corrupt',
			message: expect.stringContaining(why),
			detail: { entry: 'folder/holes' },
		});
	});

	it('is refused by name wherever the archive is cut', async () => {
		const many: SparseTestFile = {
			...good,
			pieces: Array.from({ length: 80 }, (_, index) => (index % 2 === 0 ? index * 30 : 25)),
		};
		const whole = made(format, many);
		for (let length = 512; length < whole.length - 24; length += 100) {
			await expect(read(whole.subarray(0, length))).rejects.toMatchObject({ code: 'archive-corrupt' });
		}
		expect((await read(Buffer.concat([whole, tarOf([directory('d')])]))).map(({ name }) => name)).toEqual(['folder/holes', 'd']);
	});

	it('is refused when its holes are larger than any disk', async () => {
		const huge = made(format, { ...good, size: 2 ** 41 });
		await expect(read(huge)).rejects.toMatchObject({ code: 'image-unsupported', detail: { entry: 'folder/holes' } });
	});
});

describe('a sparse file of an unknown kind is refused by name', () => {
	it('a later version', async () => {
		const archive = paxSparse('1.0', { name: 'new', size: 5, pieces: [], stored: Buffer.alloc(0) }, [['GNU.sparse.major', '2']]);
		await expect(read(archive)).rejects.toMatchObject({ code: 'image-unsupported', detail: { entry: 'new' } });
	});

	it('star’s', async () => {
		const archive = oldGnuSparse({ name: 'star', size: 5, pieces: [], stored: Buffer.alloc(0) }, 'ustar\x0000');
		await expect(read(archive)).rejects.toMatchObject({ code: 'image-unsupported', detail: { entry: 'star' } });
	});

	it.each([
		['no number of pieces', '\n\n', 'archive-corrupt'],
		['words', 'one\ntwo\n', 'archive-corrupt'],
		['a number without an end', '9'.repeat(511), 'archive-corrupt'],
		['too many pieces', '99999999\n', 'image-unsupported'],
	])('a map of version 1.0 with %s', async (_, text, code) => {
		const stored = Buffer.from(text.padEnd(1024, '\0'), 'latin1');
		const archive = paxSparse('1.0', { name: 'odd', size: 5, pieces: [], stored: Buffer.alloc(0) }, [], stored);
		await expect(read(archive)).rejects.toMatchObject({ code, detail: { entry: 'odd' } });
	});

	it.each([
		['twice the same', 'GNU.sparse.offset', 'GNU.sparse.offset'],
		['the length first', 'GNU.sparse.numbytes', 'GNU.sparse.offset'],
	])('records of version 0.0 with %s', async (_, first, second) => {
		const nothing: SparseTestFile = { name: 'odd', size: 5, pieces: [], stored: Buffer.alloc(0) };
		const archive = paxSparse('0.0', nothing, [
			[first, '1'],
			[second, '1'],
		]);
		await expect(read(archive)).rejects.toMatchObject({ code: 'archive-corrupt' });
	});
});
