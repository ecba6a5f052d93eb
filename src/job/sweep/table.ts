import { BoincError, messageOf } from '../../common/errors.js';
import { plural } from '../../common/format.js';
import { parameterProblem } from './names.js';
import { listRows, type Row, type Rows } from './rows.js';

/** Reads a table of parameters: CSV, TSV or JSON by the name of its file. Throws `job-file-invalid` with the line. */
export function parseTable(text: string, fileName: string): Rows {
	const content = text.replace(/^\uFEFF/, '');
	if (/\.json$/i.test(fileName)) {
		return fromJson(content, fileName);
	}
	const separator = /\.(tsv|tab)$/i.test(fileName) ? '\t' : ',';
	const records = [...csvRecords(content, separator, fileName)];
	const [head, ...body] = records;
	if (!head) {
		throw bad(fileName, 1, 'The table is empty.', 'Name the parameters in the first line.');
	}
	checkNames(head.fields, fileName, head.line);
	const rows: Row[] = [];
	for (const { fields, line } of body) {
		if (fields.length !== head.fields.length) {
			throw bad(
				fileName,
				line,
				`The line has ${plural(fields.length, 'field')}, and the first one has ${head.fields.length}.`,
				'Add what is missing, or put fields with commas into double quotes.',
			);
		}
		rows.push(rowOf(head.fields, fields, fileName, line));
	}
	return listRows(head.fields, rows);
}

function rowOf(names: readonly string[], fields: readonly string[], fileName: string, line: number): Row {
	const nul = fields.findIndex((field) => field.includes('\0'));
	if (nul !== -1) {
		throw bad(
			fileName,
			line,
			`The value of ${names[nul] ?? ''} holds a NUL character, which no program can be given.`,
			'Remove it.',
		);
	}
	return new Map(names.map((name, index) => [name, fields[index] ?? '']));
}

function checkNames(names: readonly string[], fileName: string, line: number): void {
	for (const [index, name] of names.entries()) {
		const why = names.indexOf(name) === index ? parameterProblem(name) : 'Two columns have this name.';
		if (why !== undefined) {
			throw bad(fileName, line, `“${name}” cannot be the name of a parameter: ${why}`, 'Change the first line.');
		}
	}
}

function fromJson(text: string, fileName: string): Rows {
	let data: unknown;
	try {
		data = JSON.parse(text);
	} catch (error) {
		throw bad(fileName, 1, `This is not JSON: ${messageOf(error)}.`, 'Write a list of objects.');
	}
	if (!Array.isArray(data)) {
		throw bad(fileName, 1, 'A list of objects is expected.', 'Write [{"name": value, …}, …].');
	}
	const rows: Row[] = [];
	let names: readonly string[] | undefined;
	for (const [index, entry] of data.entries()) {
		const where = `Entry ${index + 1}`;
		if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
			throw bad(fileName, 1, `${where} is not an object.`, 'Write {"name": value, …}.');
		}
		const pairs = Object.entries(entry as Record<string, unknown>);
		const own = pairs.map(([name]) => name);
		if (!names) {
			checkNames(own, fileName, 1);
			names = own;
		}
		if (own.length !== names.length || own.some((name) => !names?.includes(name))) {
			throw bad(
				fileName,
				1,
				`${where} has other parameters than the first one: ${own.join(', ')}.`,
				`Give all of them ${names.join(', ')}.`,
			);
		}
		const values = new Map(pairs);
		rows.push(
			rowOf(
				names,
				names.map((name) => scalar(values.get(name), `${where}, ${name}`, fileName)),
				fileName,
				1,
			),
		);
	}
	return listRows(names ?? [], rows);
}

function scalar(value: unknown, where: string, fileName: string): string {
	if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
		return String(value);
	}
	throw bad(fileName, 1, `${where}: a text, number or boolean is expected.`, 'Put structured values into an input file.');
}

interface CsvRecord {
	readonly fields: readonly string[];
	/** First line of the record, from 1. */
	readonly line: number;
}

/** Records by RFC 4180: quoted fields may hold separators, doubled quotes and line breaks. Empty lines are left out. */
function* csvRecords(text: string, separator: string, fileName: string): Generator<CsvRecord> {
	const plain = separator === ',' ? /[^,"\r\n]*/y : /[^\t"\r\n]*/y;
	let at = 0;
	let line = 1;
	while (at < text.length) {
		const start = line;
		const fields: string[] = [];
		for (;;) {
			let field: string;
			if (text[at] === '"') {
				const end = closingQuote(text, at);
				if (end === -1) {
					throw bad(fileName, line, 'A double quote is not closed.', 'Close it, or double a quote that is part of the text.');
				}
				field = text.slice(at + 1, end).replaceAll('""', '"');
				line += field.split('\n').length - 1;
				at = end + 1;
			} else {
				plain.lastIndex = at;
				field = plain.exec(text)?.[0] ?? '';
				at += field.length;
				field = field.trim();
			}
			fields.push(field);
			const next = text[at];
			if (next === separator) {
				at++;
				continue;
			}
			if (next !== undefined && next !== '\n' && next !== '\r') {
				throw bad(
					fileName,
					line,
					`There is ${JSON.stringify(next)} where a field ends.`,
					'Put the whole field into double quotes.',
				);
			}
			at += text.startsWith('\r\n', at) ? 2 : 1;
			line++;
			break;
		}
		if (fields.length > 1 || fields[0] !== '') {
			yield { fields, line: start };
		}
	}
}

/** Offset of the quote that ends the field that begins at `at`; -1 if none does. */
function closingQuote(text: string, at: number): number {
	for (let end = text.indexOf('"', at + 1); end !== -1; end = text.indexOf('"', end + 2)) {
		if (text[end + 1] !== '"') {
			return end;
		}
	}
	return -1;
}

function bad(fileName: string, line: number, message: string, remedy: string): BoincError {
	return new BoincError('job-file-invalid', `${fileName}, line ${line}: ${message}`, {
		remedy,
		detail: { file: fileName, line },
	});
}
