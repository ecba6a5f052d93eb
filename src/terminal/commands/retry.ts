import { BoincError } from '../../common/errors.js';
import { plural } from '../../common/format.js';
import { given } from '../../common/given.js';
import { parseBytes, parseSeconds } from '../../common/parseUnits.js';
import { retryFailed, type RetryOptions } from '../../job/retry.js';
import { EXIT } from '../exitCode.js';
import { printJson, type RegisterCommand } from '../register.js';
import { type GlobalOptions, withProject } from '../session.js';
import { flag } from './jobOptions.js';
import { parseBatch } from './status.js';

interface Options extends GlobalOptions {
	readonly tries?: string;
	readonly memory?: string;
	readonly time?: string;
	readonly disk?: string;
	readonly deadline?: string;
}

function optionsOf({ tries, memory, time, disk, deadline }: Options): RetryOptions {
	if (tries !== undefined && !/^[1-9]\d{0,3}$/.test(tries)) {
		throw new BoincError('usage', `“${tries}” is not a number of tries.`, { remedy: 'Give a number from 1 to 9999.' });
	}
	const seconds = (text: string): number => Math.round(parseSeconds(text));
	return given({
		tries: tries === undefined ? undefined : Number(tries),
		memoryBytes: flag('memory', memory, parseBytes),
		limitSeconds: flag('time', time, seconds),
		diskBytes: flag('disk', disk, parseBytes),
		delayBoundSeconds: flag('deadline', deadline, seconds),
	});
}

export const retryCommand: RegisterCommand = (program, setExitCode) => {
	program
		.command('retry')
		.description('try the failed jobs of a batch again, under a raised limit if wanted')
		.argument('<batch>', 'number of the batch')
		.option('--tries <number>', 'more instances that each job may have (default: 3)')
		.option('--memory <size>', 'memory that a job may use from now on, such as 4 GB')
		.option('--time <time>', 'time that a job may run from now on, such as 2 d')
		.option('--disk <size>', 'disk that a job may use on its host from now on, such as 20 GB')
		.option('--deadline <time>', 'time from sending a job to its deadline from now on, such as 14 d')
		.action(async (text: string, _own: unknown, command: { optsWithGlobals(): Options }) => {
			const options = command.optsWithGlobals();
			const id = parseBatch(text);
			const wanted = optionsOf(options);
			setExitCode(
				await withProject(options, async (session) => {
					const report = await retryFailed(session.project, { batchIds: [id] }, wanted, session.ctx);
					session.terminal.clear();
					if (options.json === true) {
						printJson({ batch: id, ...report });
						return EXIT.ok;
					}
					console.log(
						report.retried === 0
							? `No job of batch ${id} can be tried again.`
							: `${plural(report.retried, 'job')} of batch ${id} will be tried again.`,
					);
					if (report.left > 0) {
						console.log(`${plural(report.left, 'job')} could never be sent to a host and stay failed.`);
					}
					return EXIT.ok;
				}),
			);
		});
};
