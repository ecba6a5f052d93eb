import { type Database, numberOf } from '../../database.js';
import { type Capacity, hostFlops, type HostUsage } from './capacity.js';
import type { App, AppVersion } from './catalog.js';
import { checkPlanClass } from './planClasses.js';
import { dailyQuota } from './quota.js';
import type { GpuKind } from './request.js';
import type { Session } from './session.js';

export interface ChosenVersion {
	readonly version: AppVersion;
	/** With the speed by which the time of a job is estimated. */
	readonly usage: HostUsage;
}

export interface VersionJob {
	readonly workunitId: number;
	readonly batch: number;
	/** More than 0: only this version number. */
	readonly appVersionNum: number;
	/** More than 0, with homogeneous app versions: only this version. */
	readonly appVersionId: number;
}

/**
 * The version of `app` that suits the host best for a job: highest expected speed, then the order of the client's
 * platforms, then the newest. Why nothing suits goes into `reasons`. `wanted` says whether the client wants work for what a version uses.
 */
export async function chooseVersion(
	session: Session,
	app: App,
	job: VersionJob,
	reasons: Set<string>,
	wanted: (usage: HostUsage) => boolean = () => true,
): Promise<ChosenVersion | undefined> {
	let best: ChosenVersion | undefined;
	let fitting = 0;
	for (const platformId of session.platformIds) {
		for (const version of session.catalog.versions) {
			if (version.appId !== app.id || version.platformId !== platformId || !isWanted(version, app, job)) {
				continue;
			}
			fitting++;
			const usage = await usable(session, version, job, reasons);
			if (usage && wanted(usage) && (!best || usage.flops > best.usage.flops)) {
				best = { version, usage };
			}
		}
	}
	if (fitting === 0) {
		reasons.add(`${app.friendlyName} is not available for your type of computer.`);
	}
	return best && { ...best, usage: { ...best.usage, flops: cautiousFlops(session.capacity, best.usage) } };
}

/** As many cores of its host the stock scheduler takes a GPU for. */
const GPU_CORES = 10;

/**
 * The speed that the stock scheduler expects of a version that it has no results of, whatever its class says: the class only counts for
 * the choice among versions.
 */
const cautiousFlops = (capacity: Capacity, { avgNcpus, gpu }: HostUsage): number =>
	hostFlops(capacity) * (avgNcpus + GPU_CORES * (gpu?.count ?? 0));

function isWanted(version: AppVersion, app: App, job: VersionJob): boolean {
	if (job.appVersionNum > 0 && version.versionNum !== job.appVersionNum) {
		return false;
	}
	return !(app.homogeneousAppVersion && job.appVersionId > 0 && version.id !== job.appVersionId);
}

async function usable(
	session: Session,
	version: AppVersion,
	job: VersionJob,
	reasons: Set<string>,
): Promise<HostUsage | undefined> {
	const client = session.request.clientVersion;
	if (client < version.minCoreVersion || (version.maxCoreVersion > 0 && client > version.maxCoreVersion)) {
		reasons.add('Newer BOINC version required; please install current version');
		return undefined;
	}
	const answer = checkPlanClass(version.planClass, session.planClasses, session.capacity, job);
	if (!answer.fits) {
		if (answer.message !== undefined) {
			reasons.add(answer.message);
		}
		return undefined;
	}
	const { gpu } = answer.usage;
	const units = gpu ? gpusOf(session, gpu.type) : session.capacity.ncpus;
	const quota = await dailyQuota(session.database, session.config, session.host.id, version.id, units);
	if (quota.exceeded) {
		reasons.add(`Daily job limit (${quota.limit}) has been reached`);
		return undefined;
	}
	return answer.usage;
}

const gpusOf = ({ request }: Session, type: GpuKind): number => request.gpus.find((gpu) => gpu.type === type)?.count ?? 1;

/** Whether a rule of the project keeps a second instance of a job away from this host or user. */
export async function hasInstanceAlready(database: Database, session: Session, workunitId: number): Promise<boolean> {
	const { config, account, host } = session;
	if (!config.oneResultPerUserPerWu && !config.oneResultPerHostPerWu) {
		return false;
	}
	const [row] = config.oneResultPerUserPerWu
		? await database.select('SELECT COUNT(*) AS n FROM result WHERE workunitid = ? AND userid = ?', [workunitId, account.id])
		: await database.select('SELECT COUNT(*) AS n FROM result WHERE workunitid = ? AND hostid = ?', [workunitId, host.id]);
	return row !== undefined && numberOf(row, 'n') > 0;
}
