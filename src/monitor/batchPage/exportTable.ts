/** A row of an export: the same keys in each. */
export type ExportRow = Readonly<Record<string, string | number>>;

/** One field of CSV. What a spreadsheet would take for a formula is kept as text by a quote in front. */
function field(value: string | number): string {
	const text =
		typeof value === 'string' && /^[=+\-@\t\r]/.test(value) && !/^-?\d+(\.\d+)?$/.test(value) ? `'${value}` : String(value);
	return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The text of an export in pieces, page by page, so that a large batch is never in memory as a whole. */
export async function* exportText(
	format: 'csv' | 'json',
	keys: readonly string[],
	pages: AsyncIterable<readonly ExportRow[]>,
): AsyncGenerator<string> {
	if (format === 'csv') {
		yield `${keys.map(field).join(',')}\r\n`;
		for await (const rows of pages) {
			yield rows.map((row) => `${keys.map((key) => field(row[key] ?? '')).join(',')}\r\n`).join('');
		}
		return;
	}
	let first = true;
	yield '[';
	for await (const rows of pages) {
		for (const row of rows) {
			yield `${first ? '' : ','}\n${JSON.stringify(row)}`;
			first = false;
		}
	}
	yield '\n]\n';
}
