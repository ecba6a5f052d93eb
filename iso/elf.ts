/** The few facts of a 64-bit little-endian ELF file that are needed to take its libraries along. */
interface Dynamic {
	/** Offset in the file of each entry of the dynamic section. */
	readonly entries: readonly { readonly offset: number; readonly tag: number; readonly value: number }[];
	readonly stringAt: (index: number) => string;
	/** Offset in the file of what is at an address. */
	readonly offsetOf: (address: number) => number;
}

const DT = { null: 0, needed: 1, strtab: 5, symtab: 6, versym: 0x6ffffff0, verneed: 0x6ffffffe, verneednum: 0x6fffffff } as const;

/** Names of the libraries that a program or library is linked with; empty for a static program. */
export function neededLibraries(elf: Buffer): string[] {
	const dynamic = dynamicOf(elf);
	return dynamic ? dynamic.entries.filter(({ tag }) => tag === DT.needed).map(({ value }) => dynamic.stringAt(value)) : [];
}

/** A symbol that a program takes from a library, with its version there. */
export interface NeededSymbol {
	readonly name: string;
	readonly version: string;
}

/** The symbols that a program takes from `library`, as far as they have versions. */
export function neededSymbols(elf: Buffer, library: string): NeededSymbol[] {
	const dynamic = dynamicOf(elf);
	if (!dynamic) {
		return [];
	}
	const find = (tag: number): number => {
		const value = dynamic.entries.find((entry) => entry.tag === tag)?.value;
		if (value === undefined) {
			throw new Error(`The program has no symbol versions of ${library}.`);
		}
		return value;
	};
	const versions = neededVersions(elf, dynamic, library, dynamic.offsetOf(find(DT.verneed)), find(DT.verneednum));
	// Nothing tells the number of symbols; in what Debian links, the names follow the symbols.
	const count = Math.floor((find(DT.strtab) - find(DT.symtab)) / SYMBOL_BYTES);
	const [symbols, versym] = [dynamic.offsetOf(find(DT.symtab)), dynamic.offsetOf(find(DT.versym))];
	const found: NeededSymbol[] = [];
	for (let index = 0; index < count; index++) {
		const version = versions.get(elf.readUInt16LE(versym + 2 * index) & 0x7fff);
		if (version !== undefined) {
			found.push({ name: dynamic.stringAt(elf.readUInt32LE(symbols + SYMBOL_BYTES * index)), version });
		}
	}
	return found;
}

const SYMBOL_BYTES = 24;

/** Names of the versions that are needed of a library, by the number that symbols refer to. */
function neededVersions(elf: Buffer, dynamic: Dynamic, library: string, list: number, count: number): Map<number, string> {
	const versions = new Map<number, string>();
	for (let at = list, left = count; left > 0; left--, at += elf.readUInt32LE(at + 12)) {
		if (dynamic.stringAt(elf.readUInt32LE(at + 4)) === library) {
			let auxiliary = at + elf.readUInt32LE(at + 8);
			for (let names = elf.readUInt16LE(at + 2); names > 0; names--) {
				versions.set(elf.readUInt16LE(auxiliary + 6), dynamic.stringAt(elf.readUInt32LE(auxiliary + 8)));
				auxiliary += elf.readUInt32LE(auxiliary + 12);
			}
		}
	}
	return versions;
}

function dynamicOf(elf: Buffer): Dynamic | undefined {
	if (elf.toString('latin1', 0, 6) !== '\x7fELF\x02\x01') {
		throw new Error('This is no 64-bit ELF file.');
	}
	const start = Number(elf.readBigUInt64LE(32));
	const headers = Array.from({ length: elf.readUInt16LE(56) }, (_, index) => {
		const at = start + index * elf.readUInt16LE(54);
		return {
			type: elf.readUInt32LE(at),
			offset: Number(elf.readBigUInt64LE(at + 8)),
			address: Number(elf.readBigUInt64LE(at + 16)),
			size: Number(elf.readBigUInt64LE(at + 32)),
		};
	});
	const dynamic = headers.find(({ type }) => type === 2);
	if (!dynamic) {
		return undefined;
	}
	const offsetOf = (address: number): number => {
		const segment = headers.find((each) => each.type === 1 && address >= each.address && address < each.address + each.size);
		if (!segment) {
			throw new Error('An address of the ELF file is in none of its segments.');
		}
		return address - segment.address + segment.offset;
	};
	const entries: { offset: number; tag: number; value: number }[] = [];
	for (let offset = dynamic.offset; offset < dynamic.offset + dynamic.size; offset += 16) {
		const tag = Number(elf.readBigInt64LE(offset));
		entries.push({ offset, tag, value: Number(elf.readBigUInt64LE(offset + 8)) });
		if (tag === DT.null) {
			break;
		}
	}
	const strings = offsetOf(entries.find(({ tag }) => tag === DT.strtab)?.value ?? 0);
	const stringAt = (index: number): string => elf.toString('latin1', strings + index, elf.indexOf(0, strings + index));
	return { entries, stringAt, offsetOf };
}
