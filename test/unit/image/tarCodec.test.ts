import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { BoincError } from '../../../src/common/errors.js';
import { MemoryFile } from '../../../src/image/archive/randomAccess.js';
import { encodeHeader, endOfArchive, padding } from '../../../src/image/tar/encodeHeader.js';
import { readTar, type TarEntry } from '../../../src/image/tar/readTar.js';
import type { TarHeader, TarKind } from '../../../src/image/tar/tarHeader.js';
import { readTarNumber, writeTarNumber } from '../../../src/image/tar/tarNumber.js';
import { directory, file, hardlink, symlink, tarOf } from '../../support/savedImages.js';

async function read(bytes: Buffer): Promise<TarEntry[]> {
	const entries: TarEntry[] = [];
	for await (const entry of readTar({ source: new MemoryFile(bytes), start: 0, end: bytes.length, label: 'test.tar' })) {
		entries.push(entry);
	}
	return entries;
}

function withoutOffset(entry: TarEntry): TarHeader {
	const { offset, source, ...header } = entry;
	expect(source.size).toBeGreaterThan(offset - 1);
	expect(offset).toBeGreaterThan(0);
	return header;
}

const byteName = fc
	.array(fc.integer({ min: 1, max: 255 }), { minLength: 1, maxLength: 300 })
	.map((bytes) => String.fromCharCode(...bytes))
	// A slash at the end means a directory in old archives.
	.filter((name) => !name.endsWith('/'));
const id = fc.oneof(fc.integer({ min: 0, max: 70_000 }), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
const xattrs = fc
	.dictionary(
		fc.stringMatching(/^[a-z]{1,8}\.[a-z=]{0,4}[a-z]{1,8}$/).filter((key) => !key.includes('=')),
		fc.uint8Array({ maxLength: 40 }),
		{ maxKeys: 3 },
	)
	.map((record) => new Map(Object.entries(record).map(([key, value]) => [key, Buffer.from(value)])));
const header = fc
	.record({
		name: byteName,
		kind: fc.constantFrom<TarKind>('file', 'directory', 'symlink', 'hardlink', 'character', 'block', 'fifo'),
		mode: fc.integer({ min: 0, max: 0o7777 }),
		uid: id,
		gid: id,
		mtime: fc.integer({ min: -(2 ** 35), max: 2 ** 40 }),
		linkName: byteName,
		deviceMajor: fc.integer({ min: 0, max: 4095 }),
		deviceMinor: fc.integer({ min: 0, max: 2 ** 20 }),
		xattrs,
		content: fc.uint8Array({ maxLength: 1500 }),
	})
	.map(({ content, ...fields }) => {
		const isLink = fields.kind === 'symlink' || fields.kind === 'hardlink';
		const isDevice = fields.kind === 'character' || fields.kind === 'block';
		const bytes = fields.kind === 'file' ? Buffer.from(content) : Buffer.alloc(0);
		const result: TarHeader = {
			...fields,
			size: bytes.length,
			linkName: isLink ? fields.linkName : '',
			deviceMajor: isDevice ? fields.deviceMajor : 0,
			deviceMinor: isDevice ? fields.deviceMinor : 0,
		};
		return { header: result, bytes };
	});

describe('the tar codec', () => {
	it('reads back what it wrote, whatever bytes the names have', async () => {
		await fc.assert(
			fc.asyncProperty(fc.array(header, { maxLength: 6 }), async (written) => {
				const archive = Buffer.concat([
					...written.flatMap((each) => [encodeHeader(each.header), each.bytes, padding(each.bytes.length)]),
					endOfArchive(),
				]);
				const entries = await read(archive);
				expect(entries.map(withoutOffset)).toEqual(written.map((each) => each.header));
				for (const [index, entry] of entries.entries()) {
					expect(archive.subarray(entry.offset, entry.offset + entry.size)).toEqual(written[index]!.bytes);
				}
			}),
			{ numRuns: 200 },
		);
	});

	it('writes the same bytes for the same header', () => {
		fc.assert(
			fc.property(header, (each) => encodeHeader(each.header).equals(encodeHeader({ ...each.header }))),
			{ numRuns: 50 },
		);
	});

	it.each([8, 12])('keeps numbers in fields of %i bytes', (width) => {
		fc.assert(
			fc.property(fc.maxSafeInteger(), (value) => {
				fc.pre(width === 12 || Math.abs(value) < 2 ** 54);
				const header = Buffer.alloc(width + 2, 0xff);
				writeTarNumber(value, header, 1, width);
				expect(readTarNumber(header.subarray(1, -1))).toBe(value);
				expect([header.at(0), header.at(-1)]).toEqual([0xff, 0xff]);
			}),
		);
	});

	it('declares a file of 9 GB', async () => {
		const header9: TarHeader = { ...(await read(tarOf([file('big', '')])))[0]!, size: 9_000_000_000 };
		const block = encodeHeader(header9);
		expect(readTarNumber(block.subarray(124, 136))).toBe(9_000_000_000);
	});
});

const corrupt = (entry: string | undefined): unknown =>
	expect.objectContaining({ code: 'archive-corrupt', detail: expect.objectContaining({ entry }) });

describe('a damaged archive', () => {
	const archive = tarOf([
		file('first', 'x'.repeat(700)),
		file('second', 'y'),
		directory('d'),
		symlink('l', 't'),
		hardlink('h', 'first'),
	]);

	it('is recognised wherever it is cut, or loses only whole entries', async () => {
		const whole = await read(archive);
		for (let length = 1; length < archive.length; length += 37) {
			const result = await read(archive.subarray(0, length)).catch((error: unknown) => error);
			if (Array.isArray(result)) {
				expect(result.map(withoutOffset)).toEqual(whole.slice(0, result.length).map(withoutOffset));
			} else {
				expect(result).toMatchObject({ code: 'archive-corrupt' });
			}
		}
	});

	it('names the entry whose content is cut off', async () => {
		await expect(read(archive.subarray(0, 1000))).rejects.toEqual(corrupt('first'));
	});

	it('names the entry before a header with a wrong checksum', async () => {
		const damaged = Buffer.from(archive);
		damaged[512 + 1024 + 5]! ^= 1;
		await expect(read(damaged)).rejects.toEqual(corrupt('first'));
	});

	it('never ends in anything but entries or a clear error, whatever is changed', async () => {
		await fc.assert(
			fc.asyncProperty(fc.nat(archive.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
				const damaged = Buffer.from(archive);
				damaged[at]! ^= change;
				const result = await read(damaged).catch((error: unknown) => error);
				expect(Array.isArray(result) || BoincError.is(result, 'archive-corrupt', 'image-unsupported')).toBe(true);
			}),
			{ numRuns: 300 },
		);
	});

	it('is refused when an extended header declares a giant size', async () => {
		const block = encodeHeader({ ...(await read(tarOf([file('x', '')])))[0]!, size: 2 ** 40 });
		block.write('x', 156, 'latin1');
		block.write('        ', 148, 'latin1');
		const sum = block.reduce((total, byte) => total + byte, 0);
		block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
		await expect(read(Buffer.concat([block, endOfArchive()]))).rejects.toMatchObject({ code: 'archive-corrupt' });
	});
});
