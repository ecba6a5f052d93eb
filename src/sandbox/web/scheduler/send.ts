import { textOf } from '../../database.js';
import { type Candidate, unsentCandidates } from './candidates.js';
import type { App } from './catalog.js';
import { estimateSeconds, infeasible } from './feasibility.js';
import { countSent } from './quota.js';
import type { Budget, Session } from './session.js';
import { chooseVersion, type ChosenVersion, hasInstanceAlready } from './versionChoice.js';
import { appVersionXml, appXml, resultXml, type VersionUse, workunitXml } from './workXml.js';

/** Chooses jobs for the host, marks them as sent and puts them into the reply, until the client has what it asked for. */
export async function sendWork(session: Session, budget: Budget): Promise<void> {
	const { reply, config } = session;
	const candidates = await unsentCandidates(session.database, config.shmemWorkItems);
	const taken = new Set<number>();
	for (const candidate of candidates) {
		if (!budget.wanted) {
			break;
		}
		// One instance of a job in a request is enough when the project wants them spread.
		const spread = config.oneResultPerHostPerWu || config.oneResultPerUserPerWu;
		if (!(spread && taken.has(candidate.workunitId)) && (await trySend(session, budget, candidate))) {
			taken.add(candidate.workunitId);
		}
	}
	if (candidates.length === 0) {
		reply.message('Project has no tasks available');
	}
	explain(session, budget);
}

function explain(session: Session, budget: Budget): void {
	if (budget.sent === 0) {
		session.reply.message('No tasks sent');
		for (const reason of budget.reasons) {
			session.reply.message(reason);
		}
	}
}

async function trySend(session: Session, budget: Budget, candidate: Candidate): Promise<boolean> {
	const app = session.catalog.apps.get(candidate.appId);
	if (!app || (await hasInstanceAlready(session.database, session, candidate.workunitId))) {
		return false;
	}
	const chosen = await chooseVersion(session, app, candidate, budget.reasons, (usage) => budget.wantsFor(usage));
	if (!chosen) {
		return false;
	}
	const reason = infeasible(candidate, app.friendlyName, chosen.usage, session, budget);
	if (reason !== undefined) {
		budget.reasons.add(reason);
		return false;
	}
	const deadline = session.now + candidate.delayBound;
	if (!(await markAsSent(session, candidate, chosen, { sent: session.now, deadline }))) {
		return false;
	}
	await countSent(session.database, session.config, session.host.id, chosen.version.id);
	budget.take(estimateSeconds(candidate, chosen.usage, session), chosen.usage, candidate.diskBound);
	await addToReply(session, candidate, app, chosen, deadline);
	return true;
}

/** Books the instance for this host; false when another request was faster. */
export async function markAsSent(
	session: Session,
	candidate: Candidate,
	chosen: ChosenVersion,
	times: { readonly sent: number; readonly deadline: number },
): Promise<boolean> {
	const { database, config, host, account } = session;
	const deadline = times.deadline + config.gracePeriod;
	const { affectedRows } = await database.execute(
		`UPDATE result SET server_state = 4, hostid = ?, userid = ?, sent_time = ?, report_deadline = ?, flops_estimate = ?, app_version_id = ?
			WHERE id = ? AND server_state = ? AND hostid IN (0, ?)`,
		[
			host.id,
			account.id,
			times.sent,
			deadline,
			chosen.usage.flops,
			chosen.version.id,
			candidate.resultId,
			candidate.serverState,
			host.id,
		],
	);
	if (affectedRows === 0) {
		return false;
	}
	await database.execute(
		'UPDATE workunit SET transition_time = LEAST(transition_time, ?), app_version_id = IF(?, ?, app_version_id) WHERE id = ?',
		[
			deadline,
			session.catalog.apps.get(candidate.appId)?.homogeneousAppVersion === true ? 1 : 0,
			chosen.version.id,
			candidate.workunitId,
		],
	);
	return true;
}

/**
 * Puts app, version, job and instance into the reply. An instance whose stored description lacks the lines that the stock
 * scheduler looks for stays marked as sent and is not delivered, as there.
 */
export async function addToReply(
	session: Session,
	candidate: Candidate,
	app: App,
	chosen: ChosenVersion,
	deadline: number,
): Promise<void> {
	const { database, reply, log } = session;
	const { version, usage } = chosen;
	const use: VersionUse = {
		platform: version.platform,
		versionNum: version.versionNum,
		planClass: version.planClass,
		...usage,
	};
	const [texts] = await database.select(
		`SELECT w.xml_doc AS wu, r.xml_doc_in AS result, v.xml_doc AS version FROM result r JOIN workunit w ON w.id = r.workunitid
			JOIN app_version v ON v.id = ? WHERE r.id = ?`,
		[version.id, candidate.resultId],
	);
	if (!texts) {
		return;
	}
	const versionText = appVersionXml(textOf(texts, 'version'), use);
	const wuText = workunitXml(textOf(texts, 'wu'), { ...candidate, name: candidate.wuName, appName: app.name });
	if (versionText === undefined || wuText === undefined) {
		log.scheduler(`[RESULT#${candidate.resultId}] the XML of its version or job has no usable tags`);
		return;
	}
	reply.apps.set(app.name, appXml(app));
	reply.appVersions.set(String(version.id), versionText);
	reply.workunits.set(candidate.wuName, wuText);
	const resultText = resultXml(textOf(texts, 'result'), {
		name: candidate.resultName,
		wuName: candidate.wuName,
		deadline,
		use,
	});
	if (resultText === undefined) {
		log.scheduler(`[RESULT#${candidate.resultId} ${candidate.resultName}] can't insert name tags: it has no line <result>`);
		return;
	}
	reply.results.push(resultText);
	log.scheduler(
		`[HOST#${session.host.id}] Sending [RESULT#${candidate.resultId} ${candidate.resultName}] version ${version.versionNum} ${version.platform} ${version.planClass}`,
	);
}
