import { BoincError } from '../../common/errors.js';
import { explain } from '../../monitor/explain/explain.js';
import { formatExplanations, type Subject } from '../../monitor/explain/explanation.js';
import type { Queries } from '../../monitor/queries.js';
import type { Project } from '../../project/project.js';
import { EXIT } from '../exitCode.js';
import { printJson, type RegisterCommand } from '../register.js';
import { type GlobalOptions, withProject } from '../session.js';
import { printable } from '../table.js';

/** A batch by its number, a job or an instance by its name. Rejects with `result-missing`. */
async function subjectOf(project: Project, text: string): Promise<Subject> {
	if (/^\d{1,15}$/.test(text)) {
		return { kind: 'batch', id: Number(text) };
	}
	const db: Queries = await project.database();
	for (const [kind, sql] of [
		['job', 'SELECT id FROM workunit WHERE name = ?'],
		['instance', 'SELECT id FROM result WHERE name = ?'],
	] as const) {
		const [row] = await db.select(sql, [text]);
		if (row) {
			return { kind, id: Number(row.id) };
		}
	}
	throw new BoincError('result-missing', `There is no job or instance “${text}” in ${project.name}.`, {
		remedy: 'Run the status command with the number of the batch for the names.',
	});
}

export const explainCommand: RegisterCommand = (program, setExitCode) => {
	program
		.command('explain')
		.description('say why jobs do not run and why they failed')
		.argument('<batch|job>', 'number of a batch, or name of a job or an instance')
		.action(async (name: string, _own: unknown, command: { optsWithGlobals(): GlobalOptions }) => {
			const options = command.optsWithGlobals();
			setExitCode(
				await withProject(options, async ({ project, terminal, ctx }) => {
					const subject = await subjectOf(project, name);
					const explained = await explain(project, subject, ctx.signal);
					terminal.clear();
					if (options.json === true) {
						printJson({ subject, ...explained });
						return EXIT.ok;
					}
					const lines = [
						'Why is this not running?',
						...formatExplanations(explained.waiting),
						'',
						'Why did it fail?',
						...formatExplanations(explained.failure),
					];
					console.log(lines.map(printable).join('\n'));
					return EXIT.ok;
				}),
			);
		});
};
