/** Runs `work` on all items, `limit` at a time. The first failure is thrown after the running ones have settled. */
export async function eachParallel<T>(items: readonly T[], limit: number, work: (item: T) => Promise<void>): Promise<void> {
	const queue = items.values();
	let failed = false;
	const worker = async (): Promise<void> => {
		for (const item of queue) {
			if (failed) {
				return;
			}
			try {
				await work(item);
			} catch (error) {
				failed = true;
				throw error;
			}
		}
	};
	const settled = await Promise.allSettled(Array.from({ length: Math.min(limit, items.length) }, worker));
	const failure = settled.find((result) => result.status === 'rejected');
	if (failure) {
		throw failure.reason as Error;
	}
}
