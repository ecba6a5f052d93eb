import type { Command } from 'commander';

import { BoincError } from '../../common/errors.js';
import type { RegisterCommand } from '../register.js';
import { withProject } from '../session.js';
import { printable } from '../table.js';
import { JOB_FILE } from './jobFile.js';
import { addJobOptions } from './jobOptions.js';
import { type LocalOptions, runLocal } from './runLocal.js';
import { submitAndReport } from './submit.js';

/** `run IMAGE COMMAND…` as with `docker run`, on a volunteer's computer: waits, and fetches the result. */
export const runCommand: RegisterCommand = (program, setExitCode) => {
	addJobOptions(
		program
			.command('run')
			.description(
				'as docker run, but on volunteers’ computers: submit an image as one job, wait, and fetch the result; our options stand before the image, what follows it is the command',
			)
			.argument(
				'[image]',
				`name of an image that Docker or Podman has on this computer; with --local also a job file (default: ${JOB_FILE}), a Dockerfile, a folder, a saved image`,
			)
			.argument('[command...]', 'instead of the image’s command')
			.option('--local', 'run one job on this computer, as a volunteer’s computer would; needs no server')
			.option('--job <number>', 'with --local: which of the jobs, from 0 (default: 0)')
			.option(
				'-o, --output <folder>',
				'with --local: new folder for what the job leaves (default: local-JOB, or local-JOB-2 and so on when that is there)',
			)
			.option('--write', 'with --local: write memory, disk and time that were measured, and a margin, into the job file')
			.option('--busybox <file>', 'with --local: a static busybox (default: this computer’s, or fetched)')
			.passThroughOptions(),
	).action(async (reference: string | undefined, words: string[], _own: unknown, command: Command) => {
		const options = command.optsWithGlobals<LocalOptions>();
		const [first = ''] = words;
		if (command.options.some((option) => [option.short, option.long].includes(first.replace(/=.*/s, '')))) {
			console.error(printable(`The command of the job is “${words.join(' ')}”: options of boinc2docker stand before the image.`));
		}
		if (options.local === true) {
			setExitCode(await runLocal(reference ?? JOB_FILE, words, options));
			return;
		}
		if (reference === undefined) {
			throw new BoincError('usage', 'No image is named.', { remedy: 'Name an image, or add --local to run a job file here.' });
		}
		const wanted = { ...options, wait: true, fetch: options.fetch ?? 'results' };
		setExitCode(
			await withProject(wanted, (session) =>
				submitAndReport(session, { image: { kind: 'reference', reference }, name: reference, words }, wanted),
			),
		);
	});
};
