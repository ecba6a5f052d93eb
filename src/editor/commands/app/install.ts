import * as vscode from 'vscode';

import { abortError } from '../../../common/errors.js';
import type { InstallReport } from '../../../project/install/plan.js';
import type { Services } from '../../services.js';
import { chooseServer } from '../chooseServer.js';
import { askWhatToInstall } from './askWhatToInstall.js';

/** Plans the installation of the app, shows the plan, applies it after a question, and reports what was verified. */
export async function installApp(services: Services, item?: unknown): Promise<void> {
	const title = vscode.l10n.t('Install App');
	const model = await chooseServer(services, title, item);
	const { app, friendlyName, source } = await askWhatToInstall(services);
	const { applyInstall, contentOfBytes, describePlan, planInstall, programsFor, runnerScript } = await services.core();
	const { name } = model.server;
	const plan = await services.operation(vscode.l10n.t('Planning the installation on {0}', name), async (ctx) => {
		const project = await model.project(ctx.signal);
		const { leftOut, wrappers, busybox } = await programsFor(source, project, services.pinFile, ctx);
		for (const platform of leftOut) {
			services.log.warn(vscode.l10n.t('{0} is left out: there is no busybox for its containers.', platform));
		}
		return planInstall(project, { app, friendlyName, runner: contentOfBytes(runnerScript), wrappers, busybox }, ctx);
	});
	if (plan.isEmpty) {
		void vscode.window.showInformationMessage(vscode.l10n.t('“{0}” is installed on {1} already: nothing is missing.', app, name));
		return;
	}
	let report: InstallReport;
	const shown = await services.documents.openText(vscode.l10n.t('Plan for {0}', app), describePlan(plan));
	try {
		await confirm(app, name, plan.steps.length);
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

async function confirm(app: string, server: string, steps: number): Promise<void> {
	const accept = vscode.l10n.t('Install');
	const detail = vscode.l10n.t(
		'{0} steps, shown in the editor behind this question. The project’s daemons are restarted. Files that are changed are backed up first, so that it can be undone.',
		steps,
	);
	if (
		(await vscode.window.showWarningMessage(
			vscode.l10n.t('Install “{0}” on {1}?', app, server),
			{ modal: true, detail },
			accept,
		)) !== accept
	) {
		throw abortError();
	}
}
