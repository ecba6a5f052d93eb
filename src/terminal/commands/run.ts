import type { RegisterCommand } from '../register.js';
import { withProject } from '../session.js';
import { addJobOptions, submitAndReport, type SubmitOptions } from './submit.js';

/** `run IMAGE COMMAND…` as with `docker run`, on a volunteer's computer: waits, and fetches the result. */
export const runCommand: RegisterCommand = (program, setExitCode) => {
	addJobOptions(
		program
			.command('run')
			.description('run an image that exists on volunteers’ computers, wait, and fetch the results')
			.argument('<image>', 'name of an image of the local engine')
			.argument('[command...]', 'instead of the image’s command')
			.passThroughOptions(),
	).action(async (reference: string, words: string[], _own: unknown, command: { optsWithGlobals(): SubmitOptions }) => {
		const options = { ...command.optsWithGlobals() };
		const wanted = { ...options, wait: true, fetch: options.fetch ?? 'results' };
		setExitCode(
			await withProject(wanted, (session) =>
				submitAndReport(session, { kind: 'reference', reference }, reference, wanted, words),
			),
		);
	});
};
