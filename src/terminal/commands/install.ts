import { writeFile } from 'node:fs/promises';
import path from 'node:path';

import type { Content } from '../../common/content.js';
import { makeFolder } from '../../common/makeFolder.js';
import type { OperationContext } from '../../common/ports.js';
import { applyInstall } from '../../project/install/applyInstall.js';
import { describePlan, type InstallPlan } from '../../project/install/plan.js';
import { planInstall } from '../../project/install/planInstall.js';
import { programsFor } from '../../project/programsFor.js';
import { PLATFORMS } from '../../project/types.js';
import { EXIT } from '../exitCode.js';
import { printJson, type RegisterCommand } from '../register.js';
import { contextFor, type Session, terminalFor, withProject } from '../session.js';
import { printable, printableLines } from '../table.js';
import { type InstallOptions, type InstallWish, installWish } from './installSpec.js';
import { showInstallations, undo } from './undoInstall.js';

export const installCommand: RegisterCommand = (program, setExitCode) => {
	program
		.command('install')
		.description('make the project able to run containers: shows the plan, applies it, verifies')
		.option('-f, --file <file>', 'what to install (default: boinc2docker.yml of this folder, if there is one)')
		.option('--title <text>', 'name of the app that volunteers read (default: Containers)')
		.option('--wrappers <folder-or-url>', 'where the docker_wrapper programs are (default: BOINC’s releases)')
		.option('--release <number>', 'release of docker_wrapper to fetch (default: latest)')
		.option('--runtime <name...>', 'docker, vm (VirtualBox) or both (default: docker; both with --iso or --vboxwrapper)')
		.option('--vboxwrapper <folder-url-or-release>', 'where the vboxwrapper programs are (default: as docker_wrapper)')
		.option('--iso <file-or-url>', 'ISO that virtual machines boot (default: what npm run iso has built)')
		.option(
			'--busybox <file-or-url...>',
			'static busybox for the containers (default: this computer’s, the server’s, or fetched)',
		)
		.option('--platform <name...>', `only these platforms: ${PLATFORMS.join(', ')}`)
		.option('--app-version <number>', 'version of the app, such as 1.00')
		.option('--cpus <number>', 'processors of each job of the app (default: what the app has, else 1)')
		.option('--gpu <needs>', 'a GPU for each job of the app: nvidia, or nvidia,memory=4GB,compute_capability=7.5,cuda=12.4')
		.option('--results-dir <folder>', 'where the server collects results (default: results/APP of the project)')
		.option(
			'--validator <kind>',
			'trivial, bitwise, none, or script:INIT,COMPARE with programs of the project’s bin folder, of which one may be left out (default: keep the app’s own, else trivial)',
		)
		.option(
			'--assimilator <kind>',
			'collect, none, or script:NAME with a program of the project’s bin folder (default: keep the app’s own, else collect)',
		)
		.option('--signing-key <file>', 'sign on this computer with this code_sign_private (default: the key on the server)')
		.option('--download-only <folder>', 'fetch the programs into this folder and install nothing')
		.option('--plan', 'show the plan and change nothing')
		.option('--undo [id]', 'take an installation back; without an id: list the installations')
		.action(async (_own: unknown, command: { optsWithGlobals(): InstallOptions }) => {
			const options = command.optsWithGlobals();
			if (options.undo !== undefined) {
				const id = options.undo;
				setExitCode(
					await withProject(options, (session) =>
						id === true ? showInstallations(session, options) : undo(session, id, options),
					),
				);
				return;
			}
			const wish = await installWish(options);
			const { downloadTo } = wish;
			setExitCode(
				downloadTo === undefined
					? await withProject(options, (session) => install(session, wish, options), wish.projectHome)
					: await download(wish, path.resolve(downloadTo), options),
			);
		});
};

/** Fetches the programs for a later installation with `--wrappers FOLDER`. */
async function download(wish: InstallWish, folder: string, options: InstallOptions): Promise<number> {
	const terminal = terminalFor(options);
	const ctx: OperationContext = contextFor(terminal);
	const { wrappers, vm, busybox, notes } = await programsFor(wish.sources, ctx, wish.programs);
	const files: { name: string; content: Content }[] = [
		...[...wrappers, ...(vm?.wrappers ?? [])].map(({ fileName, content }) => ({ name: fileName, content })),
		...(vm ? [{ name: 'boinc2docker.iso', content: vm.iso }] : []),
		...busybox.map(({ architecture, content }) => ({ name: `busybox-${architecture}`, content })),
	];
	await makeFolder(folder);
	for (const { name, content } of files) {
		await writeFile(path.join(folder, name), content.open(0), { mode: 0o755 });
	}
	terminal.clear();
	if (options.json === true) {
		printJson({ folder, files: files.map(({ name, content }) => ({ name, size: content.size, sha256: content.sha256 })), notes });
	} else {
		console.log([...files.map(({ name, content }) => `${name}  SHA-256 ${content.sha256}`), ...notes].map(printable).join('\n'));
		const iso = vm ? ` --iso ${path.join(folder, 'boinc2docker.iso')}` : '';
		console.log(`\nInstall them with: boinc2docker install --wrappers ${folder}${iso}`);
	}
	return EXIT.ok;
}

async function install(session: Session, wish: InstallWish, options: InstallOptions): Promise<number> {
	const { project, terminal, ctx } = session;
	const programs = await programsFor(wish.sources, ctx, { ...wish.programs, server: session.connection });
	const notes = [...wish.notes, ...programs.notes];
	const plan = await planInstall(project, wish.spec(programs), ctx);
	terminal.clear();
	if (options.json !== true) {
		console.log(printableLines([describePlan(plan), ...notes.map((note) => `Note: ${note}`)].join('\n\n')));
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
