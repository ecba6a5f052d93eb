/** What the database says about text that breaks out of its quotes. */
export class SqlSyntaxError extends Error {
	override readonly name = 'SqlSyntaxError';
}

const ESCAPES: Readonly<Record<string, string>> = { '0': '\0', b: '\b', n: '\n', r: '\r', t: '\t', Z: '\x1a' };

/**
 * The value that reaches the database when BOINC puts `text` unescaped between single quotes: backslash sequences are
 * interpreted, doubled quotes become one. Throws `SqlSyntaxError` where the real statement would break; nothing is ever
 * executed that way here.
 */
export function sqlLiteral(text: string): string {
	let value = '';
	for (let at = 0; at < text.length; at++) {
		const character = text.charAt(at);
		const next = text.charAt(at + 1);
		if (character === '\\') {
			if (next === '') {
				throw syntaxError('');
			}
			value += ESCAPES[next] ?? next;
			at++;
		} else if (character === "'") {
			if (next !== "'") {
				throw syntaxError(text.slice(at + 1));
			}
			value += "'";
			at++;
		} else {
			value += character;
		}
	}
	return value;
}

function syntaxError(near: string): SqlSyntaxError {
	return new SqlSyntaxError(
		'You have an error in your SQL syntax; check the manual that corresponds to your MariaDB server version ' +
			`for the right syntax to use near '${near.slice(0, 80)}' at line 1`,
	);
}
