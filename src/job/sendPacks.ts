import { throwIfAborted } from '../common/errors.js';
import { type OperationContext, silentProgress } from '../common/ports.js';
import type { FlatImage } from '../image/flattenImage.js';
import type { PackPlanning } from '../image/pack/planPacks.js';
import type { Pack } from '../image/types.js';
import type { Project } from '../project/project.js';
import { stageFiles } from '../project/staging.js';

/** Groups of packs that are sent at a time; each is asked for, sent and confirmed by itself. */
const LANES = 3;
/** Packs that wait to be sent before compressing waits for them: they lie on the disk. */
const MOST_WAITING = 6;

/**
 * Makes the new packs of an image and sends them meanwhile: compressing needs processors and sending the network. Packs that
 * were made at the same time go together, so a slow link costs few round trips.
 */
export async function sendPacks(
	project: Project,
	image: FlatImage,
	planning: PackPlanning,
	damaged: ReadonlySet<string>,
	ctx: OperationContext,
): Promise<{ readonly packs: readonly Pack[]; readonly bytesSent: number }> {
	const stop = new AbortController();
	const signal = ctx.signal ? AbortSignal.any([ctx.signal, stop.signal]) : stop.signal;
	// What is packed is also sent before long, so one progress is enough while both go on.
	const quiet: OperationContext = { ...ctx, progress: silentProgress, signal };
	const packs: Pack[] = [];
	const waiting: Pack[] = [];
	const lanes = new Set<Promise<void>>();
	const failures: unknown[] = [];
	let bytesSent = 0;
	let bytesDone = 0;
	let packing = true;
	const report = (): void => {
		if (!packing) {
			const total = packs.reduce((sum, { size }) => sum + size, 0);
			ctx.progress.report({ message: 'Sending the image', current: bytesDone, total, unit: 'bytes' });
		}
	};
	const launch = (): void => {
		const group = waiting.splice(0);
		const lane = sendGroup(group).catch((error: unknown) => {
			failures.push(error);
			stop.abort();
		});
		const settled = lane.then(() => void lanes.delete(settled));
		lanes.add(settled);
	};
	const sendGroup = async (group: readonly Pack[]): Promise<void> => {
		const done = await stageFiles(project, group, quiet, { names: 'hash', damaged });
		bytesSent += done.bytesSent;
		for (const pack of group) {
			bytesDone += pack.size;
			await image.discard(pack);
		}
		report();
	};
	try {
		for await (const pack of image.write(planning, { ...ctx, signal })) {
			packs.push(pack);
			waiting.push(pack);
			while (lanes.size >= LANES && waiting.length >= MOST_WAITING) {
				await Promise.race(lanes);
			}
			if (lanes.size < LANES) {
				launch();
			}
		}
		packing = false;
		report();
		while (waiting.length > 0 && failures.length === 0) {
			if (lanes.size >= LANES) {
				await Promise.race(lanes);
			}
			launch();
		}
	} catch (error) {
		failures.push(error);
		stop.abort();
	}
	await Promise.all(lanes);
	throwIfAborted(ctx.signal);
	// The first failure ended the others; it is the one that tells why.
	if (failures.length > 0) {
		throw failures[0] as Error;
	}
	return { packs, bytesSent };
}
