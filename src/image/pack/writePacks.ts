import { availableParallelism } from 'node:os';

import type { OperationContext } from '../../common/ports.js';
import type { Pack } from '../types.js';
import type { DigestedTree, PackPlanning } from './planPacks.js';
import { writePack } from './writePack.js';

/**
 * Writes the packs that are to be made into `dir`, a few at a time (compression runs on the threads of the runtime's pool),
 * and yields each when it is done, in any order. Whoever takes them slowly slows the writing down. Leaving the loop early
 * stops it.
 */
export async function* writePacks(
	{ fresh, generation }: PackPlanning,
	image: DigestedTree,
	dir: string,
	ctx: OperationContext,
): AsyncGenerator<Pack, void, undefined> {
	const total = fresh.reduce((sum, plan) => sum + plan.size, 0);
	let done = 0;
	const onBytes = (count: number): void => {
		done += count;
		ctx.progress.report({ message: 'Packing the image', current: Math.min(done, total), total, unit: 'bytes' });
	};
	// One failure stops the others, and none may still write when the caller removes the folder.
	const stop = new AbortController();
	const signal = ctx.signal ? AbortSignal.any([ctx.signal, stop.signal]) : stop.signal;
	// One more than there are processors: each waits for contents now and then.
	const limit = 1 + Math.min(4, availableParallelism());
	const running = new Map<number, Promise<{ readonly index: number; readonly pack: Pack }>>();
	try {
		for (let next = 0; next < fresh.length || running.size > 0;) {
			const plan = fresh[next];
			if (plan && running.size < limit) {
				const index = next++;
				const work = writePack(plan, image, { dir, index, generation, onBytes, signal }).then((pack) => ({ index, pack }));
				work.catch(() => undefined);
				running.set(index, work);
				continue;
			}
			const { index, pack } = await Promise.race(running.values());
			running.delete(index);
			yield pack;
		}
	} finally {
		stop.abort();
		await Promise.allSettled(running.values());
	}
}
