import { BoincError } from '../../common/errors.js';
import { explain, type Explained } from '../../monitor/explain/explain.js';
import { type Explanation, formatExplanations, type Subject } from '../../monitor/explain/explanation.js';
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

/** Answers with their questions, where there is something to ask, and the commands that go on from there. */
export function explainedLines({ waiting, failure }: Explained): string[] {
	const isOver = waiting.every(({ kind }) => kind === 'nothing-waits');
	const isWell = failure.every(({ kind }) => kind === 'nothing-failed');
	return [
		...(isOver ? [] : ['Why is this not running?']),
		...formatExplanations(waiting),
		'',
		...(isWell ? [] : ['Why did it fail?']),
		...formatExplanations(failure),
		...(isWell ? [] : ['', ...commandsFor(failure)]),
	];
}

/** For the first example, whose job and batch are in its name: `b2d_7_000003_0`. */
function commandsFor(failure: readonly Explanation[]): string[] {
	const example = failure.flatMap(({ examples = [] }) => examples).find(({ hostId }) => hostId > 0);
	const [, job, batch] = /^(b2d_(\d+)_\d{6})_\d+$/.exec(example?.name ?? '') ?? [];
	if (!example || job === undefined || batch === undefined) {
		return [];
	}
	return [
		`The log of an instance:      boinc2docker log ${example.name}`,
		`Run its job here:            boinc2docker reproduce ${job}`,
		...(failure.some(({ level }) => level === 'error') ? [`Try the failed jobs again:   boinc2docker retry ${batch}`] : []),
	];
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
					console.log(explainedLines(explained).map(printable).join('\n'));
					return EXIT.ok;
				}),
			);
		});
};
