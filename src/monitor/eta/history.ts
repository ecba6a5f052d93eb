import { activeHosts, type HostRecord } from '../explain/hostRecord.js';
import { instanceBlocks } from '../instanceBlocks.js';
import { blockSums, type InstanceKind, InstanceSums } from '../instanceSums.js';
import { type Queries, serverTime } from '../queries.js';
import { number } from '../rows.js';
import type { Batch } from '../types.js';
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

/** What is asked about: a batch as it was counted. */
export type EtaBatch = Pick<Batch, 'id' | 'counts'>;

/**
 * When an unfinished batch will be over; `undefined` when nothing lets one know. `sums` are those of all its instances; without them they
 * are read, block by block. Reads only.
 */
export async function batchEta(db: Queries, batch: EtaBatch, sums?: InstanceSums): Promise<Eta | undefined> {
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
		`SELECT MAX(delay_bound) AS delay_bound, MAX(max_total_results) AS tries, MAX(rsc_fpops_est) AS fpops, MAX(target_nresults) AS copies
		FROM (SELECT delay_bound, max_total_results, rsc_fpops_est, target_nresults FROM workunit FORCE INDEX (wu_batch)
			WHERE batch = ? ORDER BY id DESC LIMIT ?) newest`,
		[id, LIKE],
	);
	const of = (kind: InstanceKind): Durations => sums.turnarounds.get(kind) ?? new Map<number, number>();
	const needsRecords = sums.count('good') < ENOUGH;
	const hosts = needsRecords ? await activeHosts(db, now - ACTIVE_SECONDS, MOST_HOSTS) : [];
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
