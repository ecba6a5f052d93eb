import { assimilatorKind } from './assimilation.js';
import { daemonTool } from './daemon.js';

/** `sample_dummy_assimilator`: writes a line and lets the outputs go. */
export const dummyAssimilator = daemonTool(
	assimilatorKind({
		options: {},
		handle: (context, job) => {
			context.log('normal', `Assimilating ${job.name}`);
			context.log('normal', job.canonical ? 'Found canonical result' : `[${job.name}] No canonical result`);
			return Promise.resolve(0);
		},
	}),
);
