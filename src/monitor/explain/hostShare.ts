import type { SubmissionPlan } from '../../job/submissionPlan.js';
import { builtinConditions, readPlanClasses } from '../../project/planClassFile.js';
import type { Project } from '../../project/project.js';
import { readSchedulingLimits } from '../../project/schedulingLimits.js';
import { type Queries, serverTime } from '../queries.js';
import { type Condition, CONDITIONS, failedCondition, type Requirements, type UsableVersion } from './hostConditions.js';
import { activeHosts, type HostRecord } from './hostRecord.js';

/** A host that has not been heard of for longer is not counted on. */
export const ACTIVE_SECONDS = 7 * 86_400;
/** Most hosts that are looked at. */
export const MOST_HOSTS = 5000;

/** Hosts that can take a job, and how many are lost at which condition. */
export interface HostCount {
	readonly fit: readonly HostRecord[];
	/** In the order of `CONDITIONS`. */
	readonly lost: ReadonlyMap<Condition, number>;
}

/** Counts the hosts that are lost at each condition. Pure. */
export function countHosts(hosts: readonly HostRecord[], requirements: Requirements): HostCount {
	const lost = new Map<Condition, number>();
	const fit: HostRecord[] = [];
	for (const host of hosts) {
		const failed = failedCondition(host, requirements);
		if (failed === undefined) {
			fit.push(host);
		} else {
			lost.set(failed, (lost.get(failed) ?? 0) + 1);
		}
	}
	return { fit, lost: new Map([...lost].sort((a, b) => CONDITIONS.indexOf(a[0]) - CONDITIONS.indexOf(b[0]))) };
}

/** The versions of an app that a job may be run with; with `versionNum` above 0 those of that number. */
export async function usableVersions(project: Project, db: Queries, appId: number, versionNum: number): Promise<UsableVersion[]> {
	const rows = await db.select(
		`SELECT av.id, av.version_num, av.plan_class, p.name AS platform FROM app_version av JOIN platform p ON p.id = av.platformid
		WHERE av.appid = ? AND av.deprecated = 0 ORDER BY av.version_num DESC`,
		[appId],
	);
	const classes = await readPlanClasses(project);
	const none = builtinConditions('nci');
	return rows
		.filter((row) => versionNum === 0 || Number(row.version_num) === versionNum)
		.map((row) => {
			const planClass = String(row.plan_class);
			const conditions = classes ? classes.find(({ name }) => name === planClass) : builtinConditions(planClass);
			return { id: Number(row.id), platform: String(row.platform), planClass, conditions: planClass === '' ? none : conditions };
		});
}

/** Which of the hosts of the last week could take jobs that are not submitted yet. */
export interface HostShare extends HostCount {
	/** Hosts of the last week. */
	readonly active: number;
	readonly requirements: Requirements;
}

/** Compares the needs of a submission with the project's hosts. What hosts have to do at present is left out. Reads only. */
export async function hostShare(project: Project, db: Queries, plan: SubmissionPlan): Promise<HostShare> {
	const [app] = await db.select('SELECT id FROM app WHERE name = ?', [plan.app]);
	const { bounds } = plan;
	const requirements: Requirements = {
		needs: {
			memoryBytes: bounds.rscMemoryBound,
			diskBytes: bounds.rscDiskBound,
			fpopsEst: bounds.rscFpopsEst,
			delayBoundSeconds: bounds.delayBound,
			...{ triedHosts: new Set(), triedUsers: new Set() },
		},
		versions: await usableVersions(project, db, Number(app?.id ?? 0), plan.versionNum),
		limits: { ...(await readSchedulingLimits(project)), dailyQuota: 0, inProgress: 0, inProgressGpu: 0 },
		load: new Map(),
	};
	const hosts = await activeHosts(db, (await serverTime(db)) - ACTIVE_SECONDS, MOST_HOSTS);
	return { ...countHosts(hosts, requirements), active: hosts.length, requirements };
}
