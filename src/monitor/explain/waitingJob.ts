import { plural } from '../../common/format.js';
import type { SchedulingLimits } from '../../project/schedulingLimits.js';
import type { Queries } from '../queries.js';
import type { Explanation } from './explanation.js';
import type { Requirements } from './hostConditions.js';
import type { JobFacts } from './jobFacts.js';

/** The kind of job that most of the waiting jobs are. */
export interface WaitingJob {
	readonly appId: number;
	readonly appName: string;
	readonly appDeprecated: boolean;
	/** > 0: the job is for this version number only. */
	readonly versionNum: number;
	readonly priority: number;
	/** The oldest one's id. */
	readonly id: number;
	readonly needs: Pick<Requirements['needs'], 'memoryBytes' | 'diskBytes' | 'fpopsEst' | 'delayBoundSeconds'>;
}

/** That kind of job; `undefined` when none is open. */
export async function waitingJob(db: Queries, { jobId, batchId }: JobFacts): Promise<WaitingJob | undefined> {
	const [row] = await db.select(
		`SELECT w.appid, w.rsc_memory_bound, w.rsc_disk_bound, w.rsc_fpops_est, w.delay_bound, w.app_version_num, w.priority,
			MIN(w.id) AS id, COUNT(*) AS n, MIN(a.name) AS app_name, MIN(a.deprecated) AS app_deprecated
		FROM workunit w JOIN app a ON a.id = w.appid
		WHERE ${jobId === undefined ? 'w.batch' : 'w.id'} = ? AND w.canonical_resultid = 0 AND w.error_mask = 0
		GROUP BY w.appid, w.rsc_memory_bound, w.rsc_disk_bound, w.rsc_fpops_est, w.delay_bound, w.app_version_num, w.priority
		ORDER BY n DESC LIMIT 1`,
		[jobId ?? batchId],
	);
	return (
		row && {
			appId: Number(row.appid),
			appName: String(row.app_name),
			appDeprecated: Number(row.app_deprecated) !== 0,
			versionNum: Number(row.app_version_num),
			priority: Number(row.priority),
			id: Number(row.id),
			needs: {
				memoryBytes: Number(row.rsc_memory_bound),
				diskBytes: Number(row.rsc_disk_bound),
				fpopsEst: Number(row.rsc_fpops_est),
				delayBoundSeconds: Number(row.delay_bound),
			},
		}
	);
}

/** What the feeder offers before these jobs. */
export async function explainQueue(
	db: Queries,
	{ batchId, jobId }: JobFacts,
	job: WaitingJob,
	{ feederSlots }: SchedulingLimits,
): Promise<Explanation[]> {
	const [row] = await db.select(
		`SELECT COUNT(*) AS ahead, COALESCE(SUM(r.appid <> ?), 0) AS foreign_apps FROM result r
		WHERE r.server_state = 2 AND (r.priority > ? OR (r.priority = ? AND r.workunitid < ?)) AND (r.batch <> ? OR ?)`,
		[job.appId, job.priority, job.priority, job.id, batchId, jobId === undefined ? 0 : 1],
	);
	const [ahead, foreignApps] = [Number(row?.ahead ?? 0), Number(row?.foreign_apps ?? 0)];
	if (ahead === 0) {
		return [];
	}
	const full = ahead >= feederSlots;
	const others = foreignApps > 0 ? `, ${foreignApps} of them of other apps` : '';
	return [
		{
			kind: 'queue-ahead',
			level: full ? 'warning' : 'info',
			numbers: { ahead, foreignApps, feederSlots },
			sentence: `${plural(ahead, 'instance')} ${ahead === 1 ? 'is' : 'are'} before ${jobId === undefined ? 'these jobs' : 'this job'} in the queue${others}; the feeder offers ${feederSlots} at a time${full ? ', so it is full and these wait' : ''}.`,
			...(full && {
				remedy:
					foreignApps >= feederSlots
						? 'If no host takes the others, start the feeder with --allapps, so that each app gets its share; or raise the priority.'
						: 'Raise the priority of these jobs, or wait.',
			}),
		},
	];
}
