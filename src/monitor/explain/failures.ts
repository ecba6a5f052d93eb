import { plural } from '../../common/format.js';
import { wasCancelled } from '../../project/errorMask.js';
import { explainErrorMask } from '../exitStatus.js';
import type { Queries } from '../queries.js';
import { byLevel, type Explanation, type FailureKind, type Subject } from './explanation.js';
import { failedInstances, FailureLogs } from './failedInstances.js';
import { type FailureCluster, failureClusters } from './failureClusters.js';
import { factsOf } from './jobFacts.js';

/** Instances that ended so are nobody's fault. */
const HARMLESS: readonly FailureKind[] = ['cancelled', 'too-late', 'host-left'];

/** A cluster as an explanation. */
function ofCluster(cluster: FailureCluster, failedJobs: number): Explanation {
	const { kind, what, remedy, numbers, instances, jobs, hosts, examples } = cluster;
	const on = hosts === 0 || kind === 'not-sent' ? '' : ` (${plural(jobs, 'job')}, ${plural(hosts, 'host')})`;
	return {
		kind,
		level: HARMLESS.includes(kind) ? 'info' : failedJobs > 0 ? 'error' : 'warning',
		numbers: { ...numbers, instances, jobs, hosts },
		sentence: `${plural(instances, 'instance')} ${instances === 1 ? what.replace(/^were /, 'was ').replace(' their ', ' its ') : what}${on}.`,
		...(remedy !== undefined && { remedy }),
		examples,
	};
}

/**
 * *Why did it fail?* — the causes of failed instances of a batch, a job or one instance with examples, and why BOINC gave the
 * jobs up. Reads only. Rejects with `batch-missing` or `result-missing`.
 */
export async function explainFailure(db: Queries, subject: Subject): Promise<Explanation[]> {
	const facts = await factsOf(db, subject);
	const clusters = await failureClusters(db, await failedInstances(db, subject), new FailureLogs());
	const masks = await errorMasks(db, subject.kind === 'batch' ? 'w.batch' : 'w.id', facts.jobId ?? facts.batchId);
	const failed = masks.reduce((sum, { jobs }) => sum + jobs, 0);
	const found = [
		...clusters.map((cluster) => ofCluster(cluster, failed)),
		...(subject.kind === 'instance' ? [] : masks.flatMap(ofMask)),
	];
	return found.length > 0
		? byLevel(found)
		: [
				{
					kind: 'nothing-failed',
					level: 'info',
					numbers: { jobs: facts.total },
					sentence:
						subject.kind === 'instance'
							? 'This instance has not failed.'
							: `Nothing has failed: no instance of ${facts.jobId === undefined ? plural(facts.total, 'job') : facts.jobName} came to a bad end.`,
				},
			];
}

interface MaskGroup {
	readonly mask: number;
	readonly jobs: number;
	readonly maxErrors: number;
	readonly maxTotal: number;
	readonly maxSuccess: number;
}

async function errorMasks(db: Queries, column: 'w.batch' | 'w.id', id: number): Promise<MaskGroup[]> {
	const rows = await db.select(
		`SELECT w.error_mask, COUNT(*) AS n, MAX(w.max_error_results) AS errors, MAX(w.max_total_results) AS total,
			MAX(w.max_success_results) AS success FROM workunit w WHERE ${column} = ? AND w.error_mask <> 0 AND w.canonical_resultid = 0
		GROUP BY w.error_mask ORDER BY n DESC`,
		[id],
	);
	return rows.map((row) => ({
		mask: Number(row.error_mask),
		jobs: Number(row.n),
		maxErrors: Number(row.errors),
		maxTotal: Number(row.total),
		maxSuccess: Number(row.success),
	}));
}

function ofMask({ mask, jobs, maxErrors, maxTotal, maxSuccess }: MaskGroup): Explanation[] {
	const subject = `BOINC gave up ${plural(jobs, 'job')}`;
	const has = (bit: number): boolean => (mask & bit) !== 0;
	if (wasCancelled(mask)) {
		return [
			{
				kind: 'cancelled',
				level: 'info',
				numbers: { jobs, mask },
				sentence: `${plural(jobs, 'job')} ${jobs === 1 ? 'was' : 'were'} cancelled.`,
			},
		];
	}
	const limits: Explanation[] = [
		...(has(2)
			? [limit('limit-of-errors', `${subject}: more than ${plural(maxErrors, 'instance')} failed.`, { jobs, mask, maxErrors })]
			: []),
		...(has(8)
			? [
					limit('limit-of-instances', `${subject}: all ${maxTotal} instances that it may have are used up.`, {
						jobs,
						mask,
						maxTotal,
					}),
				]
			: []),
		...(has(4)
			? [
					limit('limit-of-successes', `${subject}: ${plural(maxSuccess, 'result')} came back, and they do not agree.`, {
						jobs,
						mask,
						maxSuccess,
					}),
				]
			: []),
		...(has(1) ? [limit('not-sent', `${subject}: no host could be given an instance.`, { jobs, mask })] : []),
	];
	return limits.length > 0 ? limits : [limit('unknown-failure', `${subject}: ${explainErrorMask(mask)}.`, { jobs, mask })];
}

const limit = (kind: FailureKind, sentence: string, numbers: Explanation['numbers']): Explanation => ({
	kind,
	level: 'error',
	numbers,
	sentence,
	remedy:
		kind === 'limit-of-successes'
			? 'Let the program give the same output each time, or lower the quorum.'
			: 'Remove the cause first; then retry the failed jobs, or submit them again with more instances for each.',
});
