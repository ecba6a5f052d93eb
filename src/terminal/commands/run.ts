import type { RegisterCommand } from '../register.js';
import { withProject } from '../session.js';
import { addJobOptions, type SubmitOptions } from './jobOptions.js';
import { submitAndReport } from './submit.js';

/** `run IMAGE COMMAND…` as with `docker run`, on a volunteer's computer: waits, and fetches the result. */
export const runCommand: RegisterCommand = (program, setExitCode) => {
	addJobOptions(
		program
			.command('run')
			.description(
				'as docker run, but on volunteers’ computers: submit an image as one job, wait, and fetch the result; our options stand before the image, what follows it is the command',
			)
			.argument('<image>', 'name of an image that Docker or Podman has on this computer')
			.argument('[command...]', 'instead of the image’s command')
			.passThroughOptions(),
	).action(async (reference: string, words: string[], _own: unknown, command: { optsWithGlobals(): SubmitOptions }) => {
		const options = { ...command.optsWithGlobals() };
		const wanted = { ...options, wait: true, fetch: options.fetch ?? 'results' };
		setExitCode(
			await withProject(wanted, (session) =>
				submitAndReport(session, { image: { kind: 'reference', reference }, name: reference, words }, wanted),
			),
		);
	});
};
