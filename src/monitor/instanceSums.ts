import { bucketSql } from './eta/logBuckets.js';
import { type InstanceBlock, instancesIn } from './instanceBlocks.js';
import { number, type Queries, type Row } from './rows.js';

/** What has become of an instance, as far as sums tell them apart. */
export type InstanceKind = 'unsent' | 'out' | 'good' | 'bad' | 'lost' | 'other';

/** What a host did for a batch. */
export interface HostSum {
	readonly running: number;
	readonly succeeded: number;
	readonly failed: number;
	/** Run time of the successes. */
	readonly seconds: number;
}

type Counts = Map<number, number>;

/** What the instances of a batch, or of a part of it, come to. Sums of parts can be added up. */
export class InstanceSums {
	/** Seconds in a bin of time; bins are counted from 1970. */
	readonly step: number;
	readonly kinds = new Map<InstanceKind, number>();
	readonly hosts = new Map<number, HostSum>();
	/** Bins in which instances were sent to hosts, came back with success, and ended otherwise. */
	readonly sent: Counts = new Map();
	readonly succeeded: Counts = new Map();
	readonly failed: Counts = new Map();
	/** Logarithmic buckets of the run times of successes. */
	readonly runTimes: Counts = new Map();
	/** Logarithmic buckets from sending to report; of those that are out, from sending to now. */
	readonly turnarounds: ReadonlyMap<InstanceKind, Counts> = new Map<InstanceKind, Counts>(
		(['out', 'good', 'bad'] as const).map((kind) => [kind, new Map<number, number>()]),
	);
	/** UNIX seconds; `Infinity` when nothing was sent. */
	firstSent = Infinity;
	/** UNIX seconds of the last thing that happened. */
	lastEvent = 0;
	/** Instances that are not over, or not judged: the sums of a part without any do not change by themselves. */
	unsettled = 0;

	constructor(step: number) {
		this.step = step;
	}

	add(other: InstanceSums): void {
		addCounts(this.kinds, other.kinds);
		for (const [id, host] of other.hosts) {
			this.addHost(id, host);
		}
		addCounts(this.sent, other.sent);
		addCounts(this.succeeded, other.succeeded);
		addCounts(this.failed, other.failed);
		addCounts(this.runTimes, other.runTimes);
		for (const [kind, counts] of this.turnarounds) {
			addCounts(counts, other.turnarounds.get(kind) ?? new Map<number, number>());
		}
		this.firstSent = Math.min(this.firstSent, other.firstSent);
		this.lastEvent = Math.max(this.lastEvent, other.lastEvent);
		this.unsettled += other.unsettled;
	}

	addHost(id: number, { running, succeeded, failed, seconds }: HostSum): void {
		const before = this.hosts.get(id) ?? { running: 0, succeeded: 0, failed: 0, seconds: 0 };
		this.hosts.set(id, {
			running: before.running + running,
			succeeded: before.succeeded + succeeded,
			failed: before.failed + failed,
			seconds: before.seconds + seconds,
		});
	}

	count(kind: InstanceKind): number {
		return this.kinds.get(kind) ?? 0;
	}
}

function addCounts<Key>(to: Map<Key, number>, from: ReadonlyMap<Key, number>): void {
	for (const [key, n] of from) {
		to.set(key, (to.get(key) ?? 0) + n);
	}
}

/** As the statement numbers them: it groups by whole numbers a quarter faster than by words. */
const KINDS = ['unsent', 'out', 'good', 'bad', 'lost', 'other'] as const satisfies readonly InstanceKind[];
const KIND = `CASE WHEN r.server_state = 4 THEN 1 WHEN r.server_state IN (1, 2) THEN 0 WHEN r.outcome = 1 THEN 2
	WHEN r.outcome = 4 THEN 4 WHEN r.outcome IN (3, 6) AND r.sent_time > 0 THEN 3 ELSE 5 END`;
/** What a row of the answer counts by. */
const BY = { host: 0, sent: 1, ended: 2, runTime: 3, turnaround: 4 } as const;
const REPORTED = 'IF(r.received_time > 0, r.received_time, r.report_deadline)';

/**
 * The sums of the instances in a block, in one statement that reads each row once. `now` is the database's clock, `step` the seconds
 * of a bin.
 */
export async function blockSums(
	db: Queries,
	batchId: number,
	block: InstanceBlock,
	{ now, step }: { readonly now: number; readonly step: number },
): Promise<InstanceSums> {
	const { from, where, params } = instancesIn(block, batchId);
	const rows = await db.select(
		`SELECT k.what, ${KIND} AS kind, CAST(CASE k.what WHEN ${BY.host} THEN r.hostid WHEN ${BY.sent} THEN r.sent_time DIV ?
				WHEN ${BY.ended} THEN ${REPORTED} DIV ? WHEN ${BY.runTime} THEN ${bucketSql('r.elapsed_time')}
				ELSE ${bucketSql('IF(r.server_state = 4, ? - r.sent_time, r.received_time - r.sent_time)')} END AS SIGNED) AS at,
			COUNT(*) AS n, SUM(r.elapsed_time) AS seconds, MIN(r.sent_time) AS first, MAX(GREATEST(r.sent_time, r.received_time)) AS last,
			SUM(r.server_state <> 5 OR (r.outcome = 1 AND r.validate_state IN (0, 4))) AS unsettled
		FROM ${from} STRAIGHT_JOIN (${Object.values(BY)
			.map((what) => `SELECT ${what} AS what`)
			.join(' UNION ALL ')}) k
		WHERE ${where} AND (k.what = ${BY.host} OR (r.sent_time > 0 AND (k.what = ${BY.sent}
			OR (k.what = ${BY.turnaround} AND (r.server_state = 4 OR (r.received_time > 0 AND r.outcome IN (1, 3, 6))))
			OR (r.server_state = 5 AND (k.what = ${BY.ended} OR (k.what = ${BY.runTime} AND r.outcome = 1))))))
		GROUP BY k.what, kind, at`,
		[step, step, now, ...params],
	);
	const sums = new InstanceSums(step);
	rows.forEach((row) => take(sums, row));
	return sums;
}

/**
 * Seconds from the first time that an instance of the block was sent to the last event, which is now while one is out; `undefined`
 * before anything was sent.
 */
export async function blockSeconds(db: Queries, batchId: number, block: InstanceBlock, now: number): Promise<number | undefined> {
	const { from, where, params } = instancesIn(block, batchId);
	const [row] = await db.select(
		`SELECT MIN(r.sent_time) AS first, MAX(IF(r.server_state = 4, ?, GREATEST(r.sent_time, r.received_time))) AS last
		FROM ${from} WHERE ${where} AND r.sent_time > 0`,
		[now, ...params],
	);
	return row && row.first !== null ? number(row, 'last') - number(row, 'first') : undefined;
}

function take(sums: InstanceSums, row: Row): void {
	const kind = KINDS[number(row, 'kind')] ?? 'other';
	const [at, n] = [number(row, 'at'), number(row, 'n')];
	const count = (counts: Counts | undefined): unknown => counts?.set(at, (counts.get(at) ?? 0) + n);
	switch (number(row, 'what')) {
		case BY.host:
			sums.kinds.set(kind, sums.count(kind) + n);
			sums.unsettled += number(row, 'unsettled');
			if (at > 0) {
				const isOver = kind !== 'out' && kind !== 'unsent' && kind !== 'good';
				const [good, seconds] = kind === 'good' ? [n, number(row, 'seconds')] : [0, 0];
				sums.addHost(at, { running: kind === 'out' ? n : 0, succeeded: good, failed: isOver ? n : 0, seconds });
			}
			break;
		case BY.sent:
			count(sums.sent);
			sums.firstSent = Math.min(sums.firstSent, number(row, 'first'));
			sums.lastEvent = Math.max(sums.lastEvent, number(row, 'last'));
			break;
		case BY.ended:
			count(kind === 'good' ? sums.succeeded : sums.failed);
			break;
		case BY.runTime:
			count(sums.runTimes);
			break;
		case BY.turnaround:
			count(sums.turnarounds.get(kind));
			break;
	}
}
