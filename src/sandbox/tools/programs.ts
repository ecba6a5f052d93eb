import path from 'node:path';

import type { ProgramEntry, ProjectSettings } from '../projectSettings.js';

/** A daemon or task of this host with the files that belong to it. */
export interface Program {
	/** 1-based among those of this host. */
	readonly number: number;
	readonly command: string;
	readonly argv: readonly string[];
	readonly disabled: boolean;
	readonly useShell: boolean;
	readonly period: string | undefined;
	readonly log: string;
	readonly pidFile: string;
	readonly lockFile: string;
}

/** The daemons or tasks that run on the machine with the short name `host`. */
export function programsOf(
	settings: ProjectSettings,
	entries: readonly ProgramEntry[],
	host: string,
	logSuffix: '.log' | '.out',
): Program[] {
	return entries
		.filter((entry) => (entry.host ?? settings.host) === host)
		.map((entry, index) => {
			const argv = splitCommand(entry.command);
			const base = baseName(argv);
			const output = entry.output ?? `${base}${logSuffix}`;
			const ownOutput = entry.output !== undefined && !entry.output.startsWith('/dev/');
			const lock = entry.lockFile ?? `${ownOutput ? path.basename(output) : base}.lock`;
			return {
				number: index + 1,
				command: entry.command.trim(),
				argv,
				disabled: entry.disabled,
				useShell: entry.useShell,
				period: entry.period,
				log: path.resolve(settings.logDir, output),
				pidFile: path.resolve(settings.pidDir, entry.pidFile ?? `${base}.pid`),
				lockFile: path.resolve(settings.pidDir, lock),
			};
		});
}

/** `run_in_ops X` is named after X. */
function baseName(argv: readonly string[]): string {
	const [program = '', first = ''] = argv;
	const named = path.basename(program) === 'run_in_ops' ? first : program;
	return path.basename(named).replace(/\.(php|py)$/, '');
}

/** Splits a command as Python's `shlex` does: quotes anywhere in a word, backslash outside single quotes. */
export function splitCommand(command: string): string[] {
	const words: string[] = [];
	let word: string | undefined;
	let quote: string | undefined;
	for (let at = 0; at < command.length; at++) {
		const character = command.charAt(at);
		const escapes = character === '\\' && quote !== "'";
		if (escapes && (quote === undefined || /["\\]/.test(command.charAt(at + 1)))) {
			word = (word ?? '') + command.charAt(++at);
		} else if (character === quote) {
			quote = undefined;
		} else if (quote === undefined && /["']/.test(character)) {
			quote = character;
			word ??= '';
		} else if (quote === undefined && /\s/.test(character)) {
			if (word !== undefined) {
				words.push(word);
			}
			word = undefined;
		} else {
			word = (word ?? '') + character;
		}
	}
	return word === undefined ? words : [...words, word];
}
