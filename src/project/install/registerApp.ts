import { BoincError } from '../../common/errors.js';
import type { OperationContext } from '../../common/ports.js';
import type { Project } from '../project.js';
import type { InstallPlan } from './plan.js';

interface AppFacts {
	readonly id: number;
	readonly user_friendly_name: string;
	readonly min_version: number;
	readonly deprecated: number;
}

async function findApp(project: Project, name: string): Promise<AppFacts | undefined> {
	const database = await project.database();
	const rows = await database.select<AppFacts>('SELECT id, user_friendly_name, min_version, deprecated FROM app WHERE name = ?', [
		name,
	]);
	return rows[0];
}

/** `app.id`. Rejects with `app-missing`. */
export async function appId(project: Project, name: string): Promise<number> {
	const app = await findApp(project, name);
	if (!app) {
		throw new BoincError('app-missing', `The project ${project.name} has no app ${name}.`, { detail: { app: name } });
	}
	return app.id;
}

/**
 * Runs `bin/xadd` until the app's row is as planned. One run inserts the row, a second sets `min_version`, which BOINC
 * ignores on insert. Rejects with `install-failed`: xadd itself says "added" whether or not it worked.
 */
export async function registerApp(project: Project, plan: InstallPlan, ctx: OperationContext): Promise<number> {
	ctx.progress.report({ message: `Bringing the app ${plan.app} into the database` });
	let output = '';
	for (let attempt = 0; attempt < 3; attempt++) {
		const { stdout, stderr } = await project.connection.exec([project.tool('xadd')], {
			cwd: project.root,
			timeoutMs: 120_000,
			...(ctx.signal && { signal: ctx.signal }),
		});
		output = `${stdout.toString('utf8')}\n${stderr.toString('utf8')}`.trim();
		ctx.log.debug(`xadd: ${output}`);
		const app = await findApp(project, plan.app);
		const wish = plan.appRow;
		if (app && (!wish || (app.user_friendly_name === wish.friendlyName && app.min_version === wish.minVersion))) {
			await requirePlatforms(project, plan, output);
			if (app.deprecated !== 0) {
				await project.write('UPDATE app SET deprecated = 0 WHERE id = ?', [app.id]);
			}
			return app.id;
		}
	}
	throw new BoincError(
		'install-failed',
		`The app ${plan.app} did not get into the database of ${project.name} as planned. BOINC’s xadd says: ${said(output)}`,
		{
			detail: { output: said(output) },
		},
	);
}

async function requirePlatforms(project: Project, plan: InstallPlan, output: string): Promise<void> {
	const database = await project.database();
	const rows = await database.select<{ name: string }>('SELECT name FROM platform WHERE name IN (?)', [[...plan.platforms]]);
	const missing = plan.platforms.filter((name) => !rows.some((row) => row.name === name));
	if (missing.length > 0) {
		throw new BoincError(
			'install-failed',
			`The platforms ${missing.join(', ')} did not get into the database of ${project.name}. BOINC’s xadd says: ${said(output)}`,
		);
	}
}

function said(output: string): string {
	return output.split('\n').slice(-4).join(' ').trim() || 'nothing';
}
