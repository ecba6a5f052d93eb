import checkupScript from '../../templates/server/checkup.sh';
import { plural } from '../common/format.js';
import type { OperationContext } from '../common/ports.js';
import { run } from '../connection/run.js';
import { installedApps, isContainerClass } from './apps.js';
import { daemonApp, daemonProgram, daemonRole } from './daemonCommand.js';
import { daemonStatus, projectSwitch } from './daemons.js';
import type { Finding } from './doctor.js';
import { readText } from './install/survey.js';
import { missingTools } from './openProject.js';
import type { Project } from './project.js';

/** One look at one side of a project. A check that throws becomes a finding of its own. */
export type Check = (project: Project, ctx: OperationContext) => Promise<Finding[]>;

const ok = (what: string): Finding => ({ level: 'ok', what });
const warning = (what: string, remedy: string): Finding => ({ level: 'warning', what, remedy });
const error = (what: string, remedy: string): Finding => ({ level: 'error', what, remedy });

const GIB = 1024 * 1024;
/** Seconds by which clocks may differ before deadlines and side files suffer. */
const MAX_SKEW_SECONDS = 30;

/** Programs of the project and of the system. */
export const checkTools: Check = async (project, ctx) => {
	const { tools, commands } = await missingTools(project, ctx.signal);
	return [
		...(tools.length === 0
			? [ok('All programs of the project that we need are there.')]
			: [
					error(
						`The project lacks ${tools.map((tool) => `bin/${tool}`).join(', ')}.`,
						'Copy the programs from the BOINC server software (its “upgrade” script does it).',
					),
				]),
		...(commands.length === 0
			? []
			: [
					error(
						`The server lacks ${commands.join(', ')}, which BOINC’s programs call.`,
						'Install them (Debian: php-cli, python-is-python3, binutils, gzip), and check PATH of the account.',
					),
				]),
	];
};

/** Processes of `config.xml`, and whether each app has its two. */
export const checkDaemons: Check = async (project, ctx) => {
	const states = await daemonStatus(project, ctx.signal);
	const { stopped } = await projectSwitch(project, ctx.signal);
	const findings: Finding[] = stopped ? [error('The project is stopped.', `Run bin/start in ${project.root}.`)] : [];
	for (const state of states) {
		if (state.condition === 'dead') {
			findings.push(
				error(`The daemon “${state.command}” does not run.`, `Look at ${state.log}, then run bin/start in ${project.root}.`),
			);
		} else if (state.condition === 'elsewhere') {
			findings.push(
				warning(
					`The daemon “${state.command}” belongs to another machine.`,
					'Check <host> in config.xml: it must be the short name of the machine.',
				),
			);
		} else if (state.condition === 'disabled') {
			findings.push(warning(`The daemon “${state.command}” is disabled.`, 'Remove <disabled> from config.xml if it should run.'));
		}
	}
	for (const program of ['feeder', 'transitioner', 'file_deleter']) {
		if (!states.some((state) => daemonProgram(state.command) === program)) {
			findings.push(error(`The project has no ${program}.`, `Add <daemon><cmd>${program} -d 3</cmd></daemon> to config.xml.`));
		}
	}
	return findings.length === 0 ? [ok(`All ${states.length} daemons run.`)] : findings;
};

/** Free space, permissions, triggers, clock, cron, foreign entries in `apps/`. */
export const checkServer: Check = async (project, ctx) => {
	const { config, root } = project;
	const directories = [root, `${root}/templates`, `${root}/bin`, config.downloadDir, config.uploadDir, config.logDir];
	const { stdout } = await run(project.connection, ['sh', '-c', checkupScript, 'sh', root, ...directories], {
		doing: 'look at the disk and the clock',
		timeoutMs: 60_000,
		...(ctx.signal && { signal: ctx.signal }),
	});
	const lines = stdout.toString('utf8').split('\n');
	const values = (key: string): string[] =>
		lines.flatMap((line) => (line.startsWith(`${key} `) ? [line.slice(key.length + 1)] : []));
	return [
		...diskFindings(values('disk')),
		...values('absent').map((directory) =>
			error(`The folder ${directory} does not exist.`, 'Create it with the owner and mode that BOINC’s make_project gives it.'),
		),
		...values('unwritable')
			.filter((directory) => directory !== config.uploadDir && directory !== config.logDir)
			.map((directory) => warning(`This account may not write to ${directory}.`, 'Use the account that the project runs under.')),
		...triggerFindings(values('trigger'), root),
		...skewFindings(Number(values('time')[0]), ctx.clock.now() / 1000, 'this computer'),
		...(values('cron')[0] === 'yes'
			? []
			: [
					warning(
						'No cron entry of this account starts the project’s tasks.',
						`Add the line of the file *.cronjob in ${root} to the crontab; without it dead daemons stay dead.`,
					),
				]),
		...(await foreignEntries(project, values('entry'), ctx)),
	];
};

function diskFindings(disks: readonly string[]): Finding[] {
	const findings: Finding[] = [];
	let least = Number.POSITIVE_INFINITY;
	for (const disk of disks) {
		const [, free, percent, directory = ''] = /^(\d+) (\d+) (.*)$/.exec(disk) ?? [];
		least = Math.min(least, Number(free));
		const text = `${directory} has ${(Number(free) / GIB).toFixed(1)} GiB free (${percent ?? '?'} % used).`;
		if (Number(free) < 0.2 * GIB) {
			findings.push(error(text, 'Free some space: uploads and new jobs fail without it.'));
		} else if (Number(free) < 2 * GIB) {
			findings.push(warning(text, 'Free some space soon.'));
		}
	}
	return findings.length === 0 && Number.isFinite(least)
		? [ok(`At least ${(least / GIB).toFixed(1)} GiB of disk are free.`)]
		: findings;
}

function triggerFindings(triggers: readonly string[], root: string): Finding[] {
	return triggers.flatMap((trigger) => {
		const [name = '', age] = trigger.split(' ');
		if (name === 'reread_db') {
			return age === 'old'
				? [
						error(
							'The feeder does not read the tables again although it was asked to.',
							`Look at its log; then run bin/stop and bin/start in ${root}.`,
						),
					]
				: [];
		}
		const effects: Readonly<Record<string, string | undefined>> = {
			stop_sched: 'The scheduler tells clients that the project is down',
			stop_upload: 'Uploads are refused',
			stop_daemons: 'Daemons end as soon as they start',
		};
		return [error(`${effects[name] ?? 'The project is held'}: the file ${name} exists.`, `Run bin/start in ${root}.`)];
	});
}

function skewFindings(server: number, reference: number, name: string): Finding[] {
	const skew = Math.round(server - reference);
	return Math.abs(skew) <= MAX_SKEW_SECONDS
		? []
		: [
				warning(
					`The clock of the server is ${String(Math.abs(skew))} seconds ${skew > 0 ? 'ahead of' : 'behind'} that of ${name}.`,
					'Let both be set by NTP.',
				),
			];
}

async function foreignEntries(project: Project, entries: readonly string[], ctx: OperationContext): Promise<Finding[]> {
	const database = await project.database();
	const rows = await database.select<{ name: string }>('SELECT name FROM app', [], ctx.signal);
	return entries
		.filter((entry) => !rows.some((row) => row.name === entry))
		.map((entry) =>
			error(
				`apps/${entry} is no app of the project, so BOINC’s update_versions stops there.`,
				`Move ${project.root}/apps/${entry} away.`,
			),
		);
}

/** Plan classes that app versions use but nobody defines. */
export const checkPlanClasses: Check = async (project, ctx) => {
	const database = await project.database();
	const rows = await database.select<{ plan_class: string; name: string }>(
		"SELECT DISTINCT av.plan_class, a.name FROM app_version av JOIN app a ON a.id = av.appid WHERE av.deprecated = 0 AND a.deprecated = 0 AND av.plan_class <> ''",
		[],
		ctx.signal,
	);
	const text = await readText(project, 'plan_class_spec.xml');
	if (text === undefined) {
		return rows
			.filter((row) => isContainerClass(row.plan_class))
			.map((row) =>
				error(
					`The app ${row.name} gets no hosts: the plan class ${row.plan_class} is not defined.`,
					'Install the app again: that defines the class docker.',
				),
			);
	}
	const defined = new Set([...text.replace(/<!--.*?-->/gs, '').matchAll(/<name>\s*(.*?)\s*<\/name>/gs)].map((match) => match[1]));
	return rows
		.filter((row) => !defined.has(row.plan_class))
		.map((row) =>
			error(
				`The app ${row.name} has versions of the plan class ${row.plan_class}, which plan_class_spec.xml does not define: they are never sent.`,
				`Define ${row.plan_class} there.`,
			),
		);
};

/** Apps that run containers: do they have a validator and an assimilator? */
export const checkApps: Check = async (project, ctx) => {
	const apps = (await installedApps(project, ctx.signal)).filter(
		(app) => !app.deprecated && app.versions.some(({ runtime }) => runtime !== undefined),
	);
	if (apps.length === 0) {
		return [warning('No app of this project runs containers.', 'Install the app first.')];
	}
	return apps.flatMap((app) => {
		const roles = project.config.daemons
			.filter((entry) => daemonApp(entry.command) === app.name)
			.map((entry) => daemonRole(entry.command));
		return (['validator', 'assimilator'] as const)
			.filter((role) => !roles.includes(role))
			.map((role) =>
				error(
					`The app ${app.name} has no ${role}${role === 'validator' ? ': its results wait for validation for ever' : ': its results are not collected'}.`,
					'Install the app again, or add the daemon to config.xml.',
				),
			);
	});
};

/** What waits in the database for a daemon. */
export const checkBacklogs: Check = async (project, ctx) => {
	const database = await project.database();
	const [row] = await database.select<Record<'late' | 'validate' | 'assimilate' | 'deletable' | 'ready' | 'server_now', number>>(
		`SELECT (SELECT COUNT(*) FROM workunit WHERE transition_time < UNIX_TIMESTAMP() - 60) AS late,
		(SELECT COUNT(*) FROM workunit WHERE need_validate = 1 AND appid IN (SELECT id FROM app)) AS validate,
		(SELECT COUNT(*) FROM workunit WHERE assimilate_state = 1 AND appid IN (SELECT id FROM app)) AS assimilate,
		(SELECT COUNT(*) FROM workunit WHERE file_delete_state = 1) AS deletable,
		(SELECT COUNT(*) FROM result WHERE server_state = 2) AS ready, UNIX_TIMESTAMP() AS server_now`,
		[],
		ctx.signal,
	);
	if (!row) {
		return [];
	}
	const waiting = (count: number, what: string, daemon: string): Finding[] =>
		count === 0
			? []
			: [
					warning(
						`${plural(count, 'job')} ${count === 1 ? 'waits' : 'wait'} for ${what}.`,
						`If the number does not fall, look at the log of the ${daemon}.`,
					),
				];
	return [
		ok(`The database answers; ${String(row.ready)} instances are ready to be sent.`),
		...(row.late === 0
			? []
			: [
					error(
						`${String(row.late)} jobs are overdue for the transitioner.`,
						'It is dead or overloaded: look at its log, then run bin/start.',
					),
				]),
		...waiting(row.validate, 'validation', 'validator'),
		...waiting(row.assimilate, 'their results to be collected', 'assimilator'),
		...waiting(row.deletable, 'their files to be deleted', 'file_deleter'),
		...skewFindings(row.server_now, ctx.clock.now() / 1000, 'this computer').map((finding) => ({
			...finding,
			what: finding.what.replace('the server', 'the database'),
		})),
	];
};
