import { expect, it } from 'vitest';

import { shownKind, widerPaths } from '../../../src/editor/documents/logKinds.js';

it.each([
	['result', 'result', undefined],
	['excerpt-0', 'result', 0],
	['fulllog', 'fulllog', undefined],
	['fulllog-2', 'fulllog', 2],
	['excerpt', undefined, undefined],
	['result-1', undefined, undefined],
	['log', undefined, undefined],
	['', undefined, undefined],
])('the kind %j is the whole %j in %j steps', (kind, whole, steps) => {
	expect(shownKind(kind)).toEqual([whole, steps]);
});

it('a log in part leads to more of it and to the whole, until all is shown', () => {
	expect(widerPaths('/excerpt-0/ab/7/job/a/log.txt')).toEqual({
		more: '/excerpt-1/ab/7/job/a/log.txt',
		whole: '/result/ab/7/job/a/log.txt',
	});
	expect(widerPaths('/fulllog-9/ab/7/x.log')).toEqual({ more: '/fulllog-9/ab/7/x.log', whole: '/fulllog/ab/7/x.log' });
	expect(widerPaths('/fulllog/ab/7/x.log')).toBeUndefined();
	expect(widerPaths('/log/ab/7/x.log')).toBeUndefined();
});
