import { homedir } from 'node:os';
import path from 'node:path';

import { contentOfBytes } from '../../common/content.js';
import { BoincError } from '../../common/errors.js';
import { runnerScript } from '../../job/runner.js';
import { applyInstall } from '../../project/install/applyInstall.js';
import { describePlan, type InstallPlan } from '../../project/install/plan.js';
import { planInstall } from '../../project/install/planInstall.js';
import type { AssimilatorChoice, InstallSpec, ValidatorChoice } from '../../project/install/spec.js';
import { undoInstall } from '../../project/install/undoInstall.js';
import { programsFor } from '../../project/programsFor.js';
import { type Platform, PLATFORMS } from '../../project/types.js';
import type { WrapperSource } from '../../project/wrapperSource.js';
import { EXIT } from '../exitCode.js';
import { printJson, type RegisterCommand } from '../register.js';
import { type GlobalOptions, type Session, withProject } from '../session.js';
import { printable } from '../table.js';

interface InstallOptions extends GlobalOptions {
	readonly title: string;
	readonly wrappers?: string;
	readonly release: string;
	readonly busybox?: string[];
	readonly platform?: string[];
	readonly appVersion?: string;
	readonly resultsDir?: string;
	readonly validator?: string;
	readonly assimilator?: string;
	readonly plan?: boolean;
	readonly undo?: string;
}

export const DEFAULT_APP = 'boinc2docker';

export const installCommand: RegisterCommand = (program, setExitCode) => {
	program
		.command('install')
		.description('make the project able to run containers: shows the plan, applies it, verifies')
		.option('--title <text>', 'name of the app that volunteers read', 'Containers')
		.option('--wrappers <folder-or-url>', 'where the docker_wrapper programs are (default: BOINC’s releases)')
		.option('--release <number>', 'release of docker_wrapper to fetch', 'latest')
		.option(
			'--busybox <file-or-url...>',
			'static busybox for the containers (default: this computer’s, the server’s, or fetched)',
		)
		.option('--platform <name...>', `only these platforms: ${PLATFORMS.join(', ')}`)
		.option('--app-version <number>', 'version of the app, such as 1.00')
		.option('--results-dir <folder>', 'where the server collects results (default: results/APP of the project)')
		.option('--validator <kind>', 'trivial, bitwise or none (default: keep the app’s own, else trivial)')
		.option('--assimilator <kind>', 'collect or none (default: keep the app’s own, else collect)')
		.option('--plan', 'show the plan and change nothing')
		.option('--undo <id>', 'take an installation back; its id was printed by it')
		.action(async (_own: unknown, command: { optsWithGlobals(): InstallOptions }) => {
			const options = command.optsWithGlobals();
			setExitCode(
				await withProject(options, (session) =>
					options.undo === undefined ? install(session, options) : undo(session, options.undo, options),
				),
			);
		});
};

async function install(session: Session, options: InstallOptions): Promise<number> {
	const { project, terminal, ctx } = session;
	const { notes, spec } = await specFor(session, options);
	const plan = await planInstall(project, spec, ctx);
	terminal.clear();
	if (options.json !== true) {
		console.log([describePlan(plan), ...notes.map((note) => `Note: ${note}`)].join('\n\n').split('\n').map(printable).join('\n'));
	}
	if (plan.isEmpty || options.plan === true) {
		if (options.json === true) {
			printJson({ applied: false, plan: summary(plan), notes });
		}
		return EXIT.ok;
	}
	const question = { title: 'Install App', message: `Install “${plan.app}” on ${project.name}?`, accept: 'Install' };
	if (options.yes !== true && !(await terminal.prompts.confirm(question))) {
		terminal.line('Nothing was changed. Add --yes to install without this question.');
		return EXIT.cancelled;
	}
	const report = await applyInstall(project, plan, ctx);
	terminal.clear();
	if (options.json === true) {
		printJson({ applied: true, plan: summary(plan), report, notes });
	} else {
		const undoHint = report.backupId === undefined ? '' : ` To take it back: boinc2docker install --undo ${report.backupId}`;
		console.log(
			['', ...report.notes, `“${report.app}” is installed on ${project.name} and its daemons run.${undoHint}`]
				.map(printable)
				.join('\n'),
		);
	}
	return EXIT.ok;
}

const summary = (plan: InstallPlan): Pick<InstallPlan, 'app' | 'isEmpty' | 'steps' | 'warnings'> => ({
	app: plan.app,
	isEmpty: plan.isEmpty,
	steps: plan.steps,
	warnings: plan.warnings,
});

async function undo({ project, terminal, ctx }: Session, id: string, options: InstallOptions): Promise<number> {
	const question = {
		title: 'Undo Install',
		message: `Take the installation ${id} on ${project.name} back?`,
		accept: 'Take Back',
	};
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

async function specFor(session: Session, options: InstallOptions): Promise<{ spec: InstallSpec; notes: readonly string[] }> {
	const platforms = options.platform?.map(parsePlatform);
	const { wrappers, busybox, notes } = await programsFor(sourceOf(options), session.ctx, {
		pinFile: path.join(process.env.XDG_CONFIG_HOME ?? path.join(homedir(), '.config'), 'boinc2docker', 'programs.json'),
		server: session.connection,
		busybox: (options.busybox ?? []).map((place) => (isUrl(place) ? { url: place } : { file: path.resolve(place) })),
		...(platforms && { platforms }),
	});
	return {
		notes,
		spec: {
			app: options.app ?? DEFAULT_APP,
			friendlyName: options.title,
			wrappers,
			busybox,
			runner: contentOfBytes(runnerScript),
			...(options.appVersion !== undefined && { version: options.appVersion }),
			...(options.resultsDir !== undefined && { resultsDir: options.resultsDir }),
			...(options.validator !== undefined && {
				validator: choice<Extract<ValidatorChoice, string>>('validator', options.validator, ['trivial', 'bitwise', 'none']),
			}),
			...(options.assimilator !== undefined && {
				assimilator: choice<AssimilatorChoice>('assimilator', options.assimilator, ['collect', 'none']),
			}),
		},
	};
}

const isUrl = (text: string): boolean => /^https?:\/\//i.test(text);

function sourceOf(options: InstallOptions): WrapperSource {
	if (options.wrappers === undefined) {
		return { release: options.release };
	}
	return isUrl(options.wrappers) ? { url: options.wrappers } : { folder: path.resolve(options.wrappers) };
}

function choice<T extends string>(what: string, text: string, known: readonly T[]): T {
	const found = known.find((each) => each === text);
	if (found === undefined) {
		throw new BoincError('usage', `“${text}” is not a ${what}.`, { remedy: `Choose one of: ${known.join(', ')}.` });
	}
	return found;
}

const parsePlatform = (text: string): Platform => choice('platform', text, PLATFORMS);
