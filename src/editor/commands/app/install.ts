import * as vscode from 'vscode';

import { abortError, BoincError } from '../../../common/errors.js';
import type { CommandId } from '../../../common/ids.js';
import type { InstallPlan, InstallReport } from '../../../project/install/plan.js';
import { formatPlan } from '../../documents/formatPlan.js';
import { pickOne } from '../../quickInput/wizard.js';
import type { Server } from '../../servers/server.js';
import type { ServerModel } from '../../servers/serverModel.js';
import type { Services } from '../../services.js';
import { chooseServer } from '../chooseServer.js';
import { askSigningKey } from './askSigningKey.js';
import { askWhatToInstall, type InstallWish } from './askWhatToInstall.js';
import { wishOfFile } from './installFile.js';

/** Plans the installation of the app, shows the plan, applies it after a question, and reports what was verified. */
export async function installApp(services: Services, item?: unknown): Promise<void> {
	const title = vscode.l10n.t('Install App');
	const model = await chooseServer(services, title, item);
	const wish = (await wishOfFile(services, title)) ?? (await askWhatToInstall(services));
	const { app } = wish;
	const { name } = model.server;
	const plan = await planWith(services, model, wish).catch(async (error: unknown) => {
		if (!lacksKey(error)) {
			throw error;
		}
		services.log.warn(error.message);
		return planWith(services, model, wish, await askSigningKey(title, error));
	});
	if (plan.isEmpty) {
		void vscode.window.showInformationMessage(vscode.l10n.t('“{0}” is installed on {1} already: nothing is missing.', app, name));
		return;
	}
	const { applyInstall } = await services.core();
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
	tell(model.server, app, report);
}

async function planWith(services: Services, model: ServerModel, wish: InstallWish, signingKey?: string): Promise<InstallPlan> {
	const { app, friendlyName, sources, more, busybox, platforms, keepIn } = wish;
	const { busyboxSources, contentOfBytes, planInstall, programsFor, runnerScript } = await services.core();
	return services.operation(vscode.l10n.t('Planning the installation on {0}', model.server.name), async (ctx) => {
		const project = await model.project(ctx.signal);
		const { notes, ...programs } = await programsFor(sources, ctx, {
			pinFile: services.pinFile,
			server: project.connection,
			...(busybox && { busybox: busyboxSources(busybox) }),
			...(platforms && { platforms }),
			...(keepIn !== undefined && { keepIn }),
		});
		for (const note of notes) {
			services.log.warn(note);
		}
		const key = signingKey === undefined ? {} : { signingKey };
		return planInstall(project, { app, friendlyName, runner: contentOfBytes(runnerScript), ...more, ...programs, ...key }, ctx);
	});
}

/** Whether the plan failed because the server has no key to sign with. */
function lacksKey(error: unknown): error is BoincError {
	return BoincError.is(error, 'install-failed') && (error.detail.key === 'absent' || error.detail.key === 'unreadable');
}

/** The way back stays in the notification as long as that does. */
function tell(server: Server, app: string, { backupId }: InstallReport): void {
	const undo = vscode.l10n.t('Undo');
	const text = vscode.l10n.t('“{0}” is installed on {1} and its daemons run.', app, server.name);
	vscode.window.showInformationMessage(text, ...(backupId === undefined ? [] : [undo])).then(
		(choice) =>
			choice === undo &&
			vscode.commands.executeCommand('boinc2docker.app.undoInstall' satisfies CommandId, { serverId: server.id, backupId, app }),
		() => undefined, // the window is closing
	);
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
