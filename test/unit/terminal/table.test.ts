import { expect, it } from 'vitest';

import { printable, table } from '../../../src/terminal/table.js';

it('aligns texts to the left and numbers to the right', () => {
	expect(
		table(
			['job', 'n'],
			[
				['a', 5],
				['long name', 100],
			],
		),
	).toBe(['JOB          N', 'a            5', 'long name  100'].join('\n'));
});

it('counts wide characters as two columns', () => {
	expect(
		table(
			['name', 'x'],
			[
				['日本', 'a'],
				['😀', 'b'],
				['é', 'c'],
			],
		),
	).toBe(['NAME  X', '日本  a', '😀    b', 'é     c'].join('\n'));
});

it('shows only the heading without rows', () => {
	expect(table(['a', 'b'], [])).toBe('A  B');
});

it('lets no control character of a stranger reach the terminal', () => {
	expect(printable('a\u001B[31mred\r\nb\u009B2J')).toBe('a\uFFFD[31mred\uFFFD\uFFFDb\uFFFD2J');
	expect(table(['n'], [['x\u001B]0;title\u0007']])).toBe('N\nx\uFFFD]0;title\uFFFD');
});
