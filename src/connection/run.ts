import { BoincError, type ErrorCode } from '../common/errors.js';
import type { Argv, Connection, ExecOptions, ExecResult } from './connection.js';

export interface RunOptions extends ExecOptions {
	/** What the command is for, as it follows “could not”: `read config.xml`. */
	readonly doing: string;
}

interface Recognised {
	readonly code: ErrorCode;
	readonly remedy: string;
}

/** What the C library says in the C locale, which `run` asks for. */
const TEXTS: readonly (readonly [RegExp, Recognised])[] = [
	[/No space left on device|Disk quota exceeded/i, { code: 'disk-full', remedy: 'Free some space on the server and try again.' }],
	[
		/Permission denied|Operation not permitted|Read-only file system/i,
		{ code: 'permission-denied', remedy: 'Use an account that may do this, or change the permissions on the server.' },
	],
	[/No such file|nonexistent directory/i, { code: 'file-not-found', remedy: 'Check the path on the server.' }],
];

/**
 * Runs a program that is expected to succeed. A non-zero exit code becomes a `BoincError`: `command-not-found`,
 * `disk-full`, `permission-denied` or `file-not-found` where it can be told, `command-failed` otherwise.
 */
export async function run(connection: Connection, argv: Argv, options: RunOptions): Promise<ExecResult> {
	const { doing, ...rest } = options;
	const result = await connection.exec(argv, { ...rest, env: { LC_ALL: 'C', ...rest.env } });
	if (result.code !== 0) {
		throw commandError(connection.name, argv[0], doing, result.code, result.stderr.toString('utf8'));
	}
	return result;
}

/** The error for a command that failed. */
export function commandError(server: string, program: string, doing: string, code: number, stderr: string): BoincError {
	const said = lastLines(stderr);
	const { code: kind, remedy } = recognise(program, code, stderr);
	return new BoincError(kind, `Could not ${doing} on ${server}: ${said === '' ? `${program} ended with code ${code}` : said}.`, {
		...(remedy !== undefined && { remedy }),
		detail: { program, code, stderr: said },
	});
}

function recognise(program: string, code: number, stderr: string): { code: ErrorCode; remedy?: string } {
	if (code === 127 && /not found|No such file/i.test(stderr)) {
		return { code: 'command-not-found', remedy: `Install ${program} on the server, or check its path.` };
	}
	return TEXTS.find(([pattern]) => pattern.test(stderr))?.[1] ?? { code: 'command-failed' };
}

/** The end of an error output as part of a sentence. */
function lastLines(stderr: string): string {
	const text = stderr.trim().split('\n').slice(-3).join('; ').replace(/\.$/, '');
	return text.length > 600 ? `…${text.slice(-600)}` : text;
}
