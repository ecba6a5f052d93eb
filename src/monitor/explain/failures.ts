import { plural } from '../../common/format.js';
import { explainErrorMask } from '../exitStatus.js';
import type { Queries } from '../queries.js';
import { byLevel, type Example, type Explanation, type FailureKind, type Subject } from './explanation.js';
import { type Cause, failureCause, signatureOf } from './failureCause.js';
import { factsOf } from './jobFacts.js';

/** Logs that are read for each combination of codes. */
const SAMPLE = 20;
const EXAMPLES = 3;
/** Combinations that are looked into; the rest is rare. */
const MOST_GROUPS = 40;

/** Instances with one cause. */
export interface FailureCluster {
	readonly kind: FailureKind;
	/** What the instances did: `ended with exit code 3`. */
	readonly what: string;
	readonly remedy: string | undefined;
	readonly numbers: Readonly<Record<string, number>>;
	readonly instances: number;
	readonly jobs: number;
	readonly hosts: number;
	readonly examples: readonly Example[];
}

/** Ended, and not well. */
const FAILED = `r.server_state = 5 AND (r.outcome IN (2, 3, 4, 6, 7) OR (r.outcome = 1 AND r.validate_state IN (2, 5)))`;

interface Group {
	readonly instances: number;
	readonly jobs: number;
	readonly hosts: number;
	readonly codes: readonly number[];
}

/**
 * The failed instances of a batch, a job or one instance by cause, the most frequent first. Counts are exact; where instances
 * with the same codes say different things, the newest 20 of them decide how they are split. Reads only.
 */
export async function failureClusters(db: Queries, subject: Subject): Promise<FailureCluster[]> {
	const where = { batch: 'r.batch = ?', job: 'r.workunitid = ?', instance: 'r.id = ?' }[subject.kind];
	const groups = await db.select(
		`SELECT r.outcome, r.client_state, r.validate_state, r.exit_status, COUNT(*) AS n, COUNT(DISTINCT r.workunitid) AS jobs,
			COUNT(DISTINCT r.hostid) AS hosts FROM result r WHERE ${where} AND ${FAILED}
		GROUP BY r.outcome, r.client_state, r.validate_state, r.exit_status ORDER BY n DESC LIMIT ?`,
		[subject.id, MOST_GROUPS],
	);
	const clusters: FailureCluster[] = [];
	for (const row of groups) {
		const codes = ['outcome', 'client_state', 'validate_state', 'exit_status'].map((column) => Number(row[column]));
		const group = { instances: Number(row.n), jobs: Number(row.jobs), hosts: Number(row.hosts), codes };
		const samples = await db.select(
			`SELECT r.id, r.name, r.hostid, r.workunitid, r.stderr_out FROM result r
			WHERE ${where} AND r.server_state = 5 AND r.outcome = ? AND r.client_state = ? AND r.validate_state = ? AND r.exit_status = ?
			ORDER BY r.id DESC LIMIT ?`,
			[subject.id, ...codes, SAMPLE],
		);
		clusters.push(...split(group, samples));
	}
	return merge(clusters).sort((a, b) => b.instances - a.instances);
}

function split(
	{ instances, jobs, hosts, codes }: Group,
	samples: readonly Readonly<Record<string, unknown>>[],
): FailureCluster[] {
	const [outcome = 0, clientState = 0, validateState = 0, exitStatus = 0] = codes;
	const found = new Map<string, { cause: Cause; rows: Readonly<Record<string, unknown>>[]; lines: string[] }>();
	for (const row of samples) {
		const blob = row.stderr_out;
		const log = blob instanceof Uint8Array ? Buffer.from(blob).toString('utf8') : typeof blob === 'string' ? blob : '';
		const cause = failureCause({ outcome, clientState, validateState, exitStatus, log });
		// Programs fail in many ways with the same code: what they said last tells them apart.
		const key = `${cause.kind} ${cause.kind === 'program-failed' ? signatureOf(cause.line) : ''}`;
		const entry = found.get(key) ?? { cause, rows: [], lines: [] };
		entry.rows.push(row);
		entry.lines.push(cause.line);
		found.set(key, entry);
	}
	const whole = found.size <= 1;
	const all = instances <= samples.length;
	return [...found.values()].map(({ cause, rows, lines }) => {
		const share = rows.length / Math.max(1, samples.length);
		const distinct = (column: string): number => new Set(rows.map((row) => Number(row[column]))).size;
		return {
			...pick(cause),
			instances: whole ? instances : all ? rows.length : Math.max(1, Math.round(instances * share)),
			jobs: whole ? jobs : all ? distinct('workunitid') : Math.max(1, Math.round(jobs * share)),
			hosts: whole ? hosts : all ? distinct('hostid') : Math.max(1, Math.round(hosts * share)),
			examples: rows.slice(0, EXAMPLES).map((row, index) => ({
				instanceId: Number(row.id),
				name: String(row.name),
				hostId: Number(row.hostid),
				line: lines[index] ?? '',
			})),
		};
	});
}

const pick = ({ kind, what, remedy, numbers }: Cause): Omit<Cause, 'line'> => ({ kind, what, remedy, numbers });

/** The same cause under several combinations of codes is one. */
function merge(clusters: readonly FailureCluster[]): FailureCluster[] {
	const merged = new Map<string, FailureCluster>();
	for (const cluster of clusters) {
		const line = cluster.kind === 'program-failed' ? signatureOf(cluster.examples[0]?.line ?? '') : '';
		const key = `${cluster.kind} ${cluster.what} ${line}`;
		const known = merged.get(key);
		merged.set(
			key,
			known
				? {
						...known,
						instances: known.instances + cluster.instances,
						jobs: Math.max(known.jobs, cluster.jobs),
						hosts: Math.max(known.hosts, cluster.hosts),
						examples: [...known.examples, ...cluster.examples].slice(0, EXAMPLES),
					}
				: cluster,
		);
	}
	return [...merged.values()];
}

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
	const clusters = await failureClusters(db, subject);
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
	if (has(16)) {
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
