import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { BoincError } from '../../common/errors.js';
import type { ExpandedJobs } from '../../job/expandJobFile.js';
import type { Batch } from '../../monitor/types.js';

/**
 * Runs the command that a job file has for the end of its batch, with its output on the terminal; no shell is in between. Resolves to
 * its exit code. Rejects with `command-not-found`.
 */
export async function runThen(
	{ words, folder }: NonNullable<ExpandedJobs['then']>,
	batch: Batch,
	results: string | undefined,
	output: 'stdout' | 'stderr',
): Promise<number> {
	const [program = '', ...args] = words;
	const child = spawn(program, args, {
		cwd: folder,
		env: {
			...process.env,
			B2D_BATCH: String(batch.id),
			B2D_STATE: batch.state,
			...(results !== undefined && { B2D_RESULTS: results }),
		},
		// With --json, standard output is for the one object.
		stdio: ['inherit', output === 'stdout' ? 'inherit' : 2, 'inherit'],
	});
	try {
		const [code] = (await once(child, 'close')) as [number | null];
		return code ?? 1;
	} catch (cause) {
		throw new BoincError('command-not-found', `The batch is over, but the command “${program}” of then cannot be run.`, {
			remedy: 'Name a program that this computer has; for a shell line write: then: [sh, -c, LINE].',
			cause,
		});
	}
}
