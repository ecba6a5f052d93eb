import { BLOCK, type ByteString, paddedSize, type TarHeader, type TarKind } from './tarHeader.js';
import { writeTarNumber } from './tarNumber.js';

const TYPE_FLAGS: Readonly<Record<TarKind, string>> = {
	file: '0',
	hardlink: '1',
	symlink: '2',
	character: '3',
	block: '4',
	directory: '5',
	fifo: '6',
};
const NAME_BYTES = 100;
const ZEROS = Buffer.alloc(BLOCK);
const LONG_NAME = '././@LongLink';

/**
 * The blocks in front of an entry's content. One header has one encoding: GNU headers, with `L` and `K` entries for
 * names over 100 bytes (they hold any bytes, while PAX wants UTF-8), base 256 for big numbers, and a PAX header only
 * for extended attributes. GNU tar, busybox and both engines' builders read it.
 * `mtime` must be whole seconds.
 */
export function encodeHeader(header: TarHeader): Buffer {
	const name = header.kind === 'directory' ? `${header.name}/` : header.name;
	const own = block({ ...header, name }, TYPE_FLAGS[header.kind]);
	const before = [
		...(header.xattrs.size > 0 ? [paxHeader(header.xattrs)] : []),
		...(header.linkName.length > NAME_BYTES ? [longName('K', header.linkName)] : []),
		...(name.length > NAME_BYTES ? [longName('L', name)] : []),
	];
	return before.length > 0 ? Buffer.concat([...before, own]) : own;
}

/** The two empty blocks that end an archive. */
export const endOfArchive = (): Buffer => Buffer.alloc(2 * BLOCK);

/** Zeros that fill the last block of `size` bytes of content. */
export const padding = (size: number): Buffer => ZEROS.subarray(0, paddedSize(size) - size);

type Fields = Omit<TarHeader, 'kind' | 'xattrs'>;

function block(fields: Fields, typeFlag: string): Buffer {
	// From the shared pool, since an image may have a million of them.
	const result = Buffer.allocUnsafe(BLOCK).fill(0);
	result.write(fields.name.slice(0, NAME_BYTES), 0, 'latin1');
	writeTarNumber(fields.mode, result, 100, 8);
	writeTarNumber(fields.uid, result, 108, 8);
	writeTarNumber(fields.gid, result, 116, 8);
	writeTarNumber(fields.size, result, 124, 12);
	writeTarNumber(fields.mtime, result, 136, 12);
	result.write('        ', 148, 'latin1');
	result.write(typeFlag, 156, 'latin1');
	result.write(fields.linkName.slice(0, NAME_BYTES), 157, 'latin1');
	result.write('ustar  \0', 257, 'latin1');
	if (typeFlag === TYPE_FLAGS.character || typeFlag === TYPE_FLAGS.block) {
		writeTarNumber(fields.deviceMajor, result, 329, 8);
		writeTarNumber(fields.deviceMinor, result, 337, 8);
	}
	let sum = 0;
	for (const byte of result) {
		sum += byte;
	}
	result.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
	return result;
}

const EMPTY: Fields = { name: '', mode: 0o644, uid: 0, gid: 0, size: 0, mtime: 0, linkName: '', deviceMajor: 0, deviceMinor: 0 };

function extra(typeFlag: string, name: string, content: Buffer): Buffer {
	return Buffer.concat([block({ ...EMPTY, name, size: content.length }, typeFlag), content, padding(content.length)]);
}

function longName(typeFlag: 'K' | 'L', name: ByteString): Buffer {
	return extra(typeFlag, LONG_NAME, Buffer.from(`${name}\0`, 'latin1'));
}

function paxHeader(xattrs: ReadonlyMap<ByteString, Buffer>): Buffer {
	const names = [...xattrs.keys()].sort();
	return extra('x', 'PaxHeaders/attributes', Buffer.concat(names.map((name) => paxRecord(name, xattrs.get(name)))));
}

/** `LENGTH KEY=VALUE\n`, where the length counts its own digits. */
function paxRecord(name: ByteString, value: Buffer | undefined): Buffer {
	const rest = Buffer.concat([
		Buffer.from(` SCHILY.xattr.${name}=`, 'latin1'),
		value ?? Buffer.alloc(0),
		Buffer.from('\n', 'latin1'),
	]);
	let length = rest.length;
	while (String(length).length + rest.length !== length) {
		length = String(length).length + rest.length;
	}
	return Buffer.concat([Buffer.from(String(length), 'latin1'), rest]);
}
