import type { SchedulingLimits } from '../../project/schedulingLimits.js';
import type { Queries } from '../queries.js';
import type { HostLoad, UsableVersion } from './hostConditions.js';
import type { JobFacts } from './jobFacts.js';

/** Hosts and users that have had an instance, for one job; a batch's jobs have different ones. */
export async function tries(
	db: Queries,
	{ jobId }: JobFacts,
): Promise<{ readonly triedHosts: ReadonlySet<number>; readonly triedUsers: ReadonlySet<number> }> {
	const rows =
		jobId === undefined ? [] : await db.select('SELECT hostid, userid FROM result WHERE workunitid = ? AND hostid > 0', [jobId]);
	return {
		triedHosts: new Set(rows.map(({ hostid }) => Number(hostid))),
		triedUsers: new Set(rows.map(({ userid }) => Number(userid))),
	};
}

/** What hosts have to do already, as far as the project limits it. */
export async function loads(
	db: Queries,
	limits: SchedulingLimits,
	versions: readonly UsableVersion[],
): Promise<ReadonlyMap<number, HostLoad>> {
	const found = new Map<number, { inProgress: number; today: Map<number, { sent: number; perDay: number }> }>();
	const of = (hostId: number): { inProgress: number; today: Map<number, { sent: number; perDay: number }> } => {
		const load = found.get(hostId) ?? { inProgress: 0, today: new Map() };
		found.set(hostId, load);
		return load;
	};
	if (limits.inProgress > 0 || limits.inProgressGpu > 0) {
		for (const row of await db.select('SELECT hostid, COUNT(*) AS n FROM result WHERE server_state = 4 GROUP BY hostid')) {
			of(Number(row.hostid)).inProgress = Number(row.n);
		}
	}
	if (limits.dailyQuota > 0) {
		const ids = versions.map(({ id }) => id);
		for (const row of await db.select(
			`SELECT host_id, app_version_id, n_jobs_today, max_jobs_per_day FROM host_app_version
			WHERE app_version_id IN (${ids.map(() => '?').join(', ')}) AND n_jobs_today > 0`,
			ids,
		)) {
			of(Number(row.host_id)).today.set(Number(row.app_version_id), {
				sent: Number(row.n_jobs_today),
				perDay: Number(row.max_jobs_per_day),
			});
		}
	}
	return found;
}
