import type { InstanceSums } from '../instanceSums.js';

/** How a batch went on, in equal steps of time. Counts are of instances. */
export interface Timeline {
	/** UNIX seconds of the first step's beginning, and the length of a step. */
	readonly start: number;
	readonly step: number;
	/** Reported in each step: with success, and not. */
	readonly succeeded: readonly number[];
	readonly failed: readonly number[];
	/** On hosts at the end of each step. */
	readonly running: readonly number[];
}

const STEPS = 96;
/** Steps are whole numbers of these, so that the axis has round times. Each divides the next. */
const ROUND = [1, 5, 15, 60, 300, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400, 604_800] as const;
/** So many times finer is what is read, so that the picture can be made coarser without reading again. */
const FINER = 2;

const stepFor = (seconds: number): number => ROUND.find((step) => step * STEPS >= seconds) ?? Math.ceil(seconds / STEPS);

/** Seconds of a bin to read sums with, for a batch that lasts about so long; finer than the picture needs. */
export function stepToRead(seconds: number): number {
	const at = ROUND.findIndex((step) => step * STEPS >= seconds);
	return ROUND[Math.max(0, (at < 0 ? ROUND.length : at) - FINER)] ?? 1;
}

/** When the batch's story ends: now, if something is still out. UNIX seconds. */
const endOf = (sums: InstanceSums, now: number): number =>
	Math.max(sums.firstSent + 1, sums.count('out') > 0 ? now : sums.lastEvent);

/** Whether sums have bins that suit a picture of them: not coarser, and not very much finer. */
export function suits(sums: InstanceSums, now: number): boolean {
	const wanted = stepFor(endOf(sums, now) - sums.firstSent);
	return sums.firstSent === Infinity || (sums.step <= wanted && sums.step * 100 >= wanted);
}

/** The timeline of a batch from its sums; `undefined` before anything was sent. Pure. */
export function timelineOf(sums: InstanceSums, now: number): Timeline | undefined {
	const first = sums.firstSent;
	if (first === Infinity) {
		return undefined;
	}
	const last = endOf(sums, now);
	const step = Math.max(sums.step, stepFor(last - first));
	const start = Math.floor(first / step) * step;
	const length = Math.min(2 * STEPS, Math.floor((last - start) / step) + 1);
	const binned = (counts: ReadonlyMap<number, number>): number[] => {
		const steps = new Array<number>(length).fill(0);
		for (const [bin, n] of counts) {
			const at = Math.min(length - 1, Math.max(0, Math.floor((bin * sums.step - start) / step)));
			steps[at] = (steps[at] ?? 0) + n;
		}
		return steps;
	};
	const [sent, succeeded, failed] = [binned(sums.sent), binned(sums.succeeded), binned(sums.failed)];
	let out = 0;
	const running = sent.map((n, bin) => (out += n - (succeeded[bin] ?? 0) - (failed[bin] ?? 0)));
	return { start, step, succeeded, failed, running };
}
