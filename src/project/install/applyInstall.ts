import { BoincError, isAbort, messageOf, throwIfAborted } from '../../common/errors.js';
import type { OperationContext } from '../../common/ports.js';
import { makeDirectory } from '../../connection/files.js';
import { type DaemonState, daemonStatus, restartDaemons, startDaemons } from '../daemons.js';
import type { Project } from '../project.js';
import { type Backup, beginBackup } from './backup.js';
import { waitForFeeder } from './feeder.js';
import { withProjectLock } from './lock.js';
import { isNeededBy } from './neededDaemons.js';
import { incomingDirectory, placeVersions } from './placeVersions.js';
import type { InstallPlan, InstallReport } from './plan.js';
import { appId, registerApp } from './registerApp.js';
import { findRows, type RegisteredVersion, registerVersions } from './registerVersions.js';
import { takeBack } from './undoInstall.js';

/**
 * Carries a plan out and verifies each part in the database, on disk and among the processes. After a failure files go
 * back to what they were and added rows are withdrawn; the error says so, and what remains. Rejects with
 * `install-failed`, `conflicting-change`, `daemon-down` and others.
 */
export async function applyInstall(project: Project, plan: InstallPlan, ctx: OperationContext): Promise<InstallReport> {
	if (plan.isEmpty) {
		const states = await daemonStatus(project, ctx.signal);
		return {
			app: plan.app,
			appId: await appId(project, plan.app),
			backupId: undefined,
			versions: [],
			daemons: states,
			notes: ['Nothing had to be done.'],
		};
	}
	return withProjectLock(project, `installing the app ${plan.app}`, ctx, async () => {
		const backup = await beginBackup(project, plan.app, ctx);
		try {
			return await carryOut(project, plan, backup, ctx);
		} catch (error) {
			throw await afterFailure(project, plan, backup, error, ctx);
		}
	});
}

async function carryOut(project: Project, plan: InstallPlan, backup: Backup, ctx: OperationContext): Promise<InstallReport> {
	for (const file of plan.files) {
		throwIfAborted(ctx.signal);
		ctx.progress.report({ message: `Changing ${file.name}` });
		await backup.apply(file);
	}
	const needsRow = plan.appRow !== undefined || plan.files.some((file) => file.name === 'project.xml');
	const id = needsRow ? await registerApp(project, plan, ctx) : await appId(project, plan.app);
	if (plan.appRow?.isNew || plan.appRow?.revive) {
		await backup.note({ app_id: id });
	}
	await makeDirectory(project.connection, plan.resultsDir);
	const versions = plan.versions.length > 0 ? await addVersions(project, plan, id, backup, ctx) : [];
	if (plan.config) {
		ctx.progress.report({ message: 'Changing config.xml' });
		await backup.apply(plan.config);
		await project.reload();
	}
	const daemons = await bringUp(project, plan, ctx);
	const changed = needsRow || versions.length > 0;
	const notes = await waitForFeeder(project, changed, 'the scheduler may not know the app yet', ctx);
	await backup.note({ state: 'applied' });
	ctx.log.info(`installed ${plan.app} in ${project.name}: ${versions.length} app versions, backup ${backup.manifest.id}`);
	return { app: plan.app, appId: id, backupId: backup.manifest.id, versions, daemons, notes: [...notes, ...plan.warnings] };
}

async function addVersions(
	project: Project,
	plan: InstallPlan,
	id: number,
	backup: Backup,
	ctx: OperationContext,
): Promise<RegisteredVersion[]> {
	const { id: backupId } = backup.manifest;
	const base = `apps/${plan.app}`;
	await backup.note({
		directories: [`${base}/${incomingDirectory(backupId)}`, ...plan.versions.map((version) => `${base}/${version.directory}`)],
	});
	await placeVersions(project, plan.app, plan.versions, backupId, ctx);
	const registered = await registerVersions(project, id, plan.versions, ctx);
	await backup.note({ versions: registered.map((version) => version.id) });
	return registered;
}

async function bringUp(project: Project, plan: InstallPlan, ctx: OperationContext): Promise<DaemonState[]> {
	const needed = isNeededBy(plan.app);
	if (plan.daemons === 'nothing') {
		return daemonStatus(project, ctx.signal);
	}
	return plan.daemons === 'restart' ? restartDaemons(project, ctx, needed) : startDaemons(project, ctx, needed);
}

/** Takes everything back, also when the cause is that somebody cancelled: that must not cancel the clean-up. */
async function afterFailure(
	project: Project,
	plan: InstallPlan,
	backup: Backup,
	error: unknown,
	ctx: OperationContext,
): Promise<Error> {
	const cleanUp: OperationContext = { log: ctx.log, progress: ctx.progress, clock: ctx.clock };
	let remains: string[];
	try {
		// Rows may exist although their registration was not seen through.
		const row = await appId(project, plan.app).catch(() => undefined);
		if (row !== undefined && plan.versions.length > 0) {
			const rows = await findRows(project, row, plan.versions);
			await backup.note({ versions: [...new Set([...backup.manifest.versions, ...rows.map((each) => each.id)])] });
		}
		remains = await takeBack(project, backup, cleanUp);
	} catch (failure) {
		remains = [`The clean-up failed too: ${messageOf(failure)}`, `Undo it with the backup ${backup.manifest.id}.`];
	}
	const rest = remains.length === 0 ? 'Everything was taken back.' : remains.join(' ');
	if (isAbort(error) && remains.length === 0) {
		return error instanceof Error ? error : new Error('Cancelled');
	}
	ctx.log.error(`installing ${plan.app} in ${project.name} failed: ${messageOf(error)} ${rest}`);
	if (BoincError.is(error)) {
		return new BoincError(error.code, `${error.message} ${rest}`, {
			...(error.remedy !== undefined && { remedy: error.remedy }),
			detail: { ...error.detail, backup: backup.manifest.id },
			cause: error,
		});
	}
	return new BoincError('install-failed', `Installing ${plan.app} in ${project.name} failed: ${messageOf(error)}. ${rest}`, {
		detail: { backup: backup.manifest.id },
		cause: error,
	});
}
