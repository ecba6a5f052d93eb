import { invalidJob as invalid } from './invalidJob.js';
import type { BatchSpec } from './types.js';

/** The program and its arguments by Docker's rules: a new entry point drops the image's command. */
export function argumentsOf(spec: BatchSpec, command: readonly string[] | undefined): string[] {
	const { config } = spec.image;
	const entrypoint = spec.entrypoint ?? config.entrypoint;
	return [...entrypoint, ...(command ?? (spec.entrypoint === undefined ? config.cmd : []))];
}

/** `NAME=value` of each variable. Throws `job-invalid` for a name that no environment can hold. */
export function environmentWords(env: Readonly<Record<string, string>> | undefined): string[] {
	return Object.entries(env ?? {}).map(([name, value]) => {
		if (name === '' || name.includes('=') || name.includes('\0')) {
			throw invalid(`${JSON.stringify(name)} cannot be the name of an environment variable.`, 'Use a name without “=”.');
		}
		return `${name}=${value}`;
	});
}
