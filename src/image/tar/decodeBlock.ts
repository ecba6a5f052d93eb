import { type OldGnuMap, oldGnuMap } from './sparseMap.js';
import type { ByteString, TarKind } from './tarHeader.js';
import { readTarNumber } from './tarNumber.js';

/** The fields of one header block, before names and numbers of extended headers are put in. */
export interface RawHeader {
	readonly name: ByteString;
	readonly typeFlag: string;
	readonly kind: TarKind;
	readonly mode: number;
	readonly uid: number;
	readonly gid: number;
	readonly size: number;
	readonly mtime: number;
	readonly linkName: ByteString;
	readonly deviceMajor: number;
	readonly deviceMinor: number;
	/** Of a sparse file in GNU's old format. */
	readonly sparse: OldGnuMap | undefined;
}

const KINDS: Readonly<Record<string, TarKind>> = {
	'0': 'file',
	'\0': 'file',
	'7': 'file',
	'1': 'hardlink',
	'2': 'symlink',
	'3': 'character',
	'4': 'block',
	'5': 'directory',
	'6': 'fifo',
	// GNU: a folder with a list of its files, a sparse file, a volume label, extensions.
	D: 'directory',
	S: 'file',
	V: 'file',
	L: 'file',
	K: 'file',
	x: 'file',
	X: 'file',
	g: 'file',
};

/** What is wrong with a block. */
export interface BlockTrouble {
	readonly trouble: string;
}

/** Decodes a header block; `end` for an empty one. */
export function decodeBlock(block: Buffer): RawHeader | 'end' | BlockTrouble {
	if (block[0] === 0 && block.every((byte) => byte === 0)) {
		return 'end';
	}
	if (!checksumFits(block)) {
		return { trouble: 'a header has a wrong checksum' };
	}
	const typeFlag = block.toString('latin1', 156, 157);
	const kind = KINDS[typeFlag];
	if (kind === undefined) {
		return { trouble: `unknown kind of entry “${typeFlag}”` };
	}
	const numbers = numbersOf(block);
	if (numbers === undefined) {
		return { trouble: 'a header has a field that is not a number, or a negative one' };
	}
	const isDevice = kind === 'character' || kind === 'block';
	return {
		name: nameOf(block),
		typeFlag,
		kind,
		...numbers,
		size: kind === 'file' ? numbers.size : 0,
		linkName: text(block, 157, 100),
		deviceMajor: isDevice ? (readTarNumber(block.subarray(329, 337)) ?? 0) : 0,
		deviceMinor: isDevice ? (readTarNumber(block.subarray(337, 345)) ?? 0) : 0,
		sparse: typeFlag === 'S' ? oldGnuMap(block) : undefined,
	};
}

function numbersOf(block: Buffer): Pick<RawHeader, 'mode' | 'uid' | 'gid' | 'size' | 'mtime'> | undefined {
	const mode = readTarNumber(block.subarray(100, 108));
	const uid = readTarNumber(block.subarray(108, 116));
	const gid = readTarNumber(block.subarray(116, 124));
	const size = readTarNumber(block.subarray(124, 136));
	const mtime = readTarNumber(block.subarray(136, 148));
	if (mode === undefined || mtime === undefined || !isCount(uid) || !isCount(gid) || !isCount(size)) {
		return undefined;
	}
	return { mode: mode & 0o7777, uid, gid, size, mtime };
}

const isCount = (value: number | undefined): value is number => value !== undefined && value >= 0;

function text(block: Buffer, at: number, width: number): ByteString {
	const field = block.subarray(at, at + width);
	const end = field.indexOf(0);
	return field.toString('latin1', 0, end < 0 ? width : end);
}

function nameOf(block: Buffer): ByteString {
	const name = text(block, 0, 100);
	// GNU headers ("ustar  ") keep other things where POSIX has the prefix; star's are shorter.
	if (block.toString('latin1', 257, 263) !== 'ustar\0') {
		return name;
	}
	const prefix = text(block, 345, block.toString('latin1', 508, 512) === 'tar\0' ? 131 : 155);
	return prefix === '' ? name : `${prefix}/${name}`;
}

function checksumFits(block: Buffer): boolean {
	const stored = readTarNumber(block.subarray(148, 156));
	let unsigned = 0;
	let signed = 0;
	for (let index = 0; index < block.length; index++) {
		const byte = index >= 148 && index < 156 ? 0x20 : (block[index] ?? 0);
		unsigned += byte;
		// Some old programs added signed characters.
		signed += byte > 127 ? byte - 256 : byte;
	}
	return stored === unsigned || stored === signed;
}
