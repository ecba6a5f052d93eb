import { spawnSync } from 'node:child_process';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { BoincError } from '../../../src/common/errors.js';
import { launch, loginCommand, quoteWord, shellCommand } from '../../../src/connection/quoting.js';
import { hostileWord } from '../../support/hostileWords.js';

describe('quoteWord', () => {
	it('leaves plain words alone and quotes the rest', () => {
		expect(quoteWord('/a/b-c_d.e')).toBe('/a/b-c_d.e');
		expect(quoteWord('')).toBe("''");
		expect(quoteWord("it's")).toBe(`'it'\\''s'`);
	});

	it('refuses a NUL', () => {
		expect(() => quoteWord('a\0b')).toThrow(BoincError);
		expect(() => shellCommand(['echo', 'a\0b'])).toThrow(expect.objectContaining({ code: 'argument-invalid' }));
	});
});

describe('shellCommand', () => {
	it('hands arguments, variables and the folder to the program byte for byte', () => {
		fc.assert(
			fc.property(fc.array(hostileWord, { maxLength: 4 }), hostileWord, (words, value) => {
				const script = shellCommand(['sh', '-c', 'printf "%s\\0" "$V" "$PWD" "$@"', 'sh', ...words], {
					cwd: '/usr',
					env: { V: value },
				});
				const { stdout, status } = spawnSync('sh', ['-c', script]);
				expect(status).toBe(0);
				expect(stdout).toEqual(Buffer.from([value, '/usr', ...words].map((word) => `${word}\0`).join('')));
			}),
			{ numRuns: 20 },
		);
	});

	it('refuses names that are no variables and programs that look like options', () => {
		expect(() => shellCommand(['true'], { env: { 'A;rm': 'x' } })).toThrow(expect.objectContaining({ code: 'argument-invalid' }));
		expect(() => shellCommand(['-x'])).toThrow(expect.objectContaining({ code: 'argument-invalid' }));
		expect(() => shellCommand([''])).toThrow(expect.objectContaining({ code: 'argument-invalid' }));
	});
});

describe('launch', () => {
	it('uses no character that any login shell changes inside single quotes', () => {
		fc.assert(
			fc.property(hostileWord, (word) => {
				const command = loginCommand(launch(shellCommand(['echo', word])).words);
				expect(command).toMatch(/^[\x20-\x7e]*$/);
				expect(command).not.toMatch(/[!]/);
				// A backslash only before a zero, which no shell takes for an escape.
				expect(command.replaceAll('\\0', '')).not.toContain('\\');
			}),
		);
	});

	it('sends a script too long for one argument by standard input', () => {
		const long = 'x'.repeat(200_000);
		const { words, preface } = launch(
			shellCommand(['sh', '-c', 'cat; printf %s "$1" | wc -c', 'sh', ...[long.slice(0, 100_000), long.slice(100_000)]]),
		);
		expect(preface).toBeDefined();
		const [program = '', ...rest] = words;
		const { stdout } = spawnSync(program, rest, { input: `${preface ?? ''}rest of the input\n` });
		expect(stdout.toString()).toBe('rest of the input\n100000\n');
	});
});
