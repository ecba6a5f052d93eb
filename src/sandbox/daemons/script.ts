import { spawn } from 'node:child_process';

import type { DaemonContext } from './daemon.js';

/** A program given as `NAME TOKEN…`. */
export interface ScriptOption {
	/** What follows `../bin/`. A tab and what is after it belong to the name, for only blanks are split. */
	readonly name: string;
	/**
	 * Whether tokens were given. The splitting helper of the real daemons leaves a blank at each word, so that no token is
	 * recognised and the program gets no arguments at all.
	 */
	readonly withTokens: boolean;
}

/** Splits the value of `--script` and the like. */
export function scriptOption(value: string): ScriptOption {
	const words = value.split(' ').filter((word) => word !== '');
	return { name: words[0] ?? '', withTokens: words.length > 1 };
}

/**
 * Runs `../bin/NAME WORDS` through a shell in `tmp_HOST`, words unquoted as the real daemons do it. Resolves to the status as
 * `system()` returns it: exit code times 256, or the signal's number.
 */
export function runScript(context: DaemonContext, command: string): Promise<number> {
	return new Promise((resolve, reject) => {
		const child = spawn('/bin/sh', ['-c', command], { cwd: context.io.cwd, stdio: ['ignore', 'inherit', 'inherit'] });
		child.once('error', reject);
		child.once('exit', (code, signal) => resolve(signal === null ? (code ?? 0) * 256 : 1));
	});
}
