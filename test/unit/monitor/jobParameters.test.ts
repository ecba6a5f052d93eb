import { expect, it } from 'vitest';

import { differing } from '../../../src/monitor/jobParameters.js';

const told = (argv: readonly string[], ...env: readonly string[]) => ({ argv, env });

it('finds what differs between jobs, what has fewest values first, with numbers in their order', () => {
	const { labels, groups } = differing(
		new Map([
			['a', told(['fit', '10'], 'MODE=fast', 'SAME=1', 'B2D_INDEX=0')],
			['b', told(['fit', '9'], 'MODE=slow', 'SAME=1', 'B2D_INDEX=1')],
			['c', told(['fit', '100'], 'SAME=1', 'B2D_INDEX=2')],
			['d', told(['fit', '9'], 'MODE=fast', 'SAME=1', 'B2D_INDEX=3')],
		]),
	);
	expect(labels).toEqual(['MODE', 'argument 1']);
	expect([...groups('argument 1')]).toEqual([
		['9', ['b', 'd']],
		['10', ['a']],
		['100', ['c']],
	]);
	expect([...groups('MODE')]).toEqual([
		['', ['c']],
		['fast', ['a', 'd']],
		['slow', ['b']],
	]);
});

it('finds nothing where jobs are alike or there are none', () => {
	expect(differing(new Map()).labels).toEqual([]);
	expect(
		differing(
			new Map([
				['a', told(['x'])],
				['b', told(['x'])],
			]),
		).labels,
	).toEqual([]);
});
