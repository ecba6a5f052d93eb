import { rm } from 'node:fs/promises';

import { BoincError } from '../../common/errors.js';
import { plural } from '../../common/format.js';
import { given } from '../../common/given.js';
import { takenOver } from '../../job/handOver.js';
import { submitBatch } from '../../job/submit.js';
import { submitSteps } from '../../monitor/submitSteps.js';
import { batchState } from '../../project/batches.js';
import type { Project } from '../../project/project.js';
import { refillFiles } from '../../project/refills.js';
import { EXIT } from '../exitCode.js';
import type { RegisterCommand } from '../register.js';
import { flag, type SubmitOptions, whole } from './jobOptions.js';
import { keepSubmitting, mayPass } from './keepSubmitting.js';

interface RefillOptions extends SubmitOptions {
	readonly unsent?: string;
}

/** A batch that was cancelled meanwhile must not become a new one. Rejects with `batch-missing`. */
async function requirePreparing(project: Project, id: number): Promise<void> {
	const state = await batchState(project, id);
	if (state !== 'preparing') {
		throw new BoincError('batch-missing', `Batch ${id} is ${state ?? 'gone'}: no more jobs are added.`, {
			detail: { batch: id },
		});
	}
}

/** What `submit --on-server` starts on the server: goes on with a submission from its file there, and removes the file at the end. */
export const refillCommand: RegisterCommand = (program, setExitCode) => {
	program
		.command('refill', { hidden: true })
		.description('on the server itself: go on with a batch that submit --on-server has begun')
		.argument('<batch>', 'number of the batch')
		.option('--unsent <number>', 'jobs to keep waiting for hosts')
		.option('--canary', 'one job, then ten, and the rest only when none of these failed')
		.action(async (batch: string, _own: unknown, command: { optsWithGlobals(): RefillOptions }) => {
			const options = command.optsWithGlobals();
			const id = whole(batch);
			const unsent = flag('unsent', options.unsent, whole);
			const steps = submitSteps({ canary: options.canary === true, ...given({ unsent }) });
			const code = await keepSubmitting(
				{ ...options, refill: String(unsent ?? 0) },
				async ({ project, ctx }, _options, begun) => {
					const { spec: file } = refillFiles(project, id);
					const spec = await takenOver(file);
					begun();
					try {
						await requirePreparing(project, id);
						const { jobs } = await submitBatch(project, { ...spec, stopped: 'keep' }, ctx, steps);
						console.log(`Batch ${id} has all of its ${plural(jobs, 'job')}.`);
					} catch (error) {
						// Else it is needed again.
						if (!mayPass(error)) {
							await rm(file, { force: true });
						}
						throw error;
					}
					await rm(file, { force: true });
					return EXIT.ok;
				},
			);
			setExitCode(code);
		});
};
