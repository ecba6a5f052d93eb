import { BoincError } from './errors.js';

/** One piece of a command: a gap, a text in single or double quotes, an escaped character, or plain characters. */
const PIECE = /(\s+)|'([^']*)'|"((?:\\["\\]|[^"\\]|\\(?!["\\]))*)"|\\([^])|([^\s'"\\]+|\\$)/y;

/**
 * Splits what a person typed as a command into words, as a POSIX shell does, but without expanding anything: `$HOME`, `*` and `;` stay as they are.
 * Single quotes keep all, double quotes keep all but `\"` and `\\`, a backslash outside of quotes keeps the next character.
 * Throws `job-invalid` when a quote is not closed.
 */
export function splitCommandLine(text: string): string[] {
	const words: string[] = [];
	let word: string | undefined;
	const piece = new RegExp(PIECE);
	while (piece.lastIndex < text.length) {
		const at = piece.lastIndex;
		const match = piece.exec(text);
		if (!match) {
			throw new BoincError(
				'job-invalid',
				`The command has a ${text.startsWith('"', at) ? 'double' : 'single'} quote that is not closed.`,
				{
					remedy: 'Close the quote, or put a backslash before it.',
				},
			);
		}
		const [, gap, single, double, escaped, plain] = match;
		if (gap === undefined) {
			word = (word ?? '') + (single ?? double?.replace(/\\(["\\])/g, '$1') ?? escaped ?? plain ?? '');
		} else if (word !== undefined) {
			words.push(word);
			word = undefined;
		}
	}
	return word === undefined ? words : [...words, word];
}

/** A command line that `splitCommandLine` reads back as `words`. */
export function joinCommandLine(words: readonly string[]): string {
	return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(' ');
}
