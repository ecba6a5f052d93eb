import { encodeHeader, padding } from '../../src/image/tar/encodeHeader.js';
import type { TarHeader } from '../../src/image/tar/tarHeader.js';
import { writeTarNumber } from '../../src/image/tar/tarNumber.js';

export type SparseFormat = 'old GNU' | '0.0' | '0.1' | '1.0';

/** A sparse file as an archive states it; the parts need not fit each other. */
export interface SparseTestFile {
	readonly name: string;
	readonly size: number;
	/** Offset and length of each piece. */
	readonly pieces: readonly number[];
	readonly stored: Buffer;
}

/** A header of 512 bytes with another kind of entry. */
export function headerBlock(
	fields: Partial<TarHeader> & { readonly name: string },
	typeFlag: string,
	change?: (block: Buffer) => void,
): Buffer {
	const block = encodeHeader({
		kind: 'file',
		mode: 0o644,
		uid: 0,
		gid: 0,
		size: 0,
		mtime: 1_000,
		linkName: '',
		deviceMajor: 0,
		deviceMinor: 0,
		xattrs: new Map(),
		...fields,
	});
	block.write(typeFlag, 156, 'latin1');
	change?.(block);
	return withChecksum(block);
}

/** The block with its checksum put right. */
export function withChecksum(block: Buffer): Buffer {
	block.write('        ', 148, 'latin1');
	const sum = block.reduce((total, byte) => total + byte, 0);
	block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
	return block;
}

const padded = (content: Buffer): Buffer => Buffer.concat([content, padding(content.length)]);

/** An extended header. */
export function paxBlocks(records: readonly (readonly [string, string])[], typeFlag = 'x'): Buffer {
	const content = Buffer.from(records.map(([key, value]) => paxRecord(key, value)).join(''), 'latin1');
	return Buffer.concat([headerBlock({ name: 'PaxHeaders/x', size: content.length }, typeFlag), padded(content)]);
}

function paxRecord(key: string, value: string): string {
	const rest = ` ${key}=${value}\n`;
	let length = rest.length + 1;
	while (String(length).length + rest.length !== length) {
		length = String(length).length + rest.length;
	}
	return `${length}${rest}`;
}

const FIRST = 4;
const FURTHER = 21;

function number12(value: number): Buffer {
	const field = Buffer.alloc(12);
	writeTarNumber(value, field, 0, 12);
	return field;
}

/** In GNU's old format, or what star makes of it. */
export function oldGnuSparse({ name, size, pieces, stored }: SparseTestFile, magic = 'ustar  \0'): Buffer {
	const numbers = pieces.map(number12);
	const first = numbers.slice(0, 2 * FIRST);
	const blocks: Buffer[] = [];
	for (let at = 2 * FIRST; at < numbers.length; at += 2 * FURTHER) {
		const block = Buffer.alloc(512);
		Buffer.concat(numbers.slice(at, at + 2 * FURTHER)).copy(block);
		block[504] = at + 2 * FURTHER < numbers.length ? 1 : 0;
		blocks.push(block);
	}
	const header = headerBlock({ name, size: stored.length }, 'S', (block) => {
		block.write(magic, 257, 'latin1');
		Buffer.concat(first).copy(block, 386);
		block[482] = blocks.length > 0 ? 1 : 0;
		writeTarNumber(size, block, 483, 12);
	});
	return Buffer.concat([header, ...blocks, padded(stored)]);
}

/** In one of GNU's formats with PAX records; `more` are added, and replace those with the same key. */
export function paxSparse(
	version: Exclude<SparseFormat, 'old GNU'>,
	{ name, size, pieces, stored }: SparseTestFile,
	more: readonly (readonly [string, string])[] = [],
	content: Buffer = stored,
): Buffer {
	const count = String(pieces.length / 2);
	const decimal = pieces.map((piece) => BigInt(piece).toString());
	const text = [count, ...decimal].map((line) => `${line}\n`).join('');
	const body = version === '1.0' && content === stored ? Buffer.concat([padded(Buffer.from(text)), stored]) : content;
	const records: Record<string, [string, string][]> = {
		'0.0': [
			['GNU.sparse.size', String(size)],
			['GNU.sparse.numblocks', count],
			...decimal.map((piece, index): [string, string] => [`GNU.sparse.${index % 2 === 0 ? 'offset' : 'numbytes'}`, piece]),
		],
		'0.1': [
			['GNU.sparse.size', String(size)],
			['GNU.sparse.numblocks', count],
			['GNU.sparse.name', name],
			['GNU.sparse.map', decimal.join(',')],
		],
		'1.0': [
			['GNU.sparse.major', '1'],
			['GNU.sparse.minor', '0'],
			['GNU.sparse.name', name],
			['GNU.sparse.realsize', String(size)],
		],
	};
	const all = [...(records[version] ?? []).filter(([key]) => !more.some(([changed]) => changed === key)), ...more];
	const shown = version === '0.0' ? name : `GNUSparseFile.1/${name}`;
	return Buffer.concat([paxBlocks(all), headerBlock({ name: shown, size: body.length }, '0'), padded(body)]);
}
