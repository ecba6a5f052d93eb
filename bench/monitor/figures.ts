/** The batch with most jobs. */
export const LARGE_BATCH = 1;

const REPEATS = 15;

/** Milliseconds that something takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
	const start = performance.now();
	await work();
	return performance.now() - start;
}

/** The median of what `work` measures. */
export async function repeated(work: () => Promise<number>, times = REPEATS): Promise<number> {
	const values: number[] = [];
	for (let n = 0; n < times; n++) {
		values.push(await work());
	}
	return median(values);
}

export function median(values: readonly number[]): number {
	return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}
