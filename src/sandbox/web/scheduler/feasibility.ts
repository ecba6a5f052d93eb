import type { Candidate } from './candidates.js';
import type { HostUsage } from './capacity.js';
import type { Budget, Session } from './session.js';

const MEGA = 1 << 20;

/** Seconds that a job takes on the host by the clock, counting the time when the host computes nothing. */
export function estimateSeconds(job: { readonly fpopsEst: number }, usage: HostUsage, session: Session): number {
	const { onFraction, activeFraction } = session.request;
	return job.fpopsEst / Math.max(usage.flops, 1) / Math.max(onFraction * activeFraction, 0.01);
}

/** The reason for the volunteer why a job must not go to the host; `undefined` when it may. */
export function infeasible(
	candidate: Candidate,
	appName: string,
	usage: HostUsage,
	session: Session,
	budget: Budget,
): string | undefined {
	const megabytes = (bytes: number): string => (bytes / MEGA).toFixed(2);
	const ram = session.capacity.usableRam;
	if (candidate.memoryBound > ram) {
		return `${appName} needs ${megabytes(candidate.memoryBound)} MB RAM but only ${megabytes(ram)} MB is available for use.`;
	}
	if (candidate.diskBound > budget.disk) {
		return (
			`${appName} needs ${megabytes(candidate.diskBound - budget.disk)}MB more disk space.  You currently have ` +
			`${megabytes(budget.disk)} MB available and it needs ${megabytes(candidate.diskBound)} MB.`
		);
	}
	if (estimateSeconds(candidate, usage, session) > candidate.delayBound) {
		const percent = (share: number): string => (100 * share).toFixed(1);
		const { onFraction, activeFraction } = session.request;
		return (
			`Tasks won't finish in time: BOINC runs ${percent(onFraction)}% of the time; ` +
			`computation is enabled ${percent(activeFraction)}% of that`
		);
	}
	return undefined;
}
