import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { joinCommandLine, splitCommandLine } from '../../../src/common/commandLine.js';

describe('a command line', () => {
	it.each<[string, string[]]>([
		['', []],
		['  \t ', []],
		['python3 run.py --n 5', ['python3', 'run.py', '--n', '5']],
		[`sh -c 'echo "a b" > x'`, ['sh', '-c', 'echo "a b" > x']],
		['echo "it\'s" ""', ['echo', "it's", '']],
		['echo "a\\"b\\\\c\\n"', ['echo', 'a"b\\c\\n']],
		['a\\ b c\\', ['a b', 'c\\']],
		['echo $HOME *.txt ; ls', ['echo', '$HOME', '*.txt', ';', 'ls']],
		['a"b"\'c\'', ['abc']],
	])('%j is %j', (text, words) => {
		expect(splitCommandLine(text)).toEqual(words);
	});

	it.each(['echo "open', "echo 'open"])('refuses %j', (text) => {
		expect(() => splitCommandLine(text)).toThrow(/not closed/);
	});

	it('comes back as it was', () => {
		fc.assert(
			fc.property(fc.array(fc.string({ unit: 'binary' })), (words) => {
				expect(splitCommandLine(joinCommandLine(words))).toEqual(words);
			}),
		);
	});
});
