import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { sqlLiteral, SqlSyntaxError } from '../../../src/sandbox/sqlLiteral.js';

describe('text between single quotes of a statement', () => {
	it.each([
		['plain', 'plain'],
		['a\\nb\\tc', 'a\nb\tc'],
		['c:\\\\dir', 'c:\\dir'],
		["it''s", "it's"],
		["it\\'s", "it's"],
		['100\\%', '100%'],
	])('%j becomes %j', (text, value) => {
		expect(sqlLiteral(text)).toBe(value);
	});

	it.each(["it's", "'", 'end\\', "a''' b"])('%j breaks the statement', (text) => {
		expect(() => sqlLiteral(text)).toThrow(SqlSyntaxError);
	});

	it('changes nothing without quotes and backslashes', () => {
		fc.assert(
			fc.property(
				fc.string().filter((text) => !/['\\]/.test(text)),
				(text) => {
					expect(sqlLiteral(text)).toBe(text);
				},
			),
		);
	});
});
