/** Durations are counted in buckets that grow by an eighth of an octave (9 %), so that a batch of any size is a few rows. */
const PER_OCTAVE = 8;

/** SQL for the bucket of a number of seconds; the same as `bucketOf`. */
export const bucketSql = (seconds: string): string => `FLOOR(LOG2(GREATEST(${seconds}, 1)) * ${PER_OCTAVE})`;

export const bucketOf = (seconds: number): number => Math.floor(Math.log2(Math.max(seconds, 1)) * PER_OCTAVE);

/** The smallest number of seconds of a bucket. */
export const bucketStart = (bucket: number): number => 2 ** (bucket / PER_OCTAVE);

/** How many durations there are in each bucket. */
export type Durations = ReadonlyMap<number, number>;

export const totalOf = (durations: Durations): number => [...durations.values()].reduce((sum, count) => sum + count, 0);

/** The buckets of a list of seconds. */
export function durationsOf(seconds: readonly number[]): Map<number, number> {
	const counts = new Map<number, number>();
	for (const value of seconds) {
		const bucket = bucketOf(value);
		counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
	}
	return counts;
}
