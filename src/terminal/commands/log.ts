import { BoincError } from '../../common/errors.js';
import { textOf } from '../../common/readableText.js';
import { instanceLog } from '../../monitor/instanceLog.js';
import { fullLog } from '../../monitor/results/fullLog.js';
import { EXIT } from '../exitCode.js';
import { printJson, type RegisterCommand } from '../register.js';
import { type GlobalOptions, withProject } from '../session.js';
import { printable } from '../table.js';

export const logCommand: RegisterCommand = (program, setExitCode) => {
	program
		.command('log')
		.description('print what a host reported of an instance of a job')
		.argument('<instance>', 'name of the instance (job name, _, number) or of the job (its latest instance)')
		.option('--wrapper', 'also what the wrapper said')
		.option('--full', 'the whole output of the program, as the host uploaded it')
		.action(
			async (
				name: string,
				_own: unknown,
				command: { optsWithGlobals(): GlobalOptions & { wrapper?: boolean; full?: boolean } },
			) => {
				const options = command.optsWithGlobals();
				setExitCode(
					await withProject(options, async ({ project, terminal }) => {
						const db = await project.database();
						const [row] = await db.select<{ id: number }>(
							'SELECT r.id FROM result r LEFT JOIN workunit w ON w.id = r.workunitid WHERE r.name = ? OR w.name = ? ORDER BY r.id DESC LIMIT 1',
							[name, name],
						);
						if (!row) {
							throw new BoincError('result-missing', `There is no instance or job “${name}” in ${project.name}.`, {
								remedy: 'Run the status command with the number of the batch for the names.',
							});
						}
						if (options.full === true) {
							const text = textOf(await fullLog(project, row.id));
							terminal.clear();
							if (options.json === true) {
								printJson({ text });
							} else {
								console.log(text.trimEnd().split('\n').map(printable).join('\n'));
							}
							return EXIT.ok;
						}
						const log = await instanceLog(db, row.id);
						terminal.clear();
						if (options.json === true) {
							printJson(log);
							return EXIT.ok;
						}
						const parts = [log.message, options.wrapper === true || log.container === '' ? log.wrapper : '', log.container];
						const said = parts.filter((text) => text !== '');
						if (said.length === 0) {
							console.error(`Nothing has been reported of ${name} yet; hosts report when the program has ended.`);
						}
						for (const part of said) {
							console.log(part.split('\n').map(printable).join('\n'));
						}
						return EXIT.ok;
					}),
				);
			},
		);
};
