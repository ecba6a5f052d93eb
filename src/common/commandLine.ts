import { BoincError } from './errors.js';

/**
 * Splits what a person typed as a command into words, as a POSIX shell does, but without expanding anything: `$HOME`, `*` and `;` stay as they are.
 * Single quotes keep all, double quotes keep all but `\"` and `\\`, a backslash outside of quotes keeps the next character.
 * Throws `job-invalid` when a quote is not closed.
 */
export function splitCommandLine(text: string): string[] {
	const words: string[] = [];
	let word: string | undefined;
	let quote: '"' | "'" | undefined;
	for (let i = 0; i < text.length; i++) {
		const char = text.charAt(i);
		const next = text.charAt(i + 1);
		if (quote) {
			if (char === quote) {
				quote = undefined;
			} else if (quote === '"' && char === '\\' && (next === '"' || next === '\\')) {
				word = (word ?? '') + next;
				i++;
			} else {
				word = (word ?? '') + char;
			}
		} else if (char === '"' || char === "'") {
			quote = char;
			word ??= '';
		} else if (/\s/.test(char)) {
			if (word !== undefined) {
				words.push(word);
			}
			word = undefined;
		} else if (char === '\\' && next !== '') {
			word = (word ?? '') + next;
			i++;
		} else {
			word = (word ?? '') + char;
		}
	}
	if (quote) {
		throw new BoincError('job-invalid', `The command has a ${quote === '"' ? 'double' : 'single'} quote that is not closed.`, {
			remedy: 'Close the quote, or put a backslash before it.',
		});
	}
	if (word !== undefined) {
		words.push(word);
	}
	return words;
}

/** A command line that `splitCommandLine` reads back as `words`. */
export function joinCommandLine(words: readonly string[]): string {
	return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(' ');
}
