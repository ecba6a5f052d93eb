import { formatSeconds, plural } from '../../common/format.js';
import { builtinConditions, readPlanClasses } from '../../project/planClassFile.js';
import type { Project } from '../../project/project.js';
import { readSchedulingLimits, type SchedulingLimits } from '../../project/schedulingLimits.js';
import type { Queries } from '../queries.js';
import { type Explanation, ofHosts } from './explanation.js';
import {
	type Condition,
	conditionRemedy,
	CONDITIONS,
	conditionWords,
	failedCondition,
	type HostLoad,
	type Requirements,
	type UsableVersion,
} from './hostConditions.js';
import { activeHosts, type HostRecord } from './hostRecord.js';
import type { JobFacts } from './jobFacts.js';

/** A host that has not been heard of for longer is not counted on. */
const ACTIVE_SECONDS = 7 * 86_400;
/** Most hosts that are looked at. */
const MOST_HOSTS = 5000;

/** The kind of job that most of the waiting jobs are. */
interface WaitingJob {
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

/** Why jobs that have unsent instances are not sent: the app, its versions, the hosts, and what is before them. Reads only. */
export async function explainHosts(
	project: Project,
	db: Queries,
	facts: JobFacts,
	now: number,
	signal?: AbortSignal,
): Promise<Explanation[]> {
	if (project.config.dontSendJobs === true) {
		return [
			{
				kind: 'sending-off',
				level: 'error',
				numbers: {},
				sentence: 'The project sends no jobs: config.xml has <dont_send_jobs>.',
				remedy: 'Remove that element.',
			},
		];
	}
	const job = await waitingJob(db, facts);
	if (!job) {
		return [];
	}
	const versions = await usableVersions(project, db, job);
	const unusable = withoutVersion(job, versions);
	if (unusable.length > 0) {
		return unusable;
	}
	const limits = await readSchedulingLimits(project);
	signal?.throwIfAborted();
	return [
		...(await explainQueue(db, facts, job, limits)),
		...(await explainFunnel(
			db,
			{
				needs: { ...job.needs, ...(await tries(db, facts)) },
				versions,
				limits,
				load: await loads(db, limits, versions),
			},
			now,
		)),
	];
}

async function waitingJob(db: Queries, { jobId, batchId }: JobFacts): Promise<WaitingJob | undefined> {
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

async function usableVersions(project: Project, db: Queries, job: WaitingJob): Promise<UsableVersion[]> {
	const rows = await db.select(
		`SELECT av.id, av.version_num, av.plan_class, p.name AS platform FROM app_version av JOIN platform p ON p.id = av.platformid
		WHERE av.appid = ? AND av.deprecated = 0 ORDER BY av.version_num DESC`,
		[job.appId],
	);
	const classes = await readPlanClasses(project);
	const none = builtinConditions('nci');
	return rows
		.filter((row) => job.versionNum === 0 || Number(row.version_num) === job.versionNum)
		.map((row) => {
			const planClass = String(row.plan_class);
			const conditions = classes ? classes.find(({ name }) => name === planClass) : builtinConditions(planClass);
			return { id: Number(row.id), platform: String(row.platform), planClass, conditions: planClass === '' ? none : conditions };
		});
}

function withoutVersion(job: WaitingJob, versions: readonly UsableVersion[]): Explanation[] {
	if (job.appDeprecated) {
		return [
			{
				kind: 'app-deprecated',
				level: 'error',
				numbers: {},
				sentence: `The app ${job.appName} is switched off (deprecated): its jobs are not sent.`,
				remedy: 'Install the app again, or switch it on on the project’s administrative pages and restart the daemons.',
			},
		];
	}
	if (versions.length === 0) {
		return [
			{
				kind: 'no-app-version',
				level: 'error',
				numbers: { versionNum: job.versionNum },
				sentence:
					job.versionNum > 0
						? `The jobs are for version ${(job.versionNum / 100).toFixed(2)} of the app ${job.appName}, which is not installed: no host gets them.`
						: `The app ${job.appName} has no version for any host: nobody can run its jobs.`,
				remedy: 'Install the app on this server again.',
			},
		];
	}
	const undefinedClasses = [...new Set(versions.filter(({ conditions }) => !conditions).map(({ planClass }) => planClass))];
	return versions.every(({ conditions }) => conditions === undefined)
		? [
				{
					kind: 'plan-class-undefined',
					level: 'error',
					numbers: { versions: versions.length },
					sentence: `Nobody defines the plan class ${undefinedClasses.join(', ')} of the app ${job.appName}: its versions are never sent.`,
					remedy: 'Install the app again: that defines the class in plan_class_spec.xml.',
				},
			]
		: [];
}

/** What the feeder offers before these jobs. */
async function explainQueue(
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

async function explainFunnel(db: Queries, requirements: Requirements, now: number): Promise<Explanation[]> {
	const hosts = await activeHosts(db, now - ACTIVE_SECONDS, MOST_HOSTS);
	if (hosts.length === 0) {
		const [row] = await db.select('SELECT COUNT(*) AS n, MAX(rpc_time) AS last FROM host');
		const known = Number(row?.n ?? 0);
		return [
			{
				kind: 'no-host',
				level: 'error',
				numbers: { hosts: 0, known },
				sentence:
					known === 0
						? 'No host has joined the project yet.'
						: `None of the project’s ${plural(known, 'host')} has asked for work in the last week; the last one did so ${formatSeconds(now - Number(row?.last ?? 0))} ago.`,
				remedy: 'Attach a BOINC client to the project, or ask volunteers to.',
			},
		];
	}
	return funnel(hosts, requirements, now);
}

/** Counts the hosts that are lost at each condition. Pure. */
export function funnel(hosts: readonly HostRecord[], requirements: Requirements, now: number): Explanation[] {
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
	const numbers = Object.fromEntries([
		['hosts', hosts.length],
		['fit', fit.length],
		...CONDITIONS.flatMap((condition) => (lost.has(condition) ? [[condition, lost.get(condition)]] : [])),
	]) as Record<string, number>;
	const losses = [...lost].sort((a, b) => b[1] - a[1]);
	const inOrder = [...lost].sort((a, b) => CONDITIONS.indexOf(a[0]) - CONDITIONS.indexOf(b[0]));
	const details = inOrder.map(([condition, count]) => `${plural(count, 'host')}: ${conditionWords(condition, requirements)}`);
	const [worst] = losses;
	const most = worst === undefined ? {} : { remedy: conditionRemedy(worst[0]), details };
	if (fit.length === 0) {
		return [
			{
				kind: 'no-host-fits',
				level: 'error',
				numbers,
				sentence: `No host can take ${hosts.length === 1 ? 'the job; the only host' : 'the jobs; all'} ${hosts.length === 1 ? '' : `${plural(hosts.length, 'host')} `}of the last week ${hosts.length === 1 ? 'is' : 'are'} lost at a condition.`,
				...most,
			},
		];
	}
	const last = formatSeconds(now - Math.max(...fit.map(({ lastContact }) => lastContact)));
	return [
		...(fit.length * 2 < hosts.length
			? [
					{
						kind: 'hosts-lost' as const,
						level: 'warning' as const,
						numbers,
						sentence: `Only ${ofHosts(fit.length, hosts.length)} of the last week can take these jobs.`,
						...most,
					},
				]
			: []),
		{
			kind: 'hosts-fit',
			level: 'info',
			numbers,
			sentence: `${ofHosts(fit.length, hosts.length).replace(/^./, (letter) => letter.toUpperCase())} of the last week can take these jobs, and ${fit.length === 1 ? 'gets' : 'get'} them when ${fit.length === 1 ? 'it asks' : 'they ask'} for work; the last contact was ${last} ago.`,
			...(worst !== undefined && fit.length * 2 >= hosts.length && { details }),
		},
	];
}

/** Hosts and users that have had an instance, for one job; a batch's jobs have different ones. */
async function tries(
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

async function loads(
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
	if (limits.inProgress > 0) {
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
