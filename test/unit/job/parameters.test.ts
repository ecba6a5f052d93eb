import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { commonLine, decodeWord, encodeWord, jobWords, parameterTable, parseTable } from '../../../src/job/parameters.js';

describe('a word of the parameter table', () => {
	test('holds nothing that a shell, a pattern or a line would take for something else', () => {
		fc.assert(
			fc.property(
				fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0') && !/\p{Surrogate}/u.test(text)),
				(text) => {
					const word = encodeWord(text);
					expect(word).toMatch(/^([A-Za-z0-9_./:=,@%+-]|\\0[0-3][0-7]{2})*$/);
					expect(decodeWord(word)).toBe(text);
				},
			),
		);
	});

	test.each([
		['a\0b', 'NUL'],
		['\ud800', 'half of a character'],
	])('%j is refused', (text, why) => {
		expect(() => encodeWord(text)).toThrow(
			expect.objectContaining({ code: 'job-invalid', message: expect.stringContaining(why) as string }),
		);
	});
});

describe('a parameter table', () => {
	const common = {
		user: 'al ice:7',
		workingDir: '/a b',
		env: ['A=1', 'B=two words'],
		memoryBytes: 1.5e9,
		limitSeconds: 60.4,
		maxOutputBytes: 100,
		before: ['prepare', ''],
		after: [],
		progressFile: 'fraction_done',
		comparable: false,
		moves: new Map([['b2d_input_0', 'it’s']]),
	};

	test('has one line for all jobs and one for each', () => {
		const text = parameterTable(commonLine(common), [
			'b2d_1_000000 ' + jobWords({ argv: ['a', ''], env: [] }),
			'b2d_1_000001 ' + jobWords({ argv: ['b'], env: ['X=*'] }),
		]);
		expect(text).toBe(
			[
				'* U=al\\0040ice:7 W=/a\\0040b M=1500000000 T=60 O=100 I=b2d_input_0=it\\0342\\0200\\0231s E=A=1 E=B=two\\0040words B=prepare B=',
				'b2d_1_000000 A=a A=',
				'b2d_1_000001 E=X=\\0052 A=b',
				'',
			].join('\n'),
		);
	});

	test('says what differs from the usual', () => {
		expect(commonLine({ ...common, comparable: true, progressFile: 'p' })).toMatch(/ P=p R=1 /);
		expect(commonLine({ ...common, gpu: 'nvidia' })).toContain(' G=nvidia ');
		expect(commonLine({ ...common, user: '', workingDir: '' })).toMatch(/^\* M=/);
	});

	test('tells again what each job was told', () => {
		const jobs = [
			['b2d_7_000000', { argv: ['/bin/x', '', 'a b\n'], env: ['N=1', 'E=é=\\'] }],
			['b2d_7_000001', { argv: ['y'], env: [] }],
		] as const;
		const text = parameterTable(
			commonLine(common),
			jobs.map(([name, told]) => `${name} ${jobWords(told)}`),
		);
		expect([...parseTable(text)]).toEqual(jobs);
	});
});
