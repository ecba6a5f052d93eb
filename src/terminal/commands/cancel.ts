import { plural } from '../../common/format.js';
import { cancelBatch, failedAlive } from '../../job/cancel.js';
import { isFinalBatchState } from '../../monitor/jobState.js';
import { EXIT } from '../exitCode.js';
import { printJson, type RegisterCommand } from '../register.js';
import { type GlobalOptions, withProject } from '../session.js';
import { countsText, monitorFor, parseBatch, requireBatch } from './status.js';

export const cancelCommand: RegisterCommand = (program, setExitCode) => {
	program
		.command('cancel')
		.description('cancel the unfinished jobs of a batch; finished ones keep their results')
		.argument('<batch>', 'number of the batch')
		.action(async (text: string, _own: unknown, command: { optsWithGlobals(): GlobalOptions }) => {
			const options = command.optsWithGlobals();
			const id = parseBatch(text);
			setExitCode(
				await withProject(options, async (session) => {
					const monitor = monitorFor(session);
					await monitor.refresh();
					const batch = requireBatch(monitor.batches(), id, session.project);
					monitor.dispose();
					const over = isFinalBatchState(batch.state);
					const alive = batch.counts.failed > 0 ? await failedAlive(session.project, { batchIds: [id] }, session.ctx.signal) : 0;
					if (over && alive === 0) {
						session.terminal.clear();
						if (options.json === true) {
							printJson({ batch: id, cancelled: 0, calledBack: 0, running: 0 });
						} else {
							console.log(`There is nothing to cancel in batch ${id}: ${countsText(batch)}.`);
						}
						return EXIT.ok;
					}
					const question = {
						title: 'Cancel Batch',
						message: over
							? `Call back what is still on hosts of ${plural(alive, 'failed job')} of batch ${id} “${batch.name}”?`
							: `Cancel the unfinished jobs of batch ${id} “${batch.name}” (${countsText(batch)})?`,
						accept: over ? 'Call Back' : 'Cancel Jobs',
					};
					if (options.yes !== true && !(await session.terminal.prompts.confirm(question))) {
						session.terminal.line('Nothing was cancelled. Add --yes to cancel without this question.');
						return EXIT.cancelled;
					}
					const outcome = await cancelBatch(session.project, id, session.ctx);
					session.terminal.clear();
					if (options.json === true) {
						printJson({ batch: id, ...outcome });
					} else {
						console.log(`Cancelled ${plural(outcome.cancelled, 'job')} of batch ${id}.`);
						if (outcome.calledBack > 0) {
							console.log(`What was left of ${plural(outcome.calledBack, 'failed job')} is called back; they stay failed.`);
						}
						if (outcome.running > 0) {
							console.log(`${plural(outcome.running, 'instance')} on hosts will end when the hosts contact the server next.`);
						}
					}
					return EXIT.ok;
				}),
			);
		});
};
