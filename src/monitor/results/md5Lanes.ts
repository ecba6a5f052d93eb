import { md5Of } from './keepArchive.js';
import { CHUNK, DATA, LANES, md5Module, stateWord } from './md5Module.js';

const BLOCK = 64;
/** RFC 1321 §3.3. */
const INITIAL = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
/** The lanes together are three times as fast as OpenSSL with one after the other, however few of them have work. */
const WORTH = 3;

/** What a lane is at. */
interface Lane {
	readonly index: number;
	bytes: Uint8Array;
	at: number;
	/** What follows when `bytes` are done. */
	rest: Uint8Array | undefined;
}

/** The module of `md5Module` at work. */
interface Program {
	readonly hash: (blocks: number) => void;
	readonly memory: Uint8Array;
	readonly words: DataView;
}

/** `undefined` where there is no WebAssembly, or none with vectors. */
function loadProgram(): Program | undefined {
	try {
		const { hash, memory } = new WebAssembly.Instance(new WebAssembly.Module(md5Module())).exports;
		return typeof hash === 'function' && memory instanceof WebAssembly.Memory
			? {
					hash: hash as (blocks: number) => void,
					memory: new Uint8Array(memory.buffer),
					words: new DataView(memory.buffer),
				}
			: undefined;
	} catch {
		return undefined;
	}
}

/**
 * MD5 of several byte sequences at once. Each step of MD5 waits for the one before, which leaves most of a processor idle, and none has
 * instructions for it: so eight are hashed side by side, in the lanes of vectors.
 */
export class Md5Lanes {
	readonly #program: Program | undefined;

	/** Without a program one is hashed after the other. */
	constructor(load: () => Program | undefined = loadProgram) {
		this.#program = load();
	}

	/** The hashes in the order of the sequences, as 32 hexadecimal digits each. */
	digests(all: readonly Uint8Array[]): string[] {
		const found = all.map(() => '');
		const longestFirst = [...all.keys()].sort((a, b) => lengthOf(all, b) - lengthOf(all, a));
		let total = all.reduce((sum, { length }) => sum + length, 0);
		let alone = 0;
		for (const index of longestFirst) {
			const length = lengthOf(all, index);
			if (this.#program && total >= WORTH * length && length > 0) {
				break;
			}
			found[index] = md5Of(all[index] ?? new Uint8Array());
			total -= length;
			alone++;
		}
		if (this.#program && alone < all.length) {
			hashTogether(this.#program, all, longestFirst.slice(alone), found);
		}
		return found;
	}
}

/** Hashes those with the indices of `waiting`: a lane that has done one takes the next. */
function hashTogether(
	{ hash, memory, words }: Program,
	all: readonly Uint8Array[],
	waiting: readonly number[],
	found: string[],
): void {
	const queue = waiting.values();
	const take = (place: number): Lane | undefined => {
		const next = queue.next();
		if (next.done === true) {
			return undefined;
		}
		INITIAL.forEach((value, word) => words.setUint32(stateWord(place, word), value, true));
		const bytes = all[next.value] ?? new Uint8Array();
		const whole = bytes.length - (bytes.length % BLOCK);
		const last = padded(bytes.subarray(whole), bytes.length);
		return whole === 0
			? { index: next.value, bytes: last, at: 0, rest: undefined }
			: { index: next.value, bytes: bytes.subarray(0, whole), at: 0, rest: last };
	};
	const lanes = Array.from({ length: LANES }, (_, place) => take(place));
	for (;;) {
		const left = lanes.flatMap((lane) => (lane ? [lane.bytes.length - lane.at] : []));
		if (left.length === 0) {
			return;
		}
		const step = Math.min(CHUNK, ...left);
		for (const [place, lane] of lanes.entries()) {
			if (lane) {
				memory.set(lane.bytes.subarray(lane.at, lane.at + step), DATA + place * CHUNK);
				lane.at += step;
			}
		}
		hash(step / BLOCK);
		for (const [place, lane] of lanes.entries()) {
			if (!lane || lane.at < lane.bytes.length) {
				continue;
			}
			if (lane.rest) {
				Object.assign(lane, { bytes: lane.rest, at: 0, rest: undefined });
			} else {
				found[lane.index] = digestOf(words, place);
				lanes[place] = take(place);
			}
		}
	}
}

/** The state of a lane as it is written. */
function digestOf(words: DataView, place: number): string {
	const digest = Buffer.alloc(16);
	INITIAL.forEach((_, word) => digest.writeUInt32LE(words.getUint32(stateWord(place, word), true), word * 4));
	return digest.toString('hex');
}

const lengthOf = (all: readonly Uint8Array[], index: number): number => all[index]?.length ?? 0;

/** The last blocks: what is left, a bit, and the length of all in bits (RFC 1321 §3.1 and §3.2). */
function padded(rest: Uint8Array, length: number): Uint8Array {
	const blocks = Buffer.alloc(rest.length + 9 > BLOCK ? 2 * BLOCK : BLOCK);
	blocks.set(rest);
	blocks[rest.length] = 0x80;
	blocks.writeBigUInt64LE(BigInt(length) * 8n, blocks.length - 8);
	return blocks;
}
