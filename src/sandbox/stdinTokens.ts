/** Most characters of a line of `create_work --stdin`, the line end included; a longer line ends the program. */
export const MAX_LINE = 4094;
/** Most words of a line. */
export const MAX_TOKENS = 100;

/**
 * Splits a line of `create_work --stdin` as the real tool does: blanks separate words, a quote is special only at the start
 * of a word, the first character after it always belongs to the word, nothing escapes, and an unclosed quote reaches to the
 * end of the line.
 */
export function stdinTokens(line: string): string[] {
	const tokens: string[] = [];
	let at = 0;
	while (at < line.length) {
		const first = line.charAt(at);
		if (isBlank(first)) {
			at++;
		} else if (first === "'" || first === '"') {
			const close = line.indexOf(first, at + 2);
			const end = close < 0 ? line.length : close;
			tokens.push(line.slice(at + 1, end));
			at = end + 1;
		} else {
			let end = at + 1;
			while (end < line.length && !isBlank(line.charAt(end))) {
				end++;
			}
			tokens.push(line.slice(at, end));
			at = end;
		}
	}
	return tokens;
}

const isBlank = (character: string): boolean => /[\t\n\v\f\r ]/.test(character);
