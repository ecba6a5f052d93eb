import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';

import type { OperationContext } from '../../common/ports.js';
import type { Pack } from '../types.js';
import type { PackPlan } from './partition.js';
import { writePack, type WrittenPack } from './writePack.js';

export interface WrittenPacks {
	/** In the order of the plans. */
	readonly packs: readonly Pack[];
	/** Hash of the set of all entries; does not depend on where the tree was cut. */
	readonly treeHash: string;
	/** Bytes of all files. */
	readonly fileBytes: number;
}

/** Writes all packs into `dir`, a few at a time: compression runs on the threads of the runtime's pool. */
export async function writePacks(plans: readonly PackPlan[], dir: string, ctx: OperationContext): Promise<WrittenPacks> {
	const total = plans.reduce((sum, plan) => sum + plan.size, 0);
	let done = 0;
	const onBytes = (count: number): void => {
		done += count;
		ctx.progress.report({ message: 'Packing the image', current: Math.min(done, total), total, unit: 'bytes' });
	};
	// One failure stops the others, and none may still write when the caller removes the folder.
	const stop = new AbortController();
	const signal = ctx.signal ? AbortSignal.any([ctx.signal, stop.signal]) : stop.signal;
	const written: WrittenPack[] = [];
	const queue = [...plans.entries()];
	const work = async (): Promise<void> => {
		for (let next = queue.shift(); next; next = queue.shift()) {
			const [index, plan] = next;
			written[index] = await writePack(plan, { dir, index, onBytes, signal });
		}
	};
	const workers = Array.from({ length: Math.max(1, Math.min(4, availableParallelism())) }, () =>
		work().catch((error: unknown) => {
			stop.abort();
			queue.length = 0;
			throw error;
		}),
	);
	const results = await Promise.allSettled(workers);
	const failures = results.filter((result) => result.status === 'rejected').map((result): unknown => result.reason);
	if (failures.length > 0) {
		throw ctx.signal?.aborted ? failures[0] : (failures.find((error) => !isStop(error)) ?? failures[0]);
	}
	// A sum, for it is the same in any order: large files are taken out of the order by a limit that may change.
	const sum = BigInt.asUintN(
		256,
		written.reduce((total, { hashSum }) => total + hashSum, 0n),
	);
	return {
		packs: written.map(({ pack }) => pack),
		treeHash: createHash('sha256').update(sum.toString(16)).digest('hex'),
		fileBytes: written.reduce((sum, { fileBytes }) => sum + fileBytes, 0),
	};
}

const isStop = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError';
