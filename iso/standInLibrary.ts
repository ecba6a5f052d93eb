import type { NeededSymbol } from './elf.js';

const PAGE = 0x1000;
/** `xor eax, eax; ret` */
const RETURN_ZERO = Buffer.from([0x31, 0xc0, 0xc3]);
const FUNCTION = 0x12;

/** A shared library for x86-64 by the name `soname` with these functions, all of which return 0. */
export function standInLibrary(soname: string, symbols: readonly NeededSymbol[]): Buffer {
	const unique = [...new Map(symbols.map((symbol) => [`${symbol.name}@${symbol.version}`, symbol])).values()];
	const versions = [...new Set(unique.map(({ version }) => version))];
	const strings = new StringTable();
	const name = strings.add(soname);
	const placed = new Placement(64 + 2 * 56);
	const code = placed.add(RETURN_ZERO);
	const symbolTable = placed.add(
		Buffer.concat([Buffer.alloc(24), ...unique.map((symbol) => symbolEntry(strings.add(symbol.name), code))]),
	);
	// One bucket with a chain of all symbols.
	const count = unique.length + 1;
	const chain = Array.from({ length: count }, (_, index) => (index === 0 || index === unique.length ? 0 : index + 1));
	const hash = placed.add(words([1, count, unique.length > 0 ? 1 : 0, ...chain]));
	const symbolVersions = placed.add(halves([0, ...unique.map(({ version }) => versions.indexOf(version) + 2)]));
	const definitions = placed.add(
		Buffer.concat(
			[soname, ...versions].map((version, index) =>
				versionDefinition(version, strings.add(version), index + 1, index === versions.length),
			),
		),
	);
	const text = strings.bytes();
	const stringTable = placed.add(text);
	const dynamic = pairs([
		[14, name],
		[4, hash],
		[5, stringTable],
		[6, symbolTable],
		[10, text.length],
		[11, 24],
		[0x6ffffff0, symbolVersions],
		[0x6ffffffc, definitions],
		[0x6ffffffd, versions.length + 1],
		[0, 0],
	]);
	const body = placed.bytes();
	const start = Math.ceil(body.length / PAGE) * PAGE;
	const headers = Buffer.concat([
		elfHeader(),
		programHeader({ type: 1, flags: 5, offset: 0, size: body.length, alignment: PAGE }),
		programHeader({ type: 1, flags: 6, offset: start, size: dynamic.length, alignment: PAGE }),
		programHeader({ type: 2, flags: 6, offset: start, size: dynamic.length, alignment: 8 }),
	]);
	headers.copy(body);
	return Buffer.concat([body, Buffer.alloc(start - body.length), dynamic]);
}

/** Parts one after the other, each at a multiple of 8, behind `reserved` bytes. */
class Placement {
	readonly #parts: Buffer[];
	#end: number;

	constructor(reserved: number) {
		const size = Math.ceil((reserved + 56) / 8) * 8;
		this.#parts = [Buffer.alloc(size)];
		this.#end = size;
	}

	/** Returns the part's offset, which is its address as well. */
	add(part: Buffer): number {
		const offset = this.#end;
		const padded = Buffer.concat([part, Buffer.alloc((8 - (part.length % 8)) % 8)]);
		this.#parts.push(padded);
		this.#end += padded.length;
		return offset;
	}

	bytes(): Buffer {
		return Buffer.concat(this.#parts);
	}
}

class StringTable {
	readonly #parts: Buffer[] = [Buffer.from('\0')];
	#end = 1;

	add(text: string): number {
		const offset = this.#end;
		const part = Buffer.from(`${text}\0`, 'latin1');
		this.#parts.push(part);
		this.#end += part.length;
		return offset;
	}

	bytes(): Buffer {
		return Buffer.concat(this.#parts);
	}
}

function symbolEntry(name: number, address: number): Buffer {
	const entry = Buffer.alloc(24);
	entry.writeUInt32LE(name, 0);
	entry.writeUInt8(FUNCTION, 4);
	// Any section but "undefined".
	entry.writeUInt16LE(1, 6);
	entry.writeBigUInt64LE(BigInt(address), 8);
	entry.writeBigUInt64LE(BigInt(RETURN_ZERO.length), 16);
	return entry;
}

/** The first one names the library itself. */
function versionDefinition(version: string, name: number, index: number, isLast: boolean): Buffer {
	const entry = Buffer.alloc(28);
	entry.writeUInt16LE(1, 0);
	entry.writeUInt16LE(index === 1 ? 1 : 0, 2);
	entry.writeUInt16LE(index, 4);
	entry.writeUInt16LE(1, 6);
	entry.writeUInt32LE(elfHash(version), 8);
	entry.writeUInt32LE(20, 12);
	entry.writeUInt32LE(isLast ? 0 : 28, 16);
	entry.writeUInt32LE(name, 20);
	return entry;
}

/** The hash of names in the System V binary interface. */
function elfHash(name: string): number {
	let hash = 0;
	for (const byte of Buffer.from(name, 'latin1')) {
		hash = (hash << 4) + byte;
		hash = (hash ^ ((hash >>> 24) & 0xf0)) & 0x0fffffff;
	}
	return hash;
}

function elfHeader(): Buffer {
	const header = Buffer.alloc(64);
	header.write('\x7fELF\x02\x01\x01', 0, 'latin1');
	header.writeUInt16LE(3, 16); // shared object
	header.writeUInt16LE(62, 18); // x86-64
	header.writeUInt32LE(1, 20);
	header.writeBigUInt64LE(64n, 32);
	header.writeUInt16LE(64, 52);
	header.writeUInt16LE(56, 54);
	header.writeUInt16LE(3, 56);
	return header;
}

function programHeader(segment: { type: number; flags: number; offset: number; size: number; alignment: number }): Buffer {
	const header = Buffer.alloc(56);
	header.writeUInt32LE(segment.type, 0);
	header.writeUInt32LE(segment.flags, 4);
	for (const [at, value] of [
		[8, segment.offset],
		[16, segment.offset],
		[24, segment.offset],
		[32, segment.size],
		[40, segment.size],
		[48, segment.alignment],
	] as const) {
		header.writeBigUInt64LE(BigInt(value), at);
	}
	return header;
}

const words = (numbers: readonly number[]): Buffer => Buffer.from(Uint32Array.from(numbers).buffer);
const halves = (numbers: readonly number[]): Buffer => Buffer.from(Uint16Array.from(numbers).buffer);
const pairs = (entries: readonly (readonly [number, number])[]): Buffer =>
	Buffer.from(BigUint64Array.from(entries.flat().map(BigInt)).buffer);
