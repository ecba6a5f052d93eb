import type { Command } from 'commander';

/** Tells the program the exit code of the command that ran. */
export type SetExitCode = (code: number) => void;

/** Adds one command to the program. */
export type RegisterCommand = (program: Command, setExitCode: SetExitCode) => void;

/** Prints one JSON object: the whole answer of a command under `--json`. */
export function printJson(value: unknown): void {
	console.log(JSON.stringify(value));
}

/** The values of an option that may be repeated, one each time: what comes behind one is not taken for another. */
export const collected = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];
