import { EventHeap } from './eventHeap.js';
import { bucketStart, type Durations, totalOf } from './logBuckets.js';
import { type Random, Turnaround } from './turnaround.js';

/** A batch as far as its end depends on it. Times in seconds. */
export interface EtaInput {
	/** The database's clock, UNIX seconds. */
	readonly now: number;
	/** Instances that wait for a host, those of jobs that have none yet included. */
	readonly queued: number;
	/** Ages of the instances that are on hosts. */
	readonly running: Durations;
	/** From sending to report, of instances that succeeded. */
	readonly succeeded: Durations;
	/** From sending to report, of instances that failed on a host. */
	readonly failed: Durations;
	/** Instances that did not come back before their deadline. */
	readonly noReply: number;
	/** From sending to deadline. */
	readonly delayBound: number;
	/** Most instances of a job. */
	readonly maxTries: number;
	/** Since the first instance was sent; 0 when none was. */
	readonly secondsSinceFirst: number;
	/** Turnarounds of this kind of job that earlier jobs or the hosts' records let expect; may be empty. */
	readonly prior: readonly number[];
	readonly priorBasis: 'earlier' | 'records';
	/** Processors of the hosts that may take the jobs. */
	readonly priorSlots: number;
}

export interface Eta {
	/** UNIX seconds: as likely earlier as later. */
	readonly p50: number;
	/** UNIX seconds: in nine cases of ten it is over by then. */
	readonly p90: number;
	/** What the estimate rests on: this batch's own instances, those of earlier batches with jobs like these, or only the hosts' records. */
	readonly basis: 'history' | EtaInput['priorBasis'];
}

const TRIALS = 120;
/** Fewer trials of a batch with thousands of instances on hosts: what is drawn in all stays below this. */
const MOST_DRAWN = 100_000;
const LEAST_TRIALS = 24;
/** Instances that are followed one by one in a trial; what is queued before them drains as a whole. */
const FOLLOWED = 600;
/** From a failure to the next instance's way to a host, as a share of the typical turnaround. */
const GAP_SHARE = 0.2;
const LEAST_GAP = 60;
/** Validating and collecting the last result. */
const AFTERWARDS = 20;
/** Spread (of a logarithm) by which a fleet's pace changes while one looks away: days and nights, hosts that come and go. */
const PACE_SPREAD = 0.24;
/** Found by `npm run bench -- eta`: what has been seen of the fleet is always less than what can happen. */
const CAUTION = 1.2;

/**
 * When the batch will be over, from simulated ends: the same fleet goes on as it did, instances take as long as they took,
 * fail and vanish as often. `undefined` when nothing lets one know: no host, no history. Pure, given `random`.
 */
export function estimateEnd(input: EtaInput, random: Random): Eta | undefined {
	const { now, queued, running, succeeded, prior } = input;
	const remaining = queued + totalOf(running);
	if (remaining === 0) {
		return { p50: now + AFTERWARDS / 2, p90: now + AFTERWARDS, basis: 'history' };
	}
	const seen = totalOf(succeeded);
	if (seen === 0 && prior.length === 0) {
		return undefined;
	}
	const fleet = fleetOf(input, random);
	if (fleet.slots === 0) {
		return undefined;
	}
	const drawn = totalOf(running) + Math.min(queued, FOLLOWED);
	const trials = Math.round(Math.min(TRIALS, Math.max(LEAST_TRIALS, MOST_DRAWN / drawn)));
	const ends = Array.from({ length: trials }, () => trial(input, fleet, random)).sort((a, b) => a - b);
	const at = (share: number): number => ends[Math.min(ends.length - 1, Math.floor(share * ends.length))] ?? 0;
	const p50 = at(0.5);
	return {
		p50: now + p50 + AFTERWARDS / 2,
		p90: now + Math.max(p50, at(0.9) * CAUTION) + AFTERWARDS,
		basis: seen >= 3 ? 'history' : input.priorBasis,
	};
}

interface Fleet {
	readonly turnaround: Turnaround;
	readonly failing: Turnaround | undefined;
	readonly failureShare: number;
	readonly slots: number;
	/** Seconds that a slot is taken by an instance, on average. */
	readonly mean: number;
	/** Spread of the pace of a trial. */
	readonly spread: number;
}

function fleetOf(input: EtaInput, random: Random): Fleet {
	const [seen, failures, out] = [totalOf(input.succeeded), totalOf(input.failed), totalOf(input.running)];
	const turnaround = new Turnaround(input.succeeded, input.running, input.prior);
	const mean = turnaround.mean(random, input.delayBound);
	// While the batch starts, hosts have not all asked yet.
	const starting = input.queued > 0 && input.secondsSinceFirst < mean;
	const slots = starting ? Math.max(out, Math.sqrt(Math.max(1, out) * Math.max(1, input.priorSlots))) : Math.max(out, 1);
	return {
		turnaround,
		failing: failures > 0 ? new Turnaround(input.failed, new Map(), []) : undefined,
		failureShare: (failures + 0.2) / (failures + seen + 10),
		slots: out === 0 && input.priorSlots === 0 ? 0 : Math.max(1, Math.round(slots)),
		mean,
		spread: Math.sqrt(PACE_SPREAD ** 2 + 0.5 / (1 + seen)),
	};
}

/** Sums of twelve uniform numbers are normal enough. */
function lognormal(random: Random, spread: number): number {
	let sum = -6;
	for (let i = 0; i < 12; i++) {
		sum += random();
	}
	return Math.exp(sum * spread);
}

/** Values of events: an instance that ends well or badly at its n-th try, or one that may be sent again. */
const GOOD = 0;
const BAD = 1000;
const AGAIN = 2000;

/** One way in which it may go on. Returns seconds until the end. */
function trial(input: EtaInput, fleet: Fleet, random: Random): number {
	const pace = lognormal(random, fleet.spread);
	const events = new EventHeap();
	const gap = Math.max(LEAST_GAP, fleet.mean * GAP_SHARE);
	let idle = Math.max(0, fleet.slots - totalOf(input.running));
	let fresh = Math.min(input.queued, Math.max(FOLLOWED, fleet.slots));
	const again: number[] = [];
	const drain = ((input.queued - fresh) * fleet.mean * pace * (1 + fleet.failureShare)) / fleet.slots;

	const send = (time: number, tries: number): void => {
		if (random() < fleet.failureShare) {
			events.push(time + Math.min(input.delayBound, fleet.failing?.sample(random) ?? fleet.mean / 2), BAD + tries);
			return;
		}
		const seconds = fleet.turnaround.sample(random) * pace;
		events.push(time + Math.min(seconds, input.delayBound), (seconds > input.delayBound ? BAD : GOOD) + tries);
	};
	const fill = (time: number): void => {
		while (idle > 0 && (again.length > 0 || fresh > 0)) {
			const tries = again.pop() ?? 1;
			fresh -= tries === 1 ? 1 : 0;
			idle -= 1;
			send(time, tries);
		}
	};
	for (const [bucket, count] of input.running) {
		const age = bucketStart(bucket);
		for (let i = 0; i < count; i++) {
			const seconds = fleet.turnaround.sample(random, age) * (age > fleet.mean ? 1 : pace);
			const bad = seconds > input.delayBound || random() < fleet.failureShare;
			events.push(Math.max(0, Math.min(seconds, input.delayBound) - age), (bad ? BAD : GOOD) + 1);
		}
	}
	fill(0);
	let end = 0;
	for (let event = events.pop(); event; event = events.pop()) {
		if (event.value >= AGAIN) {
			again.push(event.value - AGAIN);
		} else {
			idle += 1;
			end = Math.max(end, event.time);
			const tries = event.value - BAD;
			if (event.value >= BAD && tries < input.maxTries) {
				events.push(event.time - gap * Math.log(1 - random()), AGAIN + tries + 1);
			}
		}
		fill(event.time);
	}
	return end + drain;
}
