import { type Installation, listInstallations } from '../../project/install/installations.js';
import { undoEffects } from '../../project/install/undoEffects.js';
import { undoInstall } from '../../project/install/undoInstall.js';
import { EXIT } from '../exitCode.js';
import { printJson } from '../register.js';
import type { GlobalOptions, Session } from '../session.js';
import { printable, table } from '../table.js';

const STATES: Readonly<Record<Installation['state'], string>> = {
	applying: 'was cut off',
	applied: 'installed',
	undone: 'taken back',
};

/** Takes an installation back after a question, which tells what becomes of jobs. */
export async function undo({ project, terminal, ctx }: Session, id: string, options: GlobalOptions): Promise<number> {
	const effects = await undoEffects(project, id, ctx.signal);
	const question = {
		title: 'Undo Install',
		message: `Take the installation ${id} on ${project.name} back?`,
		accept: 'Take Back',
	};
	// Also where nobody is asked.
	effects.forEach((sentence) => terminal.line(printable(sentence)));
	if (options.yes !== true && !(await terminal.prompts.confirm(question))) {
		terminal.line('Nothing was changed. Add --yes to do it without this question.');
		return EXIT.cancelled;
	}
	const report = await undoInstall(project, id, ctx);
	terminal.clear();
	if (options.json === true) {
		printJson(report);
	} else {
		console.log([`Taken back: ${report.app}.`, ...report.remains].map(printable).join('\n'));
	}
	return EXIT.ok;
}

/** What can be taken back, and what was. */
export async function showInstallations({ project, terminal, ctx }: Session, options: GlobalOptions): Promise<number> {
	const installations = await listInstallations(project, ctx.signal);
	terminal.clear();
	if (options.json === true) {
		printJson({ installations });
	} else if (installations.length === 0) {
		console.log(`Nothing was installed on ${project.name} that could be taken back.`);
	} else {
		const rows = installations.map(({ id, app, state, files, versions }) => [id, app, STATES[state], versions, files.join(' ')]);
		console.log(table(['id', 'app', 'state', 'versions', 'files changed'], rows));
	}
	return EXIT.ok;
}
