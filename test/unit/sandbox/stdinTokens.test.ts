import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { stdinTokens } from '../../../src/sandbox/stdinTokens.js';

describe('words of a create_work line', () => {
	it.each([
		['', []],
		['  a   b\tc\r', ['a', 'b', 'c']],
		['--command_line "a b" in', ['--command_line', 'a b', 'in']],
		[`'x "y' z`, ['x "y', 'z']],
		// A quote inside a word is nothing special; after a closing quote a new word begins.
		['a"b"c', ['a"b"c']],
		[`'q'r`, ['q', 'r']],
		// An open quote takes the rest of the line.
		[`--n 'open in.txt`, ['--n', 'open in.txt']],
		// The first character after a quote always belongs to the word, even another quote.
		['--n "" in.txt" b', ['--n', '" in.txt', 'b']],
		['back\\slash', ['back\\slash']],
	])('%j', (line, words) => {
		expect(stdinTokens(line)).toEqual(words);
	});

	it('gives back what was quoted, for words with one kind of quote', () => {
		const word = fc.string({ minLength: 1 }).filter((text) => !/["\n]/.test(text));
		fc.assert(
			fc.property(fc.array(word), (words) => {
				expect(stdinTokens(words.map((text) => `"${text}"`).join(' '))).toEqual(words);
			}),
		);
	});
});
