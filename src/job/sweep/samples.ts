import { type Range, scaled } from './axes.js';
import { item, type Rows } from './rows.js';

/** A parameter that values are drawn for: of a range, or one of a list. */
export type Drawn = { readonly range: Range } | { readonly values: readonly string[] };

export type SampleKind = 'random' | 'sobol' | 'latin';

/**
 * Direction numbers of a Sobol sequence by S. Joe and F. Y. Kuo (new-joe-kuo-6): degree and coefficients of a primitive polynomial,
 * and the first odd numbers. The first dimension needs none.
 */
const DIRECTIONS: readonly (readonly [degree: number, coefficients: number, first: readonly number[]])[] = [
	[1, 0, [1]],
	[2, 1, [1, 3]],
	[3, 1, [1, 3, 1]],
	[3, 2, [1, 1, 1]],
	[4, 1, [1, 1, 3, 3]],
	[4, 4, [1, 3, 5, 13]],
	[5, 2, [1, 1, 5, 5, 17]],
	[5, 4, [1, 1, 5, 5, 5]],
	[5, 7, [1, 1, 7, 11, 19]],
	[5, 11, [1, 1, 5, 1, 1]],
	[5, 13, [1, 1, 1, 3, 11]],
	[5, 14, [1, 3, 5, 5, 31]],
	[6, 1, [1, 3, 3, 9, 7, 49]],
	[6, 13, [1, 1, 1, 15, 21, 21]],
	[6, 16, [1, 3, 1, 13, 27, 49]],
	[6, 19, [1, 1, 1, 15, 7, 5]],
	[6, 22, [1, 3, 1, 15, 13, 25]],
	[6, 25, [1, 1, 5, 5, 19, 61]],
	[7, 1, [1, 3, 7, 11, 23, 15, 103]],
	[7, 4, [1, 3, 7, 13, 13, 15, 69]],
];

/** Most parameters of a Sobol sequence. */
export const MAX_SOBOL = DIRECTIONS.length + 1;

const BITS = 32;
const TWO_32 = 2 ** 32;

/** `count` rows of drawn values; the same seed gives the same rows, and each row is computed by itself. */
export function sampleRows(kind: SampleKind, count: number, seed: number, parameters: ReadonlyMap<string, Drawn>): Rows {
	const draws = [...parameters].map(([name, drawn], dimension) => ({
		name,
		drawn,
		fraction: FRACTIONS[kind](count, seed, dimension),
	}));
	return {
		names: [...parameters.keys()],
		count,
		at: (index) => new Map(draws.map(({ name, drawn, fraction }) => [name, pick(drawn, fraction(index))])),
	};
}

type Fraction = (index: number) => number;

const FRACTIONS: Readonly<Record<SampleKind, (count: number, seed: number, dimension: number) => Fraction>> = {
	random: (_count, seed, dimension) => (index) => uniform(seed, dimension, index),
	sobol: (_count, seed, dimension) => {
		const directions = directionsOf(dimension);
		// The same bits changed in all points keep the points' even distances.
		const shift = seed === 0 ? 0 : mix(seed, dimension, 0x5eed);
		return (index) => {
			let bits = shift;
			const gray = index ^ (index >>> 1);
			for (let bit = 0; bit < BITS; bit++) {
				if ((gray >>> bit) & 1) {
					bits ^= item(directions, bit);
				}
			}
			return (bits >>> 0) / TWO_32;
		};
	},
	latin: (count, seed, dimension) => {
		const order = permutation(count, seed, dimension);
		return (index) => (item(order, index) + uniform(seed ^ 0x1a71, dimension, index)) / count;
	},
};

function pick(drawn: Drawn, fraction: number): string {
	return 'range' in drawn ? scaled(drawn.range, fraction) : item(drawn.values, Math.floor(fraction * drawn.values.length));
}

function directionsOf(dimension: number): Uint32Array {
	const numbers = new Uint32Array(BITS);
	const entry = dimension === 0 ? undefined : item(DIRECTIONS, dimension - 1);
	for (let bit = 0; bit < BITS; bit++) {
		if (!entry) {
			numbers[bit] = 2 ** (BITS - 1 - bit);
			continue;
		}
		const [degree, coefficients, first] = entry;
		if (bit < degree) {
			numbers[bit] = item(first, bit) * 2 ** (BITS - 1 - bit);
			continue;
		}
		const base = item(numbers, bit - degree);
		let value = base ^ (base >>> degree);
		for (let k = 1; k < degree; k++) {
			if ((coefficients >>> (degree - 1 - k)) & 1) {
				value ^= item(numbers, bit - k);
			}
		}
		numbers[bit] = value >>> 0;
	}
	return numbers;
}

function permutation(count: number, seed: number, dimension: number): Uint32Array {
	const order = Uint32Array.from({ length: count }, (_, index) => index);
	for (let last = count - 1; last > 0; last--) {
		const other = Math.floor(uniform(seed, dimension + 1000, last) * (last + 1));
		const value = item(order, last);
		order[last] = item(order, other);
		order[other] = value;
	}
	return order;
}

/** A number from 0 up to 1 with 53 random bits that depends on the three numbers only. */
export function uniform(seed: number, stream: number, index: number): number {
	return ((mix(seed, stream, index) >>> 5) * 2 ** 26 + (mix(seed ^ 0x9e3779b9, stream, index) >>> 6)) / 2 ** 53;
}

/** 32 well-mixed bits of three numbers: the finisher of MurmurHash3, once for each. */
function mix(a: number, b: number, c: number): number {
	let hash = 0x2545f491;
	for (const value of [a, b, c]) {
		hash = Math.imul(hash ^ value, 0xcc9e2d51) + 0x7f4a7c15;
		hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
		hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
		hash ^= hash >>> 16;
	}
	return hash >>> 0;
}
