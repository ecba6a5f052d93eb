import { formatSeconds, plural } from '../../common/format.js';
import type { Project } from '../../project/project.js';
import { type Queries, serverTime } from '../queries.js';
import type { JobState } from '../types.js';
import { explainDaemons } from './daemons.js';
import { byLevel, type Explanation, type Subject } from './explanation.js';
import { explainHosts } from './hosts.js';
import { factsOf, type JobFacts } from './jobFacts.js';

/** States in which a job waits for a host. */
const UNSENT: readonly JobState[] = ['created', 'queued', 'retrying'];

/**
 * *Why is this not running?* — what keeps the unfinished jobs of a batch, one job or the job of an instance from
 * going on, the gravest reason first. Reads only. Rejects with `batch-missing` or `result-missing`.
 */
export async function explainWaiting(project: Project, subject: Subject, signal?: AbortSignal): Promise<Explanation[]> {
	const db = await project.database();
	const facts = await factsOf(db, subject);
	const { counts } = facts;
	const unsent = UNSENT.reduce((sum, state) => sum + counts[state], 0);
	if (unsent + counts.running + counts.validating + counts.collecting + counts.cancelling === 0) {
		return [nothingWaits(facts)];
	}
	const now = await serverTime(db);
	const found = [
		...(facts.preparing ? [beingSubmitted(facts)] : []),
		...(await explainDaemons(project, facts, signal)),
		...(unsent > 0 ? await explainUnsent(project, db, facts, now, signal) : []),
		...(counts.running > 0 ? await explainRunning(db, facts, now) : []),
		...(counts.validating > 0 ? await explainValidating(db, facts) : []),
		...(counts.collecting > 0
			? [
					info(
						'collecting',
						{ jobs: counts.collecting },
						`${plural(counts.collecting, 'job')} finished; the assimilator collects ${counts.collecting === 1 ? 'its result' : 'their results'} next.`,
					),
				]
			: []),
	];
	return byLevel(found);
}

const info = (kind: Explanation['kind'], numbers: Explanation['numbers'], sentence: string): Explanation => ({
	kind,
	level: 'info',
	numbers,
	sentence,
});

function nothingWaits({ counts, total, jobId, jobName }: JobFacts): Explanation {
	const numbers = { jobs: total, done: counts.done, failed: counts.failed, cancelled: counts.cancelled };
	if (jobId !== undefined) {
		const how = counts.done > 0 ? 'is done' : counts.failed > 0 ? 'has failed' : 'was cancelled';
		return info('nothing-waits', numbers, `The job ${jobName} ${how}: nothing waits.`);
	}
	return info(
		'nothing-waits',
		numbers,
		total === 0
			? 'The batch has no jobs.'
			: `Nothing waits. ${plural(total, 'job')}: ${(['done', 'failed', 'cancelled'] as const)
					.filter((state) => counts[state] > 0)
					.map((state) => `${counts[state]} ${state}`)
					.join(', ')}.`,
	);
}

function beingSubmitted({ total }: JobFacts): Explanation {
	return {
		kind: 'being-submitted',
		level: 'warning',
		numbers: { jobs: total },
		sentence: `The batch is still being submitted (${plural(total, 'job')} so far), or its submission was interrupted.`,
		remedy: 'Wait for the submission to end; if nobody is at work on it, cancel the batch and submit it again.',
	};
}

/** The jobs without an instance on a host: do they have instances at all, what is before them, and who could take them. */
async function explainUnsent(
	project: Project,
	db: Queries,
	facts: JobFacts,
	now: number,
	signal: AbortSignal | undefined,
): Promise<Explanation[]> {
	const where = facts.jobId === undefined ? ['w.batch = ?', facts.batchId] : ['w.id = ?', facts.jobId];
	const found: Explanation[] = [];
	if (facts.counts.created > 0) {
		const [row] = await db.select(
			`SELECT COUNT(*) AS n, MIN(w.transition_time) AS due, MIN(w.create_time) AS since, SUM(w.transitioner_flags <> 0) AS held
			FROM workunit w WHERE ${String(where[0])} AND w.canonical_resultid = 0 AND w.error_mask = 0
			AND NOT EXISTS (SELECT 1 FROM result r WHERE r.workunitid = w.id)`,
			[where[1]],
		);
		found.push(...withoutInstances(Number(row?.n ?? 0), Number(row?.held ?? 0), now - Number(row?.due ?? now)));
	}
	if (facts.counts.retrying > 0) {
		found.push(
			info(
				'retrying',
				{ jobs: facts.counts.retrying },
				`${plural(facts.counts.retrying, 'job')} had an instance that failed or was lost, and ${facts.counts.retrying === 1 ? 'waits' : 'wait'} for another host.`,
			),
		);
	}
	return [...found, ...(await explainHosts(project, db, facts, now, signal))];
}

/** Seconds after which the transitioner should have seen a job. */
const TRANSITION_SECONDS = 60;

function withoutInstances(jobs: number, held: number, late: number): Explanation[] {
	if (jobs === 0) {
		return [];
	}
	if (held === jobs) {
		return [
			info('targeted', { jobs }, `${plural(jobs, 'job')} are for certain hosts only and get an instance when one of them asks.`),
		];
	}
	return late > TRANSITION_SECONDS
		? [
				{
					kind: 'database-late',
					level: 'error',
					numbers: { jobs, seconds: late },
					sentence: `${plural(jobs, 'job')} have no instance: the transitioner should have made ${jobs === 1 ? 'one' : 'them'} ${formatSeconds(late)} ago.`,
					remedy: 'It is dead or overloaded: look at its log, then run bin/start in the project’s folder.',
				},
			]
		: [
				info(
					'just-created',
					{ jobs },
					`${plural(jobs, 'job')} were created just now; the transitioner makes their instances next.`,
				),
			];
}

async function explainRunning(db: Queries, { jobId, batchId, counts }: JobFacts, now: number): Promise<Explanation[]> {
	const [row] = await db.select(
		`SELECT COUNT(*) AS n, COUNT(DISTINCT hostid) AS hosts, SUM(report_deadline < ?) AS overdue, MIN(report_deadline) AS first_due,
			MIN(sent_time) AS first_sent FROM result WHERE ${jobId === undefined ? 'batch' : 'workunitid'} = ? AND server_state = 4`,
		[now, jobId ?? batchId],
	);
	const number = (name: string): number => Number(row?.[name] ?? 0);
	const numbers = {
		instances: number('n'),
		hosts: number('hosts'),
		overdue: number('overdue'),
		secondsSinceFirst: now - number('first_sent'),
		secondsToDeadline: number('first_due') - now,
	};
	const what = `${plural(numbers.instances, 'instance')} of ${plural(counts.running, 'job')} ${numbers.instances === 1 ? 'is' : 'are'} on ${plural(numbers.hosts, 'host')}`;
	if (numbers.overdue > 0) {
		return [
			{
				kind: 'overdue',
				level: 'warning',
				numbers,
				sentence: `${what}; ${numbers.overdue} of them should have been reported by now, so their hosts are off or gone.`,
				remedy: 'BOINC sends them to other hosts by itself when the transitioner looks at them next.',
			},
		];
	}
	return [
		info(
			'on-hosts',
			numbers,
			`${what}, the first since ${formatSeconds(numbers.secondsSinceFirst)}. BOINC does not tell how far they are; the first deadline is in ${formatSeconds(numbers.secondsToDeadline)}.`,
		),
	];
}

async function explainValidating(db: Queries, { jobId, batchId, counts }: JobFacts): Promise<Explanation[]> {
	const [row] = await db.select(
		`SELECT SUM(need_validate) AS ready, MAX(min_quorum) AS quorum FROM workunit
		WHERE ${jobId === undefined ? 'batch' : 'id'} = ? AND canonical_resultid = 0 AND error_mask = 0`,
		[jobId ?? batchId],
	);
	const [ready, quorum] = [Number(row?.ready ?? 0), Number(row?.quorum ?? 1)];
	return ready === 0 && quorum > 1
		? [
				info(
					'quorum',
					{ jobs: counts.validating, quorum },
					`${plural(counts.validating, 'job')} have a finished instance and wait for another: ${quorum} must agree.`,
				),
			]
		: [
				info(
					'validating',
					{ jobs: counts.validating, ready },
					`${plural(counts.validating, 'job')} finished on a host and ${counts.validating === 1 ? 'is' : 'are'} looked at by the validator next.`,
				),
			];
}
