import type { Architecture } from './types.js';

/** What the first bytes of a file say about it. */
export interface ProgramFacts {
	readonly kind: 'elf' | 'pe' | 'mach-o' | 'script' | 'other';
	/** Architecture of an ELF program, in Docker's words; `undefined` for others. */
	readonly architecture: Architecture | undefined;
	/** Whether an ELF program needs no dynamic loader. */
	readonly isStatic: boolean;
}

const ELF_MACHINES: Readonly<Record<number, Architecture | undefined>> = { 62: 'amd64', 183: 'arm64' };
const PT_INTERP = 3;
const MACH_O = new Set([0xfeedface, 0xfeedfacf, 0xcefaedfe, 0xcffaedfe, 0xcafebabe]);

/** Recognises programs by their header. `bytes` needs to hold the beginning only. */
export function programFacts(bytes: Uint8Array): ProgramFacts {
	const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const other = (kind: ProgramFacts['kind']): ProgramFacts => ({ kind, architecture: undefined, isStatic: false });
	if (data.length < 64) {
		return data.subarray(0, 2).toString('latin1') === '#!' ? other('script') : other('other');
	}
	const magic = data.readUInt32BE(0);
	if (magic === 0x7f454c46) {
		return elfFacts(data);
	}
	if (MACH_O.has(magic)) {
		return other('mach-o');
	}
	const two = data.toString('latin1', 0, 2);
	return other(two === 'MZ' ? 'pe' : two === '#!' ? 'script' : 'other');
}

/** Only 64-bit little-endian programs are told apart further: the ones that containers run. */
function elfFacts(data: Buffer): ProgramFacts {
	if (data[4] !== 2 || data[5] !== 1) {
		return { kind: 'elf', architecture: undefined, isStatic: false };
	}
	const table = Number(data.readBigUInt64LE(32));
	const size = data.readUInt16LE(54);
	const count = data.readUInt16LE(56);
	let hasLoader = count === 0;
	for (let index = 0; index < count; index++) {
		const at = table + index * size;
		hasLoader ||= at + 4 > data.length || data.readUInt32LE(at) === PT_INTERP;
	}
	return { kind: 'elf', architecture: ELF_MACHINES[data.readUInt16LE(18)], isStatic: !hasLoader };
}
