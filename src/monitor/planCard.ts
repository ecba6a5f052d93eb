import { formatBytes, formatSeconds, plural } from '../common/format.js';
import type { SubmissionPlan } from '../job/submissionPlan.js';
import type { NetworkPolicy } from '../job/types.js';
import { gpuWords } from '../project/gpu.js';
import type { Project } from '../project/project.js';
import { conditionWords } from './explain/hostConditions.js';
import { gpuWarnings } from './explain/hostGpus.js';
import { type HostShare, hostShare } from './explain/hostShare.js';

/** What a person looks at before a submission: once, and all of it. */
export interface PlanCard {
	readonly plan: SubmissionPlan;
	/** Hosts of the last week, and those of them that can take the jobs. */
	readonly hosts: { readonly active: number; readonly fit: number; readonly lost: Readonly<Record<string, number>> };
	readonly lines: readonly { readonly label: string; readonly value: string }[];
	/** What should make a person think, in sentences. */
	readonly warnings: readonly string[];
}

const NETWORK: Readonly<Record<NetworkPolicy, string>> = {
	none: 'no network; few privileges; limits on memory, disk and time',
	bridge: 'access to the Internet from their computers',
	host: 'their own network: also what listens on their computers',
};

/** Works the card of a submission out. Reads the project’s hosts. */
export async function planCard(project: Project, plan: SubmissionPlan): Promise<PlanCard> {
	return describeCard(plan, await hostShare(project, await project.database(), plan), project.name);
}

/** Puts a plan into words. Pure. */
export function describeCard(plan: SubmissionPlan, share: HostShare, projectName: string): PlanCard {
	const { resources, replication } = plan;
	const copies = replication.targetNresults > 1 ? ` in ${replication.targetNresults} copies each` : '';
	const quorum = replication.minQuorum > 1 ? `, of which ${replication.minQuorum} must agree` : '';
	return {
		plan,
		hosts: { active: share.active, fit: share.fit.length, lost: Object.fromEntries(share.lost) },
		lines: [
			{ label: 'Jobs', value: `${counted(plan.jobs, 'job')}${copies}${quorum}, app ${plan.app} of ${projectName}` },
			{
				label: 'Image',
				value: `${plan.image.id.slice(0, 12)} for ${plan.image.architecture}, ${formatBytes(plan.image.treeBytes)} unpacked`,
			},
			{ label: 'Upload', value: uploadWords(plan) },
			{
				label: 'Each host downloads',
				value: `${plan.image.newPacks > 0 ? 'about ' : ''}${formatBytes(plan.hostImageBytes)} once for the image, and ${formatBytes(plan.hostJobBytes)} for a job`,
			},
			{ label: 'Each job may use', value: jobWords(plan) },
			{
				label: 'Time',
				value: `${formatSeconds(resources.expectedSeconds)} on an ordinary computer, stopped after ${formatSeconds(resources.limitSeconds)}; ${hours(resources.expectedSeconds * plan.jobs * replication.minQuorum)} of computing in all`,
			},
			{
				label: 'Deadline and retries',
				value: `${formatSeconds(resources.delayBoundSeconds)} for a host to return a job; ${retryWords(plan)}`,
			},
			{ label: 'Hosts', value: hostWords(share) },
			{ label: 'Volunteers are asked for', value: NETWORK[plan.network] },
		],
		warnings: warningsOf(plan, share),
	};
}

/** The card as plain text, labels in a column. */
export function cardText({ lines, warnings }: PlanCard): string {
	const width = Math.max(...lines.map(({ label }) => label.length));
	return [
		...lines.map(({ label, value }) => `${label.padEnd(width)}  ${value}`),
		...warnings.map((text) => `Warning: ${text}`),
	].join('\n');
}

const counted = (count: number, noun: string): string => `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;

function uploadWords({ image, inputBytes, tableBytes }: SubmissionPlan): string {
	const packs =
		image.newPacks === 0
			? 'nothing of the image, which the server has'
			: `${plural(image.newPacks, 'pack')} of the image, about ${formatBytes(image.newPackedBytes)} (${formatBytes(image.newBytes)} before compression${image.keptPacks > 0 ? `; the server has ${image.keptPacks} more` : ''})`;
	const inputs = inputBytes > 0 ? `, at most ${formatBytes(inputBytes)} of inputs` : '';
	return `${packs}${inputs}, about ${formatBytes(tableBytes)} of parameters`;
}

/** BOINC asks hosts for more than the job may use where a virtual machine would take more. */
function jobWords({ resources, bounds, cpus, gpu, diskEstimated }: SubmissionPlan): string {
	const about = diskEstimated ? 'about ' : '';
	const asked = [
		...(bounds.rscMemoryBound > Math.ceil(resources.memoryBytes) ? [`${formatBytes(bounds.rscMemoryBound)} of memory`] : []),
		...(bounds.rscDiskBound > Math.ceil(resources.diskBytes) ? [`${about}${formatBytes(bounds.rscDiskBound)} of disk`] : []),
	];
	const host = asked.length === 0 ? '' : `; its host must have ${asked.join(' and ')}, with room for a virtual machine`;
	const processors = cpus === 1 ? '' : `${cpus} processors, `;
	const asksGpu = gpu ? `${gpuWords(gpu)}, ` : '';
	return `${asksGpu}${processors}${formatBytes(resources.memoryBytes)} of memory and ${about}${formatBytes(resources.diskBytes)} of disk${host}`;
}

/** Instances are copies where several hosts compute the same job, else tries. */
function retryWords({ replication }: SubmissionPlan): string {
	const { maxTotalResults, maxErrorResults, targetNresults, minQuorum } = replication;
	// BOINC ends a job when more instances than that have failed, or when no more may be made and too few are left to agree.
	const survived = Math.min(maxErrorResults, maxTotalResults - minQuorum);
	if (targetNresults > 1) {
		return maxTotalResults <= targetNresults
			? 'a copy that fails is not replaced'
			: `copies that fail are replaced; failure ${survived + 1} of a job is final, and it gets at most ${maxTotalResults} copies`;
	}
	return maxTotalResults <= 1
		? 'a job that fails is not tried again'
		: `a job that fails is tried again, up to ${plural(survived, 'time')}; one that hosts never return, until it had ${maxTotalResults} tries in all`;
}

function hours(seconds: number): string {
	const total = seconds / 3600;
	return total < 1 ? formatSeconds(seconds) : `${Math.round(total).toLocaleString('en')} h`;
}

function hostWords({ active, fit }: HostShare): string {
	return active === 0
		? 'none has asked for work in the last week'
		: `${fit.length} of the ${active} of the last week can take the jobs (${Math.round((100 * fit.length) / active)} %)`;
}

function warningsOf(
	{ jobs, replication, gpu, warnings }: SubmissionPlan,
	{ active, fit, lost, requirements }: HostShare,
): string[] {
	const details = [...lost].map(([condition, n]) => `${plural(n, 'host')}: ${conditionWords(condition, requirements)}.`);
	return [
		...(active > 0 && fit.length * 2 < active ? details : []),
		...(active > 0 && fit.length > 0 && fit.length < replication.minQuorum
			? [`${replication.minQuorum} hosts must agree on a result, and only ${fit.length} can take the jobs.`]
			: []),
		...(gpu ? gpuWarnings(fit, requirements) : []),
		...(jobs > 1 && replication.maxTotalResults === 1 ? ['The first failure of a job is final: nothing is tried again.'] : []),
		...warnings,
	];
}
