/** A line of a `.dockerignore`. */
interface Rule {
	readonly pattern: string;
	readonly matches: RegExp;
	/** Whether it takes back what earlier lines leave out. */
	readonly isException: boolean;
}

/** What a `.dockerignore` leaves out of a build context, by the rules of Docker's builders. */
export class IgnoreRules {
	readonly #rules: readonly Rule[];
	readonly #exceptions: readonly Rule[];

	constructor(text: string) {
		this.#rules = text
			.replace(/^\uFEFF/, '')
			.split(/\r?\n/)
			.flatMap((line) => ruleOf(line) ?? []);
		this.#exceptions = this.#rules.filter(({ isException }) => isException);
	}

	/** Whether a path is left out. It is relative to the context, with slashes and without one at either end. */
	ignores(path: string): boolean {
		let ignored = false;
		for (const { matches, isException } of this.#rules) {
			// A rule also applies to all that is in a folder that it matches.
			if (ignored === isException && matches.test(path)) {
				ignored = !isException;
			}
		}
		return ignored;
	}

	/** Whether something in a folder that is left out may be an exception. */
	mayHaveExceptions(folder: string): boolean {
		return this.#exceptions.some(({ pattern }) => {
			const fixed = pattern.slice(0, pattern.search(/[*?[\\]|$/));
			return fixed === pattern
				? `${pattern}/`.startsWith(`${folder}/`)
				: `${folder}/`.startsWith(fixed) || fixed.startsWith(`${folder}/`);
		});
	}
}

function ruleOf(line: string): Rule | undefined {
	if (line.startsWith('#')) {
		return undefined;
	}
	const trimmed = line.trim();
	const isException = trimmed.startsWith('!');
	const pattern = cleaned(isException ? trimmed.slice(1).trim() : trimmed);
	if (pattern === '') {
		return undefined;
	}
	try {
		return { pattern, isException, matches: new RegExp(`^${expressionOf(pattern)}(?:/|$)`, 's') };
	} catch {
		return undefined; // a class that ends nowhere, which builders refuse
	}
}

/** Without a slash at either end, `.` and `a/..`. */
function cleaned(pattern: string): string {
	const parts: string[] = [];
	for (const part of pattern.split('/')) {
		if (part === '..') {
			parts.pop();
		} else if (part !== '' && part !== '.') {
			parts.push(part);
		}
	}
	return parts.join('/');
}

/** Docker's patterns: `*` and `?` within a name, `**` over folders, classes, and `\` before a character that means itself. */
function expressionOf(pattern: string): string {
	let out = '';
	for (let at = 0; at < pattern.length; at++) {
		const char = pattern[at] ?? '';
		if (char === '*' && pattern[at + 1] === '*') {
			while (pattern[at + 1] === '*') {
				at++;
			}
			const inside = pattern[at + 1] === '/';
			at += inside ? 1 : 0;
			out += at + 1 >= pattern.length && !inside ? '.*' : '(?:.*/)?';
		} else if (char === '*') {
			out += '[^/]*';
		} else if (char === '?') {
			out += '[^/]';
		} else if (char === '[') {
			const end = pattern.indexOf(']', at + 2);
			if (end < 0) {
				throw new SyntaxError('a class without an end');
			}
			out += `[${pattern.slice(at + 1, end).replace(/[\\\]]/g, '\\$&')}]`;
			at = end;
		} else {
			const literal = char === '\\' ? (pattern[++at] ?? '\\') : char;
			out += literal.replace(/[.+^${}()|[\]\\*?]/g, '\\$&');
		}
	}
	return out;
}
