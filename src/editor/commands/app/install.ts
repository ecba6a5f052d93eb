import * as vscode from 'vscode';

import { abortError } from '../../../common/errors.js';
import type { InstallReport } from '../../../project/install/plan.js';
import { formatPlan } from '../../documents/formatPlan.js';
import { pickOne } from '../../quickInput/wizard.js';
import type { Services } from '../../services.js';
import { chooseServer } from '../chooseServer.js';
import { askWhatToInstall } from './askWhatToInstall.js';

/** Plans the installation of the app, shows the plan, applies it after a question, and reports what was verified. */
export async function installApp(services: Services, item?: unknown): Promise<void> {
	const title = vscode.l10n.t('Install App');
	const model = await chooseServer(services, title, item);
	const { app, friendlyName, sources } = await askWhatToInstall(services);
	const { applyInstall, contentOfBytes, planInstall, programsFor, runnerScript } = await services.core();
	const { name } = model.server;
	const plan = await services.operation(vscode.l10n.t('Planning the installation on {0}', name), async (ctx) => {
		const project = await model.project(ctx.signal);
		const { notes, ...programs } = await programsFor(sources, ctx, { pinFile: services.pinFile, server: project.connection });
		for (const note of notes) {
			services.log.warn(note);
		}
		return planInstall(project, { app, friendlyName, runner: contentOfBytes(runnerScript), ...programs }, ctx);
	});
	if (plan.isEmpty) {
		void vscode.window.showInformationMessage(vscode.l10n.t('“{0}” is installed on {1} already: nothing is missing.', app, name));
		return;
	}
	let report: InstallReport;
	const shown = await services.documents.openText(vscode.l10n.t('Plan for {0}', app), formatPlan(plan));
	try {
		await confirm(title, app, name, plan.steps.length);
		report = await services.operation(vscode.l10n.t('Installing “{0}” on {1}', app, name), async (ctx) =>
			applyInstall(await model.project(ctx.signal), plan, ctx),
		);
	} finally {
		await services.documents.close(shown);
	}
	for (const note of report.notes) {
		services.log.info(note);
	}
	await model.refresh();
	await vscode.commands.executeCommand('boinc2docker.views.jobs.focus');
	void vscode.window.showInformationMessage(vscode.l10n.t('“{0}” is installed on {1} and its daemons run.', app, name));
}

/** Stays open while the person reads the plan in the editor, unlike a modal dialog. */
async function confirm(title: string, app: string, server: string, steps: number): Promise<void> {
	const goOn = await pickOne<boolean>(title, {
		placeholder: vscode.l10n.t('Read the plan in the editor first: this waits'),
		choices: [
			{
				label: vscode.l10n.t('$(cloud-upload) Install “{0}” on {1}', app, server),
				detail: vscode.l10n.t('{0} steps. Files that are changed are backed up first, so that it can be undone.', steps),
				value: true,
			},
			{ label: vscode.l10n.t('$(close) Change Nothing'), value: false },
		],
	});
	if (!goOn) {
		throw abortError();
	}
}
