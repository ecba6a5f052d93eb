/** A place in a source file that a line of a log names. */
export interface TracePlace {
	/** Where the name begins and the numbers end in the line. */
	readonly start: number;
	readonly end: number;
	readonly path: string;
	/** From 1. */
	readonly line: number;
	readonly column: number | undefined;
}

/** `File "a/b.py", line 12`: Python. */
const PYTHON = /File "([^"\n]{1,500})", line (\d{1,7})/g;
/** `a/b.js:12:5`, `b.go:33`, `b.c:12:3: error`: Node.js, Go, compilers, Rust, Java with `(B.java:7)`. */
const COLON =
	/(?<![\w./\\@+~:-])(?:file:\/\/)?((?:[A-Za-z]:[\\/])?[\w./\\@+~-]{1,500}\.[A-Za-z]\w{0,7}):(\d{1,7})(?::(\d{1,5}))?(?![\w.])/g;

/** The places that a line of a log names. */
export function tracePlaces(text: string): TracePlace[] {
	const places: TracePlace[] = [];
	for (const match of text.matchAll(PYTHON)) {
		const [whole, path = '', line = ''] = match;
		places.push({ start: match.index, end: match.index + whole.length, path, line: Number(line), column: undefined });
	}
	for (const match of text.matchAll(COLON)) {
		const [whole, path = '', line = '', column] = match;
		if (Number(line) > 0) {
			const place = { start: match.index, end: match.index + whole.length, path, line: Number(line) };
			places.push({ ...place, column: column === undefined ? undefined : Number(column) });
		}
	}
	return places.sort((a, b) => a.start - b.start);
}
