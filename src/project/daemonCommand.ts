import type { DaemonEntry } from './types.js';

/** Words of a daemon's command, split as Python's `shlex` does for BOINC's `start`. */
export function commandWords(command: string): string[] {
	const words: string[] = [];
	const pattern = /(?:[^\s"'\\]+|"(?:[^"\\]|\\.)*"|'[^']*'|\\.)+/gsu;
	for (const match of command.matchAll(pattern)) {
		words.push(
			match[0].replace(
				/"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)/gsu,
				(_all, double: string | undefined, single: string | undefined, escaped: string | undefined) =>
					double === undefined ? (single ?? escaped ?? '') : double.replace(/\\(["\\])/g, '$1'),
			),
		);
	}
	return words;
}

/** Base name of the program that a daemon runs. */
export function daemonProgram(command: string): string {
	const word = commandWords(command)[0] ?? '';
	return word.slice(word.lastIndexOf('/') + 1);
}

/** The app that a daemon serves by its `--app NAME`, if it says so. */
export function daemonApp(command: string): string | undefined {
	const words = commandWords(command);
	for (const [index, word] of words.entries()) {
		if (word === '--app' || word === '-app') {
			return words[index + 1];
		}
		const joined = /^--?app=(.*)$/.exec(word)?.[1];
		if (joined !== undefined) {
			return joined;
		}
	}
	return undefined;
}

/** What a daemon does for an app: BOINC names its programs so. */
export function daemonRole(command: string): 'validator' | 'assimilator' | undefined {
	const program = daemonProgram(command).replace(/\.[a-z]+$/, '');
	if (program.endsWith('_validator') || program === 'validator') {
		return 'validator';
	}
	return program.endsWith('_assimilator') || program === 'assimilator' || program === 'batch_collect_assimilate'
		? 'assimilator'
		: undefined;
}

/** File in `log_HOST` that a daemon writes to; `start`'s rule. */
export function daemonLog(entry: DaemonEntry): string {
	return entry.output ?? `${daemonProgram(entry.command)}.log`;
}

/** File in `pid_HOST` that tells a daemon's process; `start`'s rule. */
export function daemonPidFile(entry: DaemonEntry): string {
	return entry.pidFile ?? `${daemonProgram(entry.command)}.pid`;
}
