import { formatBytes, formatSeconds, plural } from '../../common/format.js';
import { expectedCores } from '../../job/resources.js';
import { architectureOf, isContainerClass } from '../../project/apps.js';
import { equipmentOf } from '../../project/ownPlanClasses.js';
import type { PlanClassConditions } from '../../project/planClassFile.js';
import type { SchedulingLimits } from '../../project/schedulingLimits.js';
import type { Platform } from '../../project/types.js';
import { gpuClassWords, gpusFor, hasGpu } from './hostGpus.js';
import type { HostRecord } from './hostRecord.js';

/** What a job asks of a host. */
export interface JobNeeds {
	readonly memoryBytes: number;
	readonly diskBytes: number;
	readonly fpopsEst: number;
	readonly delayBoundSeconds: number;
	/** Hosts and users that have had an instance of the job. */
	readonly triedHosts: ReadonlySet<number>;
	readonly triedUsers: ReadonlySet<number>;
}

/** A version of the app that the job may be run with. */
export interface UsableVersion {
	readonly id: number;
	readonly platform: string;
	readonly planClass: string;
	/** `undefined` when nobody defines the class; without a class, a class without conditions. */
	readonly conditions: PlanClassConditions | undefined;
}

/** What a host has used up already. */
export interface HostLoad {
	/** Instances that it has now. */
	readonly inProgress: number;
	/** By app version: jobs that it was sent today, and how many it may get a day and processor. */
	readonly today: ReadonlyMap<number, { readonly sent: number; readonly perDay: number }>;
}

/** In the order in which they are checked: a host counts where it fails first. */
export const CONDITIONS = [
	'blocked',
	'platform',
	'engine',
	'gpu',
	'plan class',
	'memory',
	'disk',
	'deadline',
	'earlier try',
	'quota',
	'busy',
] as const;
export type Condition = (typeof CONDITIONS)[number];

/** BOINC's default: the share of the memory that tasks may use while nobody works at the computer. */
const USABLE_MEMORY = 0.9;

export interface Requirements {
	readonly needs: JobNeeds;
	readonly versions: readonly UsableVersion[];
	readonly limits: SchedulingLimits;
	readonly load: ReadonlyMap<number, HostLoad>;
}

/** The first condition that the host fails, as the scheduler would find; `undefined` when it may get the job. */
export function failedCondition(host: HostRecord, { needs, versions, limits, load }: Requirements): Condition | undefined {
	if (host.blocked) {
		return 'blocked';
	}
	const here = versions.filter(({ platform }) => runsPlatform(host, platform));
	if (here.length === 0) {
		return 'platform';
	}
	const equipped = here.filter(({ planClass, conditions }) => hasEngine(host, planClass, conditions));
	if (equipped.length === 0) {
		return 'engine';
	}
	const withGpu = equipped.filter(({ conditions }) => hasGpu(host, conditions));
	if (withGpu.length === 0) {
		return 'gpu';
	}
	const fitting = withGpu.filter(({ conditions }) => conditions !== undefined && meets(host, conditions));
	if (fitting.length === 0) {
		return 'plan class';
	}
	if (needs.memoryBytes > host.memoryBytes * USABLE_MEMORY) {
		return 'memory';
	}
	if (needs.diskBytes > host.diskFreeBytes) {
		return 'disk';
	}
	const speed = Math.max(...fitting.map((version) => speedOf(host, version)));
	if (needs.fpopsEst / speed / host.activeFraction > needs.delayBoundSeconds) {
		return 'deadline';
	}
	if (
		(limits.oneResultPerUser && needs.triedUsers.has(host.userId)) ||
		((limits.oneResultPerHost || limits.oneResultPerUser) && needs.triedHosts.has(host.id))
	) {
		return 'earlier try';
	}
	return used(host, fitting, limits, load.get(host.id));
}

/** FLOPS that the scheduler expects before it has results. A host's speed is that of one processor. */
const speedOf = (host: HostRecord, { planClass, conditions }: UsableVersion): number =>
	host.flops * expectedCores(equipmentOf(planClass).cpus, conditions?.gpuType === undefined ? 0 : 1);

function used(
	host: HostRecord,
	versions: readonly UsableVersion[],
	limits: SchedulingLimits,
	load: HostLoad | undefined,
): Condition | undefined {
	if (limits.dailyQuota > 0 && load && versions.every(({ id }) => isUsedUp(load.today.get(id), host, limits))) {
		return 'quota';
	}
	// Jobs with a GPU have a limit of their own.
	const most = Math.max(...versions.map(({ conditions }) => mostInProgress(host, conditions, limits)));
	return load && load.inProgress >= most ? 'busy' : undefined;
}

function mostInProgress(host: HostRecord, conditions: UsableVersion['conditions'], limits: SchedulingLimits): number {
	const [each, units] =
		conditions?.gpuType === undefined
			? [limits.inProgress, host.processors]
			: [limits.inProgressGpu, gpusFor(host, conditions.gpuType)];
	return each > 0 ? each * units : Infinity;
}

function isUsedUp(
	today: { readonly sent: number; readonly perDay: number } | undefined,
	host: HostRecord,
	{ dailyQuota }: SchedulingLimits,
): boolean {
	const perDay = today && today.perDay > 0 ? Math.min(today.perDay, dailyQuota) : dailyQuota;
	return today !== undefined && today.sent >= perDay * host.processors;
}

const OS: Readonly<Record<string, HostRecord['os']>> = { linux: 'linux', windows: 'windows', apple: 'mac' };

/** The row of a host does not name its platform: the system and the maker of the processor tell. */
function runsPlatform(host: HostRecord, platform: string): boolean {
	const os = Object.entries(OS).find(([word]) => platform.includes(word))?.[1];
	if (os !== host.os) {
		return false;
	}
	const isArm = architectureOf(platform as Platform) === 'arm64' || platform.startsWith('aarch64');
	// Windows and macOS on ARM run programs for x86-64 too.
	return isArm ? host.architecture === 'arm64' : host.architecture === 'amd64' || host.os !== 'linux';
}

function hasEngine(host: HostRecord, planClass: string, conditions: PlanClassConditions | undefined): boolean {
	if (conditions?.docker ?? isContainerClass(planClass)) {
		return host.engine !== '' && !host.engineForbidden;
	}
	return conditions?.virtualbox === true ? host.virtualbox !== '' : true;
}

function meets(host: HostRecord, conditions: PlanClassConditions): boolean {
	const texts: readonly (readonly [string, string])[] = [
		[conditions.osRegex, host.osText],
		[conditions.vendorRegex, host.vendor],
		[conditions.modelRegex, host.model],
	];
	return (
		host.processors >= conditions.minNcpus &&
		(host.clientVersion === 0 || host.clientVersion >= conditions.minClientVersion) &&
		(conditions.maxClientVersion === 0 || host.clientVersion <= conditions.maxClientVersion) &&
		texts.every(([pattern, text]) => pattern === '' || matches(pattern, text))
	);
}

function matches(pattern: string, text: string): boolean {
	try {
		return new RegExp(pattern).test(text);
	} catch {
		return false; // a pattern that does not compile fits nothing
	}
}

/** What stands beside the number of hosts that are lost at a condition. */
export function conditionWords(condition: Condition, { needs, versions, limits }: Requirements): string {
	switch (condition) {
		case 'blocked':
			return 'the project blocked them (max_results_day is -1)';
		case 'platform':
			return `there is no app version for their kind of computer (there is one for ${[...new Set(versions.map(({ platform }) => platform))].join(', ')})`;
		case 'engine':
			return versions.some(({ conditions }) => conditions?.virtualbox)
				? 'they have neither Docker, Podman nor VirtualBox, or their volunteers forbid it'
				: 'they have neither Docker nor Podman, or their volunteers forbid it';
		case 'gpu':
			return `they have no ${gpuClassWords(versions)}`;
		case 'plan class':
			return `the plan class ${[...new Set(versions.map(({ planClass }) => planClass))].join(', ')} asks for more (client version, processors, system)`;
		case 'memory':
			return `they have too little memory: a job needs ${formatBytes(needs.memoryBytes)}, and tasks may use 90 % of what a host has`;
		case 'disk':
			return `they have too little disk: a job needs ${formatBytes(needs.diskBytes)}`;
		case 'deadline':
			return `they could not finish in time: the deadline is ${formatSeconds(needs.delayBoundSeconds)} after sending`;
		case 'earlier try':
			return 'they have had an instance of this job already, and the project wants different ones';
		case 'quota':
			return `they have used up their jobs of today (${plural(limits.dailyQuota, 'job')} for each processor; fewer after errors)`;
		case 'busy':
			return versions.some(({ conditions }) => conditions?.gpuType !== undefined)
				? `they have all the jobs that they may have at a time (${limits.inProgressGpu} for each GPU)`
				: `they have all the jobs that they may have at a time (${limits.inProgress} for each processor)`;
	}
}

/** What helps against the condition that costs most hosts. */
export function conditionRemedy(condition: Condition): string {
	switch (condition) {
		case 'blocked':
			return 'Unblock hosts on the project’s administrative pages.';
		case 'platform':
			return 'Install the app for more platforms, or do not pin jobs to one version.';
		case 'engine':
			return 'Ask volunteers to install Docker, Podman or VirtualBox, or install the app for virtual machines too.';
		case 'gpu':
			return 'Ask for less memory of the GPU, or write the program so that it can do without one and leave resources.gpu out.';
		case 'plan class':
			return 'Remove conditions that are not needed from plan_class_spec.xml.';
		case 'memory':
			return 'Lower the memory of the job in its job file.';
		case 'disk':
			return 'Lower the disk space of the job in its job file.';
		case 'deadline':
			return 'Set a later deadline or a smaller expected run time in the job file, or cut the work into smaller jobs.';
		case 'earlier try':
			return 'More volunteers are needed, or switch off one_result_per_user_per_wu in config.xml.';
		case 'quota':
			return 'Wait until tomorrow (UTC), or raise daily_result_quota in config.xml.';
		case 'busy':
			return 'Wait until they have finished some, or raise max_wus_in_progress in config.xml.';
	}
}
