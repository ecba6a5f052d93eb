/**
 * Comma-separated values as RFC 4180 has them: quotes around cells with commas, quotes or line breaks, and a quote in quotes
 * doubled. A byte order mark at the beginning is left out. Reading goes on behind mistakes.
 */
export function parseCsv(text: string): string[][] {
	const rows: string[][] = [];
	let row: string[] = [];
	let cell = '';
	let quoted = false;
	const endRow = (): void => {
		row.push(cell);
		cell = '';
		if (row.length > 1 || row[0] !== '') {
			rows.push(row);
		}
		row = [];
	};
	const source = text.replace(/^\uFEFF/, '');
	for (let at = 0; at < source.length; at++) {
		const char = source[at] ?? '';
		if (quoted) {
			if (char !== '"') {
				cell += char;
			} else if (source[at + 1] === '"') {
				cell += '"';
				at++;
			} else {
				quoted = false;
			}
		} else if (char === '"' && cell === '') {
			quoted = true;
		} else if (char === ',') {
			row.push(cell);
			cell = '';
		} else if (char === '\n') {
			endRow();
		} else if (char !== '\r') {
			cell += char;
		}
	}
	endRow();
	return rows;
}

/**
 * Rows as CSV. A text that a spreadsheet would take for a formula gets an apostrophe before it: the values may come from a
 * stranger's computer.
 */
export function formatCsv(rows: readonly (readonly (string | number)[])[]): string {
	return rows.map((row) => `${row.map(cellOf).join(',')}\n`).join('');
}

function cellOf(value: string | number): string {
	if (typeof value === 'number') {
		return String(value);
	}
	const safe = /^[=@\t\r]|^[+-](?![\d.]+(e[+-]?\d+)?$)/i.test(value) ? `'${value}` : value;
	return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
