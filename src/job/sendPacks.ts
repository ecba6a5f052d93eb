import { throwIfAborted } from '../common/errors.js';
import { type OperationContext, type Progress, silentProgress } from '../common/ports.js';
import type { FlatImage } from '../image/flattenImage.js';
import type { PackPlanning } from '../image/pack/planPacks.js';
import type { Pack } from '../image/types.js';
import type { Project } from '../project/project.js';
import { stageFiles } from '../project/staging.js';
import { packBytes } from './packBytes.js';

/** Groups of packs that are sent at a time; each is asked for, sent and confirmed by itself. */
const LANES = 3;
/** Packs that wait to be sent before compressing waits for them: they lie on the disk. */
const MOST_WAITING = 6;

export interface SentPacks {
	readonly packs: readonly Pack[];
	/** Names of those that were not there already. */
	readonly sent: readonly string[];
	/** Bytes that crossed the connection. */
	readonly bytesSent: number;
}

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
): Promise<SentPacks> {
	const stop = new AbortController();
	const signal = ctx.signal ? AbortSignal.any([ctx.signal, stop.signal]) : stop.signal;
	const packs: Pack[] = [];
	const waiting: Pack[] = [];
	const lanes = new Set<Promise<void>>();
	const failures: unknown[] = [];
	const sent: string[] = [];
	let bytesSent = 0;
	const sending = new SendingProgress(planning, ctx.progress);
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
		const size = packBytes(group);
		const progress = sending.ofGroup(size);
		const done = await stageFiles(project, group, { ...ctx, progress, signal }, { names: 'hash', damaged });
		bytesSent += done.bytesSent;
		sent.push(...done.sent);
		progress.report({ message: '', current: size });
		await Promise.all(group.map((pack) => image.discard(pack)));
	};
	try {
		for await (const pack of image.write(planning, { ...ctx, progress: sending.ofPacking, signal })) {
			packs.push(pack);
			sending.made(pack);
			waiting.push(pack);
			while (lanes.size >= LANES && waiting.length >= MOST_WAITING) {
				await Promise.race(lanes);
			}
			if (lanes.size < LANES) {
				launch();
			}
		}
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
	return { packs, sent, bytesSent };
}

/**
 * One progress for packing and sending, which go on at the same time: bytes that are sent of those that will be. Until all packs
 * are made, the rest is expected to be compressed as what there is.
 */
class SendingProgress {
	readonly #progress: Progress;
	readonly #tarBytes: number;
	readonly #groups = new Map<object, number>();
	#madeTar = 0;
	#madeBytes = 0;

	constructor({ fresh }: PackPlanning, progress: Progress) {
		this.#progress = progress;
		this.#tarBytes = fresh.reduce((sum, { size }) => sum + size, 0);
	}

	/** Shown as long as there is nothing to send. */
	get ofPacking(): Progress {
		return { report: (update) => (this.#madeTar === 0 ? this.#progress : silentProgress).report(update) };
	}

	made({ size, unpackedSize }: Pack): void {
		this.#madeTar += unpackedSize;
		this.#madeBytes += size;
		this.#report();
	}

	/** Progress of a group of packs of `size` bytes. What is taken up from an earlier try counts at once. */
	ofGroup(size: number): Progress {
		const group = {};
		return {
			report: ({ current }) => {
				this.#groups.set(group, Math.min(size, current ?? 0));
				this.#report();
			},
		};
	}

	#report(): void {
		const current = [...this.#groups.values()].reduce((sum, bytes) => sum + bytes, 0);
		const rest = Math.max(0, this.#tarBytes - this.#madeTar) * (this.#madeBytes / Math.max(1, this.#madeTar));
		const total = Math.max(current, Math.round(this.#madeBytes + rest));
		this.#progress.report({ message: 'Sending the image', current, total, unit: 'bytes' });
	}
}
