import { plural } from '../../common/format.js';
import { daemonApp, daemonProgram, daemonRole } from '../../project/daemonCommand.js';
import { daemonStatus, projectSwitch } from '../../project/daemons.js';
import type { Project } from '../../project/project.js';
import type { Explanation } from './explanation.js';
import type { JobFacts } from './jobFacts.js';

/** What jobs wait for while a daemon that all apps share does not run. */
const COMMON: Readonly<Record<string, string | undefined>> = {
	feeder: 'hosts that ask for work are told to come back in an hour',
	transitioner: 'new jobs get no instances, failed ones no further try, and nothing is validated',
};

/** The stopped project, and daemons whose work these jobs need now. Reads only. */
export async function explainDaemons(project: Project, facts: JobFacts, signal?: AbortSignal): Promise<Explanation[]> {
	const start = `Run bin/start in ${project.root}.`;
	const { stopped } = await projectSwitch(project, signal);
	if (stopped) {
		return [
			{
				kind: 'project-stopped',
				level: 'error',
				numbers: { jobs: facts.total },
				sentence: 'The project is stopped: hosts are told that it is down, and no daemon runs.',
				remedy: start,
			},
		];
	}
	const app = await appName(project, facts.appId, signal);
	const { counts } = facts;
	const needs = {
		validator:
			counts.validating > 0 ? `${plural(counts.validating, 'job')} finished on a host and wait for validation` : undefined,
		assimilator: counts.collecting > 0 ? `the results of ${plural(counts.collecting, 'job')} wait to be collected` : undefined,
	};
	const found: Explanation[] = [];
	for (const state of await daemonStatus(project, signal)) {
		const role = daemonRole(state.command);
		const effect =
			COMMON[daemonProgram(state.command)] ?? (daemonApp(state.command) === app && role !== undefined ? needs[role] : undefined);
		if (effect !== undefined && (state.condition === 'dead' || state.condition === 'disabled')) {
			found.push({
				kind: 'daemon-down',
				level: 'error',
				numbers: { jobs: facts.total },
				sentence: `The daemon “${state.command}” ${state.condition === 'dead' ? 'does not run' : 'is disabled'}: ${effect}.`,
				remedy: state.condition === 'dead' ? `Look at ${state.log}. ${start}` : 'Remove <disabled> from its entry in config.xml.',
			});
		}
	}
	return [...found, ...missing(project, app, needs)];
}

/** A validator or assimilator that nobody configured. */
function missing(
	project: Project,
	app: string,
	needs: Readonly<Record<'validator' | 'assimilator', string | undefined>>,
): Explanation[] {
	const roles = project.config.daemons
		.filter(({ command }) => daemonApp(command) === app)
		.map(({ command }) => daemonRole(command));
	return (['validator', 'assimilator'] as const).flatMap((role) =>
		needs[role] === undefined || roles.includes(role)
			? []
			: [
					{
						kind: role === 'validator' ? ('no-validator' as const) : ('no-assimilator' as const),
						level: 'error' as const,
						numbers: {},
						sentence: `The app ${app} has no ${role}: ${needs[role]} for ever.`,
						remedy: 'Install the app again, or add the daemon to config.xml.',
					},
				],
	);
}

async function appName(project: Project, appId: number, signal: AbortSignal | undefined): Promise<string> {
	const db = await project.database();
	const [row] = await db.select<{ name: string }>('SELECT name FROM app WHERE id = ?', [appId], signal);
	return row?.name ?? '';
}
