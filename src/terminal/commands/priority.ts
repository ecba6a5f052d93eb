import { BoincError } from '../../common/errors.js';
import { plural } from '../../common/format.js';
import { setPriority } from '../../job/priority.js';
import { EXIT } from '../exitCode.js';
import { printJson, type RegisterCommand } from '../register.js';
import { type GlobalOptions, withProject } from '../session.js';
import { parseBatch } from './status.js';

export const priorityCommand: RegisterCommand = (program, setExitCode) => {
	program
		.command('priority')
		.description('set the priority of the unfinished jobs of a batch')
		.argument('<batch>', 'number of the batch')
		.argument('<priority>', 'a whole number; higher first')
		.action(async (text: string, given: string, _own: unknown, command: { optsWithGlobals(): GlobalOptions }) => {
			const options = command.optsWithGlobals();
			const id = parseBatch(text);
			if (!/^-?\d{1,7}$/.test(given)) {
				throw new BoincError('usage', `“${given}” is not a priority.`, {
					remedy: 'Give a whole number; put -- before a negative one.',
				});
			}
			setExitCode(
				await withProject(options, async (session) => {
					const jobs = await setPriority(session.project, { batchIds: [id] }, Number(given), session.ctx);
					session.terminal.clear();
					if (options.json === true) {
						printJson({ batch: id, jobs, priority: Number(given) });
					} else if (jobs === 0) {
						console.log(`Batch ${id} has no unfinished job any more: a priority changes nothing.`);
					} else {
						console.log(`${plural(jobs, 'job')} of batch ${id} ${jobs === 1 ? 'has' : 'have'} priority ${Number(given)} now.`);
					}
					return EXIT.ok;
				}),
			);
		});
};
