import { BoincError } from '../../common/errors.js';
import type { OperationContext } from '../../common/ports.js';
import { run } from '../../connection/run.js';
import { projectSwitch, restartDaemons } from '../daemons.js';
import type { Project } from '../project.js';
import { type Backup, openBackup } from './backup.js';
import { waitForFeeder } from './feeder.js';
import { withProjectLock } from './lock.js';

/** What an undo left, in plain sentences; empty when the files are as before and the rows are withdrawn. */
export interface UndoReport {
	readonly app: string;
	readonly remains: readonly string[];
}

/**
 * Takes an installation back: files from the backup (only our part of those that others changed since), app versions and a
 * new app marked as deprecated, daemons restarted. BOINC never deletes rows of apps and versions, and neither do we.
 * Rejects with `install-failed` when there is no such backup or it was undone before.
 */
export async function undoInstall(project: Project, backupId: string, ctx: OperationContext): Promise<UndoReport> {
	return withProjectLock(project, `undoing ${backupId}`, ctx, async () => {
		const backup = await openBackup(project, backupId);
		if (backup.manifest.state === 'undone') {
			throw new BoincError('install-failed', `The installation ${backupId} was undone before.`);
		}
		return { app: backup.manifest.app, remains: await takeBack(project, backup, ctx) };
	});
}

/** Restores files in reverse order and withdraws rows. Resolves to sentences about what could not be taken back. */
export async function takeBack(project: Project, backup: Backup, ctx: OperationContext): Promise<string[]> {
	const { files, versions, directories, app, app_id: appId } = backup.manifest;
	const { stopped } = await projectSwitch(project, ctx.signal);
	// Daemons that config.xml no longer has must end; what never got into it has not run. Who stopped the project means it.
	const restart = files.some((file) => file.name === 'config.xml') && !stopped;
	const remains: string[] = [];
	ctx.progress.report({ message: 'Restoring files' });
	for (let index = files.length - 1; index >= 0; index--) {
		const sentence = await backup.revert(index);
		if (sentence !== undefined) {
			remains.push(sentence);
		}
	}
	if (versions.length > 0) {
		await project.write('UPDATE app_version SET deprecated = 1 WHERE id IN (?)', [versions]);
	}
	if (appId !== undefined) {
		await project.write('UPDATE app SET deprecated = 1 WHERE id = ?', [appId]);
	}
	await removeDirectories(project, app, directories);
	await project.reload();
	if (restart) {
		await restartDaemons(project, ctx, () => false);
	}
	// A feeder reads the tables when it starts.
	if (!stopped && (versions.length > 0 || appId !== undefined)) {
		remains.push(...(await waitForFeeder(project, true, `the scheduler may still send jobs of ${app}`, ctx)));
	}
	await backup.note({ state: 'undone' });
	ctx.log.info(`took back ${backup.manifest.id} in ${project.name}`);
	return remains;
}

/** Version directories are ours to remove: their rows are withdrawn and clients fetch from `download/`. */
async function removeDirectories(project: Project, app: string, directories: readonly string[]): Promise<void> {
	if (directories.length === 0) {
		return;
	}
	// Parents go only when nothing else is in them.
	const script =
		'for d; do rm -rf -- "$d" || exit 1; rmdir -- "${d%/*}" 2>/dev/null; done; rmdir -- "apps/$APP" 2>/dev/null; exit 0';
	await run(project.connection, ['sh', '-c', script, 'sh', ...directories.map((directory) => `./${directory}`)], {
		doing: `remove the app versions from ${project.root}/apps/${app}`,
		cwd: project.root,
		env: { APP: app },
	});
}
