import { BoincError, isAbort, messageOf } from '../common/errors.js';
import type { OperationContext } from '../common/ports.js';
import { type Check, checkApps, checkBacklogs, checkDaemons, checkPlanClasses, checkServer, checkTools } from './doctorChecks.js';
import type { Project } from './project.js';
import { checkRefills } from './refillCheck.js';

/** One thing that a look at the project told. */
export interface Finding {
	readonly level: 'ok' | 'warning' | 'error';
	/** One sentence. */
	readonly what: string;
	/** What to do about it; absent for `ok`. */
	readonly remedy?: string;
}

const CHECKS: readonly Check[] = [
	checkTools,
	checkDaemons,
	checkServer,
	checkPlanClasses,
	checkApps,
	checkBacklogs,
	checkRefills,
];

/**
 * Looks at tools, daemons, disk, clock, plan classes, apps and the database, and says what is wrong and what to do; reads
 * only. The errors come first. Rejects only when the connection is lost or somebody cancels.
 */
export async function diagnose(project: Project, ctx: OperationContext): Promise<Finding[]> {
	ctx.progress.report({ message: `Examining ${project.name}` });
	const findings: Finding[] = [];
	for (const check of CHECKS) {
		try {
			findings.push(...(await check(project, ctx)));
		} catch (failure) {
			if (isAbort(failure) || BoincError.is(failure, 'connection-lost')) {
				throw failure;
			}
			findings.push({
				level: 'error',
				what: messageOf(failure),
				remedy: (BoincError.is(failure) ? failure.remedy : undefined) ?? 'Look at the log for details.',
			});
		}
	}
	const order = { error: 0, warning: 1, ok: 2 };
	// Several checks fail in the same words when the database is down.
	const distinct = [...new Map(findings.map((finding) => [finding.what, finding])).values()];
	return distinct.sort((a, b) => order[a.level] - order[b.level]);
}
