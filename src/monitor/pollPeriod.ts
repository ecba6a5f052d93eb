/** What a poll found, as far as it decides when the next one comes. */
export type PollOutcome = 'moved' | 'still' | 'all-over' | 'failed';

/** Milliseconds between two polls while something moves: with drawing, a change is seen within three seconds. */
export const FASTEST = 1_500;
/** The most, by what there is to wait for. */
const SLOWEST: Readonly<Record<PollOutcome, number>> = { moved: FASTEST, still: 10_000, 'all-over': 30_000, failed: 30_000 };
const GROWTH: Readonly<Record<PollOutcome, number>> = { moved: 1, still: 1.2, 'all-over': 1.5, failed: 2 };

/** Milliseconds until the next poll. */
export function nextPeriod(before: number, outcome: PollOutcome): number {
	return outcome === 'moved' ? FASTEST : Math.min(Math.max(FASTEST, before) * GROWTH[outcome], SLOWEST[outcome]);
}
