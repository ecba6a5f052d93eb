/** Byte sequences that are hashed at once: two groups of as many as a vector has lanes. */
export const LANES = 8;
/** Bytes of each that fit into the memory of the module. */
export const CHUNK = 16 * 1024;
/** Where the lanes' data begin in the memory, one after the other. */
export const DATA = 4096;

const GROUPS = LANES / 4;
const VECTOR = 16;
const PAGE = 65_536;
/** Where the memory holds what is not data: state words, message words lane by lane, and a word that nobody reads. */
const STATE = 0;
const WORDS = 1024;
const UNREAD = 2048;

/** RFC 1321 §3.4: how far each round rotates, and the sines. */
const ROTATIONS = [
	[7, 12, 17, 22],
	[5, 9, 14, 20],
	[4, 11, 16, 23],
	[6, 10, 15, 21],
] as const;
const sine = (step: number): number => Math.floor(Math.abs(Math.sin(step + 1)) * 2 ** 32);

/** Place of the word `word` (A, B, C, D) of a lane's state in the memory. */
export const stateWord = (lane: number, word: number): number => STATE + ((lane >> 2) * 4 + word) * VECTOR + (lane & 3) * 4;

type Code = readonly number[];

/** LEB128, as WebAssembly writes numbers. */
function unsigned(value: number): number[] {
	const low = value & 0x7f;
	return value < 0x80 ? [low] : [low | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: number): number[] {
	const low = value & 0x7f;
	const isLast = value >= -64 && value < 64;
	return isLast ? [low] : [low | 0x80, ...signed(value >> 7)];
}

const constant = (value: number): Code => [0x41, ...signed(value)];
const get = (local: number): Code => [0x20, ...unsigned(local)];
const set = (local: number): Code => [0x21, ...unsigned(local)];
const tee = (local: number): Code => [0x22, ...unsigned(local)];
const vector = (operation: number): Code => [0xfd, ...unsigned(operation)];
/** The alignment is a hint, as a power of two. */
const load = (offset: number): Code => [...vector(0x00), 4, ...unsigned(offset)];
const store = (offset: number): Code => [...vector(0x0b), 4, ...unsigned(offset)];
const shuffle = (lanes: Code): Code => [...vector(0x0d), ...lanes];
/** The same 32 bits in each lane. */
const splat = (value: number): Code => [
	...vector(0x0c),
	...[0, 1, 2, 3].flatMap(() => [0, 8, 16, 24].map((at) => (value >>> at) & 0xff)),
];

const NOT = vector(0x4d);
const AND = vector(0x4e);
const AND_NOT = vector(0x4f);
const OR = vector(0x50);
const XOR = vector(0x51);
const SHIFT_LEFT = vector(0xab);
const SHIFT_RIGHT = vector(0xad);
const ADD = vector(0xae);

/** The words of two vectors in turn, of their first or second halves. */
const LOW_WORDS = [0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23];
const HIGH_WORDS = [8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31];
const LOW_HALVES = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];
const HIGH_HALVES = [8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31];

/** The local variables of the function: the number of blocks, two addresses, then vectors. */
const BLOCKS = 0;
const AT = 1;
const END = 2;
const FIRST_VECTOR = 3;
type Four = readonly [number, number, number, number];
const four = (first: number): Four => [first, first + 1, first + 2, first + 3];
const stateOf = (group: number): Four => four(FIRST_VECTOR + group * 4);
const formerOf = (group: number): Four => four(FIRST_VECTOR + (GROUPS + group) * 4);
const SCRATCH = FIRST_VECTOR + GROUPS * 8;
const VECTORS = GROUPS * 8 + 8;

const groups = Array.from({ length: GROUPS }, (_, group) => group);
const eachState = (code: (local: number, place: number, former: number) => Code): Code =>
	groups.flatMap((group) =>
		stateOf(group).flatMap((local, word) => code(local, stateWord(group * 4, word), formerOf(group)[word] ?? 0)),
	);

/** Puts the words of a block of four byte sequences beside each other: 16 vectors. */
function transpose(group: number): Code {
	const [rows, pairs] = [four(SCRATCH), four(SCRATCH + 4)];
	return [0, 1, 2, 3].flatMap((quarter): Code => {
		const write = (column: number, [first, second]: readonly [number, number], lanes: Code): Code => [
			...[...constant(0), ...get(first), ...get(second), ...shuffle(lanes)],
			...store(WORDS + (group * 16 + quarter * 4 + column) * VECTOR),
		];
		const pair = (to: number, [first, second]: readonly [number, number], lanes: Code): Code => [
			...[...get(first), ...get(second), ...shuffle(lanes), ...set(to)],
		];
		return [
			...rows.flatMap((row, lane) => [...get(AT), ...load(DATA + (group * 4 + lane) * CHUNK + quarter * VECTOR), ...set(row)]),
			...pair(pairs[0], [rows[0], rows[1]], LOW_WORDS),
			...pair(pairs[1], [rows[2], rows[3]], LOW_WORDS),
			...pair(pairs[2], [rows[0], rows[1]], HIGH_WORDS),
			...pair(pairs[3], [rows[2], rows[3]], HIGH_WORDS),
			...write(0, [pairs[0], pairs[1]], LOW_HALVES),
			...write(1, [pairs[0], pairs[1]], HIGH_HALVES),
			...write(2, [pairs[2], pairs[3]], LOW_HALVES),
			...write(3, [pairs[2], pairs[3]], HIGH_HALVES),
		];
	});
}

/** Adds the round's function of b, c, d to what is on the stack. */
function addFunction(round: number, b: number, c: number, d: number): Code {
	switch (round) {
		case 0:
			return [...get(c), ...get(d), ...XOR, ...get(b), ...AND, ...get(d), ...XOR, ...ADD];
		case 1:
			// Either operand has the bits that the other lacks: to add them one by one shortens the way from b.
			return [...get(c), ...get(d), ...AND_NOT, ...ADD, ...get(b), ...get(d), ...AND, ...ADD];
		case 2:
			return [...get(b), ...get(c), ...XOR, ...get(d), ...XOR, ...ADD];
		default:
			return [...get(b), ...get(d), ...NOT, ...OR, ...get(c), ...XOR, ...ADD];
	}
}

/** Which word of the block a step takes. */
const wordOf = (step: number): number => ([step, 5 * step + 1, 3 * step + 5, 7 * step][step >> 4] ?? 0) % 16;

function oneStep(step: number, group: number): Code {
	const round = step >> 4;
	const state = stateOf(group);
	const [a, b, c, d] = [0, 1, 2, 3].map((role) => state[(role + 64 - step) & 3]) as unknown as Four;
	const left = ROTATIONS[round]?.[step & 3] ?? 0;
	const sum = SCRATCH + group;
	return [
		...[...get(a), ...splat(sine(step)), ...ADD],
		...[...constant(0), ...load(WORDS + (group * 16 + wordOf(step)) * VECTOR), ...ADD],
		...addFunction(round, b, c, d),
		...[...tee(sum), ...constant(left), ...SHIFT_LEFT, ...get(sum), ...constant(32 - left), ...SHIFT_RIGHT, ...OR],
		...[...get(b), ...ADD, ...set(a)],
		// V8 computes one group after the other, which is half as fast, if nothing that must happen in order is in between.
		...(step % 2 === 1 ? [...constant(0), ...get(a), ...store(UNREAD)] : []),
	];
}

/** The body of `hash(blocks)`. */
function body(): Code {
	return [
		...eachState((local, place) => [...constant(0), ...load(place), ...set(local)]),
		...[...constant(0), ...set(AT), ...get(BLOCKS), ...constant(6), 0x74, ...set(END)],
		// block, loop, and out of it when all is done.
		...[0x02, 0x40, 0x03, 0x40, ...get(AT), ...get(END), 0x4f, 0x0d, 1],
		...groups.flatMap(transpose),
		...eachState((local, _, former) => [...get(local), ...set(former)]),
		...Array.from({ length: 64 }, (_, step) => groups.flatMap((group) => oneStep(step, group))).flat(),
		...eachState((local, _, former) => [...get(local), ...get(former), ...ADD, ...set(local)]),
		...[...get(AT), ...constant(64), 0x6a, ...set(AT), 0x0c, 0, 0x0b, 0x0b],
		...eachState((local, place) => [...constant(0), ...get(local), ...store(place)]),
		0x0b,
	];
}

const section = (id: number, content: Code): Code => [id, ...unsigned(content.length), ...content];
const text = (value: string): Code => [value.length, ...Buffer.from(value)];

/**
 * A WebAssembly module with `memory` and `hash(blocks)`, which hashes that many blocks of 64 bytes of each of the `LANES` byte sequences at
 * `DATA + lane * CHUNK` into the states at `stateWord`. The function is RFC 1321's, with vectors in place of words.
 */
export function md5Module(): Uint8Array {
	const locals = [2, 2, 0x7f, ...unsigned(VECTORS), 0x7b];
	const code = [...locals, ...body()];
	return Uint8Array.from([
		...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
		// One type, from a number to nothing; one function of it; the memory; the names; the code.
		...section(1, [1, 0x60, 1, 0x7f, 0]),
		...section(3, [1, 0]),
		...section(5, [1, 0, ...unsigned(Math.ceil((DATA + LANES * CHUNK) / PAGE))]),
		...section(7, [2, ...text('memory'), 2, 0, ...text('hash'), 0, 0]),
		...section(10, [1, ...unsigned(code.length), ...code]),
	]);
}
