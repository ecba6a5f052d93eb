/** The parameters of one job. */
export type Row = ReadonlyMap<string, string>;

/**
 * Rows that are made when they are asked for: a million of them take the memory of what describes them. `at` is defined for 0 to
 * `count` - 1 and gives the same row each time.
 */
export interface Rows {
	readonly names: readonly string[];
	readonly count: number;
	at(index: number): Row;
}

/** The values of one parameter. */
export interface Axis {
	readonly count: number;
	at(index: number): string;
}

/** Rows that are there already. */
export function listRows(names: readonly string[], rows: readonly Row[]): Rows {
	return { names, count: rows.length, at: (index) => item(rows, index) };
}

/** All combinations of the axes; the last one changes fastest. */
export function gridRows(axes: ReadonlyMap<string, Axis>): Rows {
	const entries = [...axes];
	return {
		names: [...axes.keys()],
		count: entries.reduce((product, [, { count }]) => product * count, 1),
		at: (index) => {
			const values: [string, string][] = [];
			let rest = index;
			for (const [name, axis] of entries.toReversed()) {
				values.push([name, axis.at(rest % axis.count)]);
				rest = Math.floor(rest / axis.count);
			}
			return new Map(values.reverse());
		},
	};
}

/** All combinations of the rows of several sweeps; the last one changes fastest. */
export function productRows(parts: readonly Rows[]): Rows {
	return {
		names: parts.flatMap(({ names }) => names),
		count: parts.reduce((product, { count }) => product * count, 1),
		at: (index) => {
			const rows: Row[] = [];
			let rest = index;
			for (const part of parts.toReversed()) {
				rows.push(part.at(rest % part.count));
				rest = Math.floor(rest / part.count);
			}
			return merged(rows.reverse());
		},
	};
}

/** First row with first row, and so on; all parts have the same count. */
export function zipRows(parts: readonly Rows[]): Rows {
	return {
		names: parts.flatMap(({ names }) => names),
		count: parts[0]?.count ?? 0,
		at: (index) => merged(parts.map((part) => part.at(index))),
	};
}

/** One after the other; all have the same names. */
export function joinedRows(first: Rows, second: Rows): Rows {
	return {
		names: first.names,
		count: first.count + second.count,
		at: (index) => (index < first.count ? first.at(index) : second.at(index - first.count)),
	};
}

/** Without the rows that have all values of one of `patterns`. Looks at each row once. */
export function withoutRows(rows: Rows, patterns: readonly Row[]): Rows {
	const kept = new Uint32Array(rows.count);
	let count = 0;
	for (let index = 0; index < rows.count; index++) {
		const row = rows.at(index);
		if (!patterns.some((pattern) => [...pattern].every(([name, value]) => sameValue(row.get(name), value)))) {
			kept[count++] = index;
		}
	}
	return { names: rows.names, count, at: (index) => rows.at(item(kept, index)) };
}

/** Each row several times, its repetitions one after the other. */
export function repeatedRows(rows: Rows, times: number): Rows {
	return {
		names: rows.names,
		count: rows.count * times,
		at: (index) => new Map([...rows.at(Math.floor(index / times)), ['repetition', String(index % times)]]),
	};
}

/** `0.10` and `0.1` are one value, as a person means them. */
function sameValue(a: string | undefined, b: string): boolean {
	return a === b || (a !== undefined && a.trim() !== '' && b.trim() !== '' && Number(a) === Number(b));
}

const merged = (rows: readonly Row[]): Row => new Map(rows.flatMap((row) => [...row]));

/** Throws for an index that is not there. */
export function item<T>(list: ArrayLike<T>, index: number): T {
	const found = list[index];
	if (found === undefined) {
		throw new RangeError(`there is no row ${index}`);
	}
	return found;
}
