import { bucketOf, bucketStart, type Durations, totalOf } from './logBuckets.js';

/** A source of numbers from 0 to 1. */
export type Random = () => number;

/** Weight of the hosts' records in comparison with what this batch has shown, in instances. */
const PRIOR_WEIGHT = 4;
/** Pareto exponent beyond what has been seen; volunteers' hosts have heavy tails. */
const TAIL = 1.7;

/**
 * The time from sending an instance to its report, as this batch has shown it so far: a Kaplan-Meier estimate, in which
 * instances that are still out count with their age. Without them the fast hosts, which report first, would make everything
 * look too quick.
 */
export class Turnaround {
	/** Ends of buckets and the probability of not having reported by then, descending. */
	readonly #steps: readonly { readonly from: number; readonly to: number; readonly survival: number }[];
	/** Seconds from which nothing is known but that it takes longer. */
	readonly #last: number;

	constructor(reported: Durations, out: Durations, prior: readonly number[]) {
		const events = new Map(reported);
		for (const seconds of prior) {
			const bucket = bucketOf(seconds);
			events.set(bucket, (events.get(bucket) ?? 0) + PRIOR_WEIGHT / prior.length);
		}
		let risk = totalOf(events) + totalOf(out);
		let survival = 1;
		const steps: { from: number; to: number; survival: number }[] = [];
		for (const bucket of [...new Set([...events.keys(), ...out.keys()])].sort((a, b) => a - b)) {
			const count = events.get(bucket) ?? 0;
			const censored = out.get(bucket) ?? 0;
			if (count > 0 && risk > 0) {
				// Half of those that are out with this age were at risk when the others reported.
				survival *= 1 - count / Math.max(count, risk - censored / 2);
				steps.push({ from: bucketStart(bucket), to: bucketStart(bucket + 1), survival });
			}
			risk -= count + censored;
		}
		this.#steps = steps;
		const last = steps.at(-1)?.to ?? 60;
		this.#last = Math.max(last, medianAbove(out, last));
	}

	/** Seconds of a whole turnaround of an instance that has been out for `age` seconds already. */
	sample(random: Random, age = 0): number {
		const start = this.#survivalAt(age);
		if (start <= 0) {
			return this.#tail(random, age);
		}
		const target = start * random();
		const step = this.#steps.find(({ survival, to }) => survival <= target && to > age);
		if (!step) {
			return this.#tail(random, age);
		}
		return Math.max(age, step.from + random() * (step.to - step.from));
	}

	/** Mean of `count` samples, each at most `limit`. */
	mean(random: Random, limit: number, count = 200): number {
		let sum = 0;
		for (let i = 0; i < count; i++) {
			sum += Math.min(limit, this.sample(random));
		}
		return sum / count;
	}

	#survivalAt(age: number): number {
		let survival = 1;
		for (const step of this.#steps) {
			if (step.to > age) {
				break;
			}
			({ survival } = step);
		}
		return survival;
	}

	#tail(random: Random, age: number): number {
		return Math.max(age, this.#last) * (1 - random()) ** (-1 / TAIL);
	}
}

/** The middle one of the ages above `limit`: one host that has vanished must not count for all. 0 when there is none. */
function medianAbove(ages: Durations, limit: number): number {
	const above = [...ages].filter(([bucket]) => bucketStart(bucket) > limit).sort((a, b) => a[0] - b[0]);
	let left = above.reduce((sum, [, count]) => sum + count, 0) / 2;
	for (const [bucket, count] of above) {
		left -= count;
		if (left <= 0) {
			return bucketStart(bucket);
		}
	}
	return 0;
}
