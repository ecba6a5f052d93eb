import { bucketStart } from '../eta/logBuckets.js';

/** Bars of equal width on a logarithmic axis. */
export interface Histogram {
	/** Seconds at the edges; one more than there are bars. */
	readonly edges: readonly number[];
	readonly counts: readonly number[];
	/** Seconds. */
	readonly median: number;
	readonly p90: number;
}

const MOST_BARS = 28;

/** Bars from counts by bucket; `undefined` without any. Pure. */
export function histogram(buckets: ReadonlyMap<number, number>): Histogram | undefined {
	const keys = [...buckets.keys()].sort((a, b) => a - b);
	const [first, last] = [keys[0], keys.at(-1)];
	if (first === undefined || last === undefined) {
		return undefined;
	}
	const width = Math.max(1, Math.ceil((last - first + 1) / MOST_BARS));
	const bars = Math.max(1, Math.ceil((last - first + 1) / width));
	const counts = new Array<number>(bars).fill(0);
	for (const [bucket, n] of buckets) {
		const bar = Math.floor((bucket - first) / width);
		counts[bar] = (counts[bar] ?? 0) + n;
	}
	const total = counts.reduce((sum, n) => sum + n, 0);
	const quantile = (share: number): number => {
		let sum = 0;
		for (const key of keys) {
			sum += buckets.get(key) ?? 0;
			if (sum >= share * total) {
				return (bucketStart(key) + bucketStart(key + 1)) / 2;
			}
		}
		return bucketStart(last);
	};
	return {
		edges: Array.from({ length: bars + 1 }, (_, bar) => bucketStart(first + bar * width)),
		counts,
		median: quantile(0.5),
		p90: quantile(0.9),
	};
}
