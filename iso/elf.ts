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

/**
 * A copy of a program that is not linked with `library`. It must never call a function of it: functions are looked up
 * when they are first called. Spares a library, and what that needs, which is used only with options that we do not use.
 */
export function withoutLibrary(elf: Buffer, library: string): Buffer {
	const result = Buffer.from(elf);
	const dynamic = dynamicOf(result);
	const needed = dynamic?.entries.find(({ tag, value }) => tag === DT.needed && dynamic.stringAt(value) === library);
	if (!dynamic || !needed) {
		throw new Error(`The program is not linked with ${library}.`);
	}
	forgetVersions(result, dynamic, library);
	const end = dynamic.entries.at(-1)?.offset ?? 0;
	result.copyWithin(needed.offset, needed.offset + 16, end + 16);
	return result;
}

/** Takes the library out of the list of needed symbol versions; its symbols become symbols of any version. */
function forgetVersions(elf: Buffer, dynamic: Dynamic, library: string): void {
	const entry = (tag: number) => dynamic.entries.find((each) => each.tag === tag);
	const list = entry(DT.verneed);
	const count = entry(DT.verneednum);
	if (!list || !count) {
		return;
	}
	let previous: number | undefined;
	let at = dynamic.offsetOf(list.value);
	for (let left = count.value; left > 0; left--) {
		const next = elf.readUInt32LE(at + 12);
		if (dynamic.stringAt(elf.readUInt32LE(at + 4)) === library) {
			resetSymbols(elf, dynamic, versionsOf(elf, at));
			if (previous === undefined) {
				elf.writeBigUInt64LE(BigInt(list.value + next), list.offset + 8);
			} else {
				elf.writeUInt32LE(next === 0 ? 0 : elf.readUInt32LE(previous + 12) + next, previous + 12);
			}
			elf.writeBigUInt64LE(BigInt(count.value - 1), count.offset + 8);
			return;
		}
		previous = at;
		at += next;
	}
}

/** Numbers of the versions in one entry of the list. */
function versionsOf(elf: Buffer, at: number): Set<number> {
	const versions = new Set<number>();
	let auxiliary = at + elf.readUInt32LE(at + 8);
	for (let left = elf.readUInt16LE(at + 2); left > 0; left--) {
		versions.add(elf.readUInt16LE(auxiliary + 6));
		auxiliary += elf.readUInt32LE(auxiliary + 12);
	}
	return versions;
}

function resetSymbols(elf: Buffer, dynamic: Dynamic, versions: ReadonlySet<number>): void {
	const find = (tag: number): number | undefined => dynamic.entries.find((each) => each.tag === tag)?.value;
	const table = find(DT.versym);
	const symbols = find(DT.symtab);
	const strings = find(DT.strtab);
	if (table === undefined || symbols === undefined || strings === undefined) {
		throw new Error('The program has versions, but no symbols.');
	}
	// Nothing tells the number of symbols; in what Debian links the names follow the symbols.
	const count = Math.floor((strings - symbols) / 24);
	const offset = dynamic.offsetOf(table);
	for (let index = 0; index < count; index++) {
		if (versions.has(elf.readUInt16LE(offset + 2 * index) & 0x7fff)) {
			elf.writeUInt16LE(1, offset + 2 * index);
		}
	}
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
