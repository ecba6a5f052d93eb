import { BoincError } from '../common/errors.js';
import type { Argv } from './connection.js';

/**
 * The only place that makes shell text. `quoteWord` and `shellCommand` write for a POSIX shell; `launch` wraps such a
 * script so that any login shell (sh, bash, csh, tcsh, fish) hands it on to `sh` unharmed.
 */

export interface Surroundings {
	readonly cwd?: string;
	readonly env?: Readonly<Record<string, string>>;
}

/** How to start a script: words for the operating system, and text that must come first on standard input. */
export interface Launch {
	readonly words: readonly string[];
	readonly preface: string | undefined;
}

/** Linux limits one argument to 128 KiB; the login shell gets the whole command as one. */
const LONGEST_ARGUMENT = 96 * 1024;
const SAFE_WORD = /^[A-Za-z0-9_./:=@%+,-]+$/;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** One word for a POSIX shell. Throws `argument-invalid` for a NUL, which no program can be given. */
export function quoteWord(word: string): string {
	if (word.includes('\0')) {
		throw new BoincError('argument-invalid', `A NUL character cannot be part of an argument: ${JSON.stringify(shorten(word))}.`, {
			remedy: 'Remove the NUL character.',
		});
	}
	return SAFE_WORD.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A POSIX script that becomes the program `argv`, in the folder and with the variables given. */
export function shellCommand(argv: Argv, surroundings: Surroundings = {}): string {
	if (argv[0] === '' || argv[0].startsWith('-')) {
		throw new BoincError('argument-invalid', `“${argv[0]}” cannot be the name of a program.`);
	}
	const { cwd, env } = surroundings;
	return [
		...(cwd === undefined ? [] : [`${changeFolder(cwd)} || exit`]),
		...Object.entries(env ?? {}).map(setVariable),
		`exec ${argv.map(quoteWord).join(' ')}`,
	].join('\n');
}

/**
 * Like `shellCommand`, and the script first prints `mark` and the process id on a line of standard output. What login
 * scripts print before it can so be told from the output of the program. `mark!cwd` says that the folder is absent.
 */
export function markedCommand(mark: string, argv: Argv, surroundings: Surroundings): string {
	const { cwd, env } = surroundings;
	return [
		...(cwd === undefined ? [] : [`${changeFolder(cwd)} || { printf '%s!cwd\\n' ${mark}; exit 1; }`]),
		`printf '%s %s\\n' ${mark} "$$"`,
		shellCommand(argv, env === undefined ? {} : { env }),
	].join('\n');
}

/** Words that run `script` in `sh`; each is plain ASCII without quotes, backslashes to be unescaped, or newlines. */
export function launch(script: string): Launch {
	const encoded = encode(script);
	return encoded.length <= LONGEST_ARGUMENT
		? { words: ['sh', '-c', 'eval "$(printf %b "$1")"', 'sh', encoded], preface: undefined }
		: { words: ['sh', '-c', 'IFS= read -r script && eval "$(printf %b "$script")"', 'sh'], preface: `${encoded}\n` };
}

/** The words of a `Launch` as a command for the login shell, whichever it is. */
export function loginCommand(words: readonly string[]): string {
	return `exec ${words.map((word) => `'${word}'`).join(' ')}`;
}

const changeFolder = (folder: string): string => `CDPATH= cd -- ${quoteWord(folder)} >/dev/null`;

function setVariable([name, value]: readonly [string, string]): string {
	if (!VARIABLE.test(name)) {
		throw new BoincError('argument-invalid', `“${name}” cannot be the name of an environment variable.`);
	}
	return `export ${name}=${quoteWord(value)}`;
}

/**
 * For `printf %b`. Inside single quotes csh expands `!`, ends at a newline, and fish unescapes backslashes in pairs;
 * a lone backslash before a zero is left alone by all of them. Bytes above ASCII are escaped for shells that decode
 * their input by locale.
 */
function encode(script: string): string {
	return Buffer.from(script, 'utf8')
		.toString('latin1')
		.replace(/[^ "#$%&()*+,./0-9:;<=>?@A-Z[\]^_`a-z{|}~-]/g, (character) => `\\0${octal(character)}`);
}

const octal = (character: string): string => character.charCodeAt(0).toString(8).padStart(3, '0');

const shorten = (text: string): string => (text.length > 80 ? `${text.slice(0, 80)}…` : text);
