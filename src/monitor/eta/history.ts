import { activeHosts, type HostRecord } from '../explain/hostRecord.js';
import { type Queries, serverTime } from '../queries.js';
import { estimateEnd, type Eta, type EtaInput } from './estimate.js';
import { bucketSql } from './logBuckets.js';
import { seededRandom } from './random.js';

type Row = Readonly<Record<string, unknown>>;
const number = (row: Row | undefined, column: string): number => Number(row?.[column] ?? 0) || 0;

/** Hosts of the last days that are looked at for a batch without a history of its own. */
const ACTIVE_SECONDS = 3 * 86_400;
const MOST_HOSTS = 1000;
/** Batches with so many instances of their own need no records of hosts. */
const ENOUGH = 30;
/** Hosts ask when they are out of work, and have other projects too. */
const WAITING_FACTOR = 2;

/**
 * When an unfinished batch will be over; `undefined` when nothing lets one know. Four statements on the index of batches,
 * whose answers are small however large the batch is. Reads only.
 */
export async function batchEta(db: Queries, batchId: number): Promise<Eta | undefined> {
	const input = await etaInput(db, batchId);
	return estimateEnd(input, seededRandom(batchId));
}

/** What an estimate needs to know of a batch. */
export async function etaInput(db: Queries, batchId: number): Promise<EtaInput> {
	const now = await serverTime(db);
	const instances = await db.select(
		`SELECT kind, bucket, COUNT(*) AS n, MIN(sent_time) AS first_sent FROM (
			SELECT CASE WHEN r.server_state = 4 THEN 'out' WHEN r.server_state IN (1, 2) THEN 'unsent' WHEN r.outcome = 1 THEN 'good'
				WHEN r.outcome = 4 THEN 'lost' WHEN r.outcome IN (3, 6) AND r.sent_time > 0 THEN 'bad' ELSE 'other' END AS kind,
				CASE WHEN r.server_state = 4 THEN ${bucketSql('? - r.sent_time')}
				WHEN r.received_time > 0 AND r.sent_time > 0 THEN ${bucketSql('r.received_time - r.sent_time')} ELSE 0 END AS bucket, r.sent_time
			FROM result r WHERE r.batch = ?
		) ages GROUP BY kind, bucket`,
		[now, batchId],
	);
	const [jobs] = await db.select(
		`SELECT COALESCE(SUM(NOT EXISTS (SELECT 1 FROM result r WHERE r.workunitid = w.id)), 0) AS created, MAX(w.delay_bound) AS delay_bound,
			MAX(w.max_total_results) AS tries, MAX(w.rsc_fpops_est) AS fpops, MAX(w.target_nresults) AS copies
		FROM workunit w WHERE w.batch = ? AND w.canonical_resultid = 0 AND w.error_mask = 0`,
		[batchId],
	);
	const of = (kind: string): Map<number, number> =>
		new Map(instances.filter((row) => row.kind === kind).map((row) => [number(row, 'bucket'), number(row, 'n')]));
	const count = (kind: string): number => [...of(kind).values()].reduce((sum, n) => sum + n, 0);
	const firstSent = Math.min(...instances.map((row) => number(row, 'first_sent')).filter((time) => time > 0));
	const needsRecords = count('good') < ENOUGH;
	const hosts = needsRecords ? await activeHosts(db, now - ACTIVE_SECONDS, MOST_HOSTS) : [];
	return {
		now,
		queued: count('unsent') + number(jobs, 'created') * Math.max(1, number(jobs, 'copies')),
		running: of('out'),
		succeeded: of('good'),
		failed: of('bad'),
		noReply: count('lost'),
		delayBound: Math.max(60, number(jobs, 'delay_bound')),
		maxTries: Math.max(1, number(jobs, 'tries')),
		secondsSinceFirst: Number.isFinite(firstSent) ? Math.max(0, now - firstSent) : 0,
		...fromHosts(hosts, number(jobs, 'fpops')),
	};
}

/** What the hosts' own records let expect of a job of this size. */
function fromHosts(hosts: readonly HostRecord[], fpops: number): Pick<EtaInput, 'prior' | 'priorSlots'> {
	const able = hosts.filter((host) => !host.blocked && ((host.engine !== '' && !host.engineForbidden) || host.virtualbox !== ''));
	return {
		prior: able.map((host) => (fpops / host.flops / host.activeFraction) * WAITING_FACTOR + 60),
		priorSlots: able.reduce((sum, { processors }) => sum + processors, 0),
	};
}
