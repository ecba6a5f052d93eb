/** Width of a text in a terminal: emoji and East Asian characters take two columns, combining marks none. */
function width(text: string): number {
	let columns = 0;
	for (const { segment } of new Intl.Segmenter().segment(text)) {
		columns += /\p{Extended_Pictographic}|[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60]/u.test(
			segment,
		)
			? 2
			: 1;
	}
	return columns;
}

/** Control characters of names that others chose must not reach the terminal. */
export function printable(text: string): string {
	// oxlint-disable-next-line no-control-regex
	return text.replace(/[\u0000-\u001F\u007F-\u009F]/g, '\uFFFD');
}

/** The same for a text of several lines. */
export const printableLines = (text: string): string => text.split('\n').map(printable).join('\n');

/** Rows under a heading, in columns; numbers to the right. */
export function table(heading: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
	const cells = rows.map((row) => row.map((cell) => printable(String(cell))));
	const widths = heading.map((title, i) => Math.max(width(title), ...cells.map((row) => width(row[i] ?? ''))));
	const right = heading.map((_, i) => rows.length > 0 && rows.every((row) => typeof row[i] === 'number'));
	const line = (row: readonly string[]): string =>
		row
			.map((cell, i) => {
				const fill = ' '.repeat(Math.max(0, (widths[i] ?? 0) - width(cell)));
				return right[i] ? fill + cell : cell + fill;
			})
			.join('  ')
			.trimEnd();
	return [line(heading.map((title) => title.toUpperCase())), ...cells.map(line)].join('\n');
}
