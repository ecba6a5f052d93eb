import { activeHosts, type HostRecord } from '../explain/hostRecord.js';
import { instanceBlocks } from '../instanceBlocks.js';
import { blockSums, type InstanceKind, InstanceSums } from '../instanceSums.js';
import { type Queries, serverTime } from '../queries.js';
import { number } from '../rows.js';
import type { Batch, JobState } from '../types.js';
import { estimateEnd, type Eta, type EtaInput } from './estimate.js';
import type { Durations } from './logBuckets.js';
import { seededRandom } from './random.js';

/** Hosts of the last days that are looked at for a batch without a history of its own. */
const ACTIVE_SECONDS = 3 * 86_400;
const MOST_HOSTS = 1000;
/** Batches with so many instances of their own need no records of hosts. */
const ENOUGH = 30;
/** Hosts ask when they are out of work, and have other projects too. */
const WAITING_FACTOR = 2;

/** The newest jobs of a batch tell what its jobs are like: they were submitted together. */
const LIKE = 200;
/** Bins of time are of no interest here: as few of them as possible. */
const NO_BINS = 1e9;

/** The newest results of an app that are looked at for ones like those of a batch without a history of its own, … */
const EARLIER = 400;
/** … among so many instances of the project, for a batch may have failed as a whole, … */
const EARLIER_AMONG = 10_000;
/** … and how many must be like them, so that they say more than the hosts' records. */
const ENOUGH_EARLIER = 5;

/** What is asked about: a batch as it was counted. */
export type EtaBatch = Pick<Batch, 'id' | 'counts'>;

/** Jobs of which a result may come. */
const OPEN: readonly JobState[] = ['created', 'queued', 'running', 'validating', 'retrying', 'collecting'];

/**
 * When an unfinished batch will be over; `undefined` when nothing lets one know, and when no result is waited for any more: it is
 * over, empty, or cancelled. `sums` are those of all its instances; without them they are read, block by block. Reads only.
 */
export async function batchEta(db: Queries, batch: EtaBatch, sums?: InstanceSums): Promise<Eta | undefined> {
	if (OPEN.every((state) => batch.counts[state] === 0)) {
		return undefined;
	}
	const now = await serverTime(db);
	const known = sums ?? (await readSums(db, batch.id, now));
	return estimateEnd(await etaInput(db, batch, known, now), seededRandom(batch.id));
}

async function readSums(db: Queries, batchId: number, now: number): Promise<InstanceSums> {
	const all = new InstanceSums(NO_BINS);
	for (const block of await instanceBlocks(db, batchId)) {
		all.add(await blockSums(db, batchId, block, { now, step: NO_BINS }));
	}
	return all;
}

/** What an estimate needs to know of a batch. */
async function etaInput(db: Queries, { id, counts }: EtaBatch, sums: InstanceSums, now: number): Promise<EtaInput> {
	const [jobs = {}] = await db.select(
		`SELECT MAX(delay_bound) AS delay_bound, MAX(max_total_results) AS tries, MAX(rsc_fpops_est) AS fpops, MAX(target_nresults) AS copies,
			MAX(appid) AS app
		FROM (SELECT appid, delay_bound, max_total_results, rsc_fpops_est, target_nresults FROM workunit FORCE INDEX (wu_batch)
			WHERE batch = ? ORDER BY id DESC LIMIT ?) newest`,
		[id, LIKE],
	);
	const of = (kind: InstanceKind): Durations => sums.turnarounds.get(kind) ?? new Map<number, number>();
	const needsRecords = sums.count('good') < ENOUGH;
	const hosts = needsRecords ? await activeHosts(db, now - ACTIVE_SECONDS, MOST_HOSTS) : [];
	const fpops = number(jobs, 'fpops');
	const records = fromHosts(hosts, fpops);
	const earlier = needsRecords ? await earlierTurnarounds(db, { app: number(jobs, 'app'), batch: id, fpops }) : [];
	const isKnown = earlier.length >= ENOUGH_EARLIER;
	return {
		now,
		queued: sums.count('unsent') + counts.created * Math.max(1, number(jobs, 'copies')),
		running: of('out'),
		succeeded: of('good'),
		failed: of('bad'),
		noReply: sums.count('lost'),
		delayBound: Math.max(60, number(jobs, 'delay_bound')),
		maxTries: Math.max(1, number(jobs, 'tries')),
		secondsSinceFirst: Number.isFinite(sums.firstSent) ? Math.max(0, now - sums.firstSent) : 0,
		...records,
		...(isKnown && { prior: earlier }),
		priorBasis: isKnown ? 'earlier' : 'records',
	};
}

/**
 * Seconds from sending to report of the app's newest results of other batches whose jobs were said to be as long. Most people say nothing
 * of the time, or the same as the last time, so this is nearer to the truth than the time that a job is allowed.
 */
async function earlierTurnarounds(
	db: Queries,
	{ app, batch, fpops }: { readonly app: number; readonly batch: number; readonly fpops: number },
): Promise<number[]> {
	const rows = await db.select(
		`SELECT r.received_time - r.sent_time AS seconds
		FROM (SELECT workunitid, sent_time, received_time FROM result FORCE INDEX (res_app_state)
			WHERE appid = ? AND server_state = 5 AND id > (SELECT MAX(id) FROM result) - ?
				AND batch <> ? AND outcome = 1 AND received_time > sent_time
			ORDER BY id DESC LIMIT ?) r
		JOIN workunit w ON w.id = r.workunitid
		WHERE w.rsc_fpops_est = ?`,
		[app, EARLIER_AMONG, batch, EARLIER, fpops],
	);
	return rows.map((row) => number(row, 'seconds'));
}

/** What the hosts' own records let expect of a job of this size. */
function fromHosts(hosts: readonly HostRecord[], fpops: number): Pick<EtaInput, 'prior' | 'priorSlots'> {
	const able = hosts.filter((host) => !host.blocked && ((host.engine !== '' && !host.engineForbidden) || host.virtualbox !== ''));
	return {
		prior: able.map((host) => (fpops / host.flops / host.activeFraction) * WAITING_FACTOR + 60),
		priorSlots: able.reduce((sum, { processors }) => sum + processors, 0),
	};
}
