import { bucketSql, bucketStart } from '../eta/logBuckets.js';
import type { Queries } from '../queries.js';

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

/** Run time and turnaround of the instances of a batch that succeeded. One statement on the index of batches. */
export async function batchHistograms(
	db: Queries,
	batchId: number,
): Promise<{ readonly runTime: Histogram | undefined; readonly turnaround: Histogram | undefined }> {
	const rows = await db.select(
		`SELECT what, bucket, COUNT(*) AS n FROM (
			SELECT 'run' AS what, ${bucketSql('elapsed_time')} AS bucket FROM result WHERE batch = ? AND server_state = 5 AND outcome = 1
			UNION ALL SELECT 'turn', ${bucketSql('received_time - sent_time')} FROM result WHERE batch = ? AND server_state = 5 AND outcome = 1
		) times GROUP BY what, bucket`,
		[batchId, batchId],
	);
	const of = (what: string): Histogram | undefined =>
		histogram(new Map(rows.filter((row) => row.what === what).map((row) => [Number(row.bucket), Number(row.n)])));
	return { runTime: of('run'), turnaround: of('turn') };
}

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
