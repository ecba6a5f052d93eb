import { type Candidate, candidatesOnHost } from './candidates.js';
import { estimateSeconds, infeasible } from './feasibility.js';
import { addToReply, markAsSent } from './send.js';
import type { Budget, Session } from './session.js';
import { chooseVersion } from './versionChoice.js';

/**
 * Sends instances again that the host should have and has not (`resend_lost_results`). What cannot be sent again is made
 * overdue, so that the transitioner makes a new instance.
 */
export async function resendLostWork(session: Session, budget: Budget, present: readonly string[]): Promise<void> {
	const here = new Set(present);
	for (const candidate of await candidatesOnHost(session.database, session.host.id)) {
		if (!here.has(candidate.resultName)) {
			await resend(session, budget, candidate);
		}
	}
}

async function resend(session: Session, budget: Budget, candidate: Candidate): Promise<void> {
	const { reply, now } = session;
	const app = session.catalog.apps.get(candidate.appId);
	const dead = candidate.errorMask !== 0 || candidate.canonicalResultId !== 0;
	const chosen = app && !dead ? await chooseVersion(session, app, candidate, budget.reasons) : undefined;
	const half = now + Math.floor((candidate.reportDeadline - candidate.sentTime) / 2);
	const deadline = Math.min(Math.max(half, candidate.reportDeadline), now + candidate.delayBound);
	if (
		!app ||
		!chosen ||
		infeasible(candidate, app.friendlyName, chosen.usage, session, budget) !== undefined ||
		estimateSeconds(candidate, chosen.usage, session) > deadline - now
	) {
		await session.database.execute('UPDATE result SET report_deadline = ? WHERE id = ? AND server_state = 4', [
			now - 1,
			candidate.resultId,
		]);
		await session.database.execute('UPDATE workunit SET transition_time = LEAST(transition_time, ?) WHERE id = ?', [
			now - 1,
			candidate.workunitId,
		]);
		reply.message(`Didn't resend lost task ${candidate.resultName} (expired)`);
		return;
	}
	if (await markAsSent(session, candidate, chosen, { sent: now, deadline })) {
		budget.take(estimateSeconds(candidate, chosen.usage, session), chosen.usage, candidate.diskBound);
		await addToReply(session, candidate, app, chosen, deadline);
		reply.message(`Resent lost task ${candidate.resultName}`);
	}
}
