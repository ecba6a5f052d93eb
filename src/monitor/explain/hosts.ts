import type { Project } from '../../project/project.js';
import { readSchedulingLimits } from '../../project/schedulingLimits.js';
import type { Queries } from '../queries.js';
import type { Explanation } from './explanation.js';
import type { UsableVersion } from './hostConditions.js';
import { explainFunnel } from './hostFunnel.js';
import { loads, tries } from './hostLoads.js';
import { usableVersions } from './hostShare.js';
import type { JobFacts } from './jobFacts.js';
import { explainQueue, type WaitingJob, waitingJob } from './waitingJob.js';

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
	const versions = await usableVersions(project, db, job.appId, job.versionNum);
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
