import { expect, it } from 'vitest';

import { abortError, BoincError, type ErrorCode } from '../../../src/common/errors.js';
import { exitCodeOf } from '../../../src/terminal/exitCode.js';

it.each<[ErrorCode, number]>([
	['usage', 2],
	['target-invalid', 2],
	['engine-missing', 3],
	['server-unreachable', 4],
	['host-key-changed', 4],
	['authentication-failed', 4],
	['timeout', 4],
	['submit-failed', 1],
	['build-failed', 1],
])('%s ends with %i', (code, exit) => {
	expect(exitCodeOf(new BoincError(code, 'x'))).toBe(exit);
});

it('tells cancelling from failing', () => {
	expect(exitCodeOf(abortError())).toBe(130);
	expect(exitCodeOf(new Error('x'))).toBe(1);
	expect(exitCodeOf('x')).toBe(1);
});
