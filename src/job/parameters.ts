import { BoincError } from '../common/errors.js';

/**
 * The parameter table, which carries to a host what a command line of BOINC cannot: one text file for many jobs. The line
 * "* WORD…" is for all of them, the line "JOBNAME WORD…" for one. Words are KIND=VALUE; everything in a value that
 * is not plain is written as \0ooo, an octal byte for `printf %b`. `templates/runner.sh` reads it.
 */
export interface CommonParameters {
	/** As in an image: `user`, `uid:gid`, …; empty for root. */
	readonly user: string;
	/** Empty for `/`. */
	readonly workingDir: string;
	/** `NAME=value`; later ones win. */
	readonly env: readonly string[];
	/** Bytes; the runner stops a program that uses more. */
	readonly memoryBytes: number;
	/** Seconds; the runner stops a program that runs longer. */
	readonly limitSeconds: number;
	/** Bytes of the packed result. */
	readonly maxOutputBytes: number;
	readonly before: readonly string[];
	readonly after: readonly string[];
	/** Relative to `/root/shared`. */
	readonly progressFile: string;
	/** Whether copies of a result are compared byte by byte: it then holds neither log nor times. */
	readonly comparable: boolean;
	/** Kind of GPU that the container must have. */
	readonly gpu?: string | undefined;
	/** Where inputs with names that BOINC cannot carry belong: open name below `shared/` to path below `/root/shared`. */
	readonly moves: ReadonlyMap<string, string>;
}

export interface JobParameters {
	/** Program and arguments: entry point and command together. */
	readonly argv: readonly string[];
	/** `NAME=value` */
	readonly env: readonly string[];
}

/** What is not safe in a line of words, in a shell pattern, or for `printf %b`. */
const SPECIAL = /[^A-Za-z0-9_./:=,@%+-]/g;
const PLAIN = /^[A-Za-z0-9_./:=,@%+-]*$/;

/** One value as a word of the table. Throws `job-invalid` for text that no program can be given. */
export function encodeWord(text: string): string {
	if (PLAIN.test(text)) {
		return text;
	}
	if (text.includes('\0')) {
		throw new BoincError('job-invalid', `A NUL character cannot be part of an argument or a variable: ${quote(text)}.`, {
			remedy: 'Remove the NUL character.',
		});
	}
	if (/\p{Surrogate}/u.test(text)) {
		throw new BoincError('job-invalid', `${quote(text)} is not valid Unicode: it holds half of a character.`, {
			remedy: 'Check where the text comes from.',
		});
	}
	return Buffer.from(text, 'utf8')
		.toString('latin1')
		.replace(SPECIAL, (byte) => `\\0${byte.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

/** The text of a word that `encodeWord` made; what is not UTF-8 becomes a replacement character. */
export function decodeWord(word: string): string {
	const bytes = word.replace(/\\0([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
	return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** What the lines of a table tell of each job, by its name. Lines that are none say nothing. */
export function parseTable(text: string): Map<string, JobParameters> {
	const jobs = new Map<string, JobParameters>();
	for (const line of text.split('\n')) {
		const [name = '', ...words] = line.split(' ');
		const valuesOf = (kind: string): string[] =>
			words.filter((each) => each.startsWith(`${kind}=`)).map((each) => decodeWord(each.slice(2)));
		if (name !== '' && name !== '*') {
			jobs.set(name, { argv: valuesOf('A'), env: valuesOf('E') });
		}
	}
	return jobs;
}

/** The line for all jobs, without the end of line. */
export function commonLine(common: CommonParameters): string {
	const words = [
		...(common.user === '' ? [] : [word('U', common.user)]),
		...(common.workingDir === '' ? [] : [word('W', common.workingDir)]),
		`M=${String(Math.round(common.memoryBytes))}`,
		`T=${String(Math.round(common.limitSeconds))}`,
		`O=${String(Math.round(common.maxOutputBytes))}`,
		...(common.progressFile === 'fraction_done' ? [] : [word('P', common.progressFile)]),
		...(common.comparable ? ['R=1'] : []),
		...(common.gpu === undefined ? [] : [word('G', common.gpu)]),
		...[...common.moves].map(([openName, path]) => `I=${openName}=${encodeWord(path)}`),
		...common.env.map((entry) => word('E', entry)),
		...common.before.map((argument) => word('B', argument)),
		...common.after.map((argument) => word('F', argument)),
	];
	return `* ${words.join(' ')}`;
}

/** The line of one job after its name, without the end of line. */
export function jobWords(job: JobParameters): string {
	return [...job.env.map((entry) => word('E', entry)), ...job.argv.map((argument) => word('A', argument))].join(' ');
}

/** The text of a table. */
export function parameterTable(common: string, jobs: readonly string[]): string {
	return `${[common, ...jobs].join('\n')}\n`;
}

function word(kind: string, value: string): string {
	return `${kind}=${encodeWord(value)}`;
}

function quote(text: string): string {
	const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
	return JSON.stringify(shown);
}
