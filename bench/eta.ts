import { performance } from 'node:perf_hooks';

import { estimateEnd } from '../src/monitor/eta/estimate.js';
import { seededRandom } from '../src/monitor/eta/random.js';
import { FLEETS, replay } from '../test/support/fleet.js';

/** Batches of each kind of fleet, and looks at each on its way. */
const BATCHES = 24;
const LOOKS = 10;

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;

/**
 * Replays batches on made-up fleets and asks at ten times when they will be over. `p90Coverage`: share of the real ends that
 * came by the P90; `p50Coverage` the same for the P50; `p90Ratio`: the P90 in comparison with what really remained, median.
 */
export async function run(): Promise<Record<string, number | Record<string, number>>> {
	const all = { p50: 0, p90: 0, looks: 0 };
	const ratios: number[] = [];
	const errors: number[] = [];
	const times: number[] = [];
	const byFleet: Record<string, number> = {};
	const p50ByFleet: Record<string, number> = {};
	for (const [index, kind] of FLEETS.entries()) {
		const own = { p50: 0, p90: 0, looks: 0 };
		for (let batch = 0; batch < BATCHES; batch++) {
			for (const { input, remaining } of replay(kind, seededRandom(1000 * index + batch), LOOKS)) {
				const since = performance.now();
				const eta = estimateEnd(input, seededRandom(batch));
				times.push(performance.now() - since);
				if (eta) {
					own.looks += 1;
					own.p50 += eta.p50 - input.now >= remaining ? 1 : 0;
					own.p90 += eta.p90 - input.now >= remaining ? 1 : 0;
					ratios.push((eta.p90 - input.now) / remaining);
					errors.push(Math.abs(Math.log((eta.p50 - input.now) / remaining)));
				}
			}
		}
		byFleet[kind.name] = own.p90 / own.looks;
		p50ByFleet[kind.name] = own.p50 / own.looks;
		all.p50 += own.p50;
		all.p90 += own.p90;
		all.looks += own.looks;
		await Promise.resolve();
	}
	return {
		p90Coverage: all.p90 / all.looks,
		p50Coverage: all.p50 / all.looks,
		p90Ratio: median(ratios),
		p50Factor: Math.exp(median(errors)),
		worstFleet: Math.min(...Object.values(byFleet)),
		p90CoverageByFleet: byFleet,
		p50CoverageByFleet: p50ByFleet,
		estimateMs: median(times),
		looks: all.looks,
	};
}
