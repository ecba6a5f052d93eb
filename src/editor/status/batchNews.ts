import { isFinalBatchState } from '../../monitor/jobState.js';
import type { Batch } from '../../monitor/types.js';

/** What is told of a watched batch, each once. */
export type News = 'ended' | 'firstFailure' | 'threshold';

/** What there is to tell of a batch. Its end makes the rest old. `threshold` is a share from 0 to 1, 0 for none. */
export function newsOf({ state, counts, total, uncounted }: Batch, threshold: number): News[] {
	if (uncounted === true) {
		return [];
	}
	if (isFinalBatchState(state)) {
		return ['ended'];
	}
	return [
		...(counts.failed > 0 ? (['firstFailure'] as const) : []),
		...(threshold > 0 && total > 0 && state !== 'preparing' && counts.done / total >= threshold ? (['threshold'] as const) : []),
	];
}
