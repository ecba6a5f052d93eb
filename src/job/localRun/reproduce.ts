import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';

import { messageOf } from '../../common/errors.js';
import type { OperationContext } from '../../common/ports.js';
import type { Engine } from '../../image/engine.js';
import type { Project } from '../../project/project.js';
import { fetchSlot } from './localSlot.js';
import { type LocalRunReport, runSlot } from './runSlot.js';

export interface ReproduceRequest {
	/** Name of the job: `b2d_7_000001`. */
	readonly job: string;
	/** Receives the program's output as it comes. */
	readonly onOutput: (chunk: Uint8Array) => void;
	/** Folder for the slot, which then stays; by default a temporary one. Made if absent. */
	readonly dir?: string;
}

/**
 * Runs a job of the project on this computer, from the files that its volunteers get. `take` gets the report while the packed
 * result is still there. Rejects as `fetchSlot`, `runSlot` and `take` do.
 */
export async function reproduce<T>(
	project: Project,
	engine: Engine,
	request: ReproduceRequest,
	take: (report: LocalRunReport) => Promise<T>,
	ctx: OperationContext,
): Promise<T> {
	const dir = request.dir ?? (await mkdtemp(path.join(slotParent(), 'b2d-reproduce-')));
	try {
		const slot = await fetchSlot(project, request.job, dir, ctx);
		return await take(await runSlot(slot, engine, request.onOutput, ctx));
	} finally {
		if (request.dir === undefined) {
			await rm(dir, { recursive: true, force: true }).catch((error: unknown) => {
				ctx.log.warn(`The folder ${dir} could not be removed: ${messageOf(error)}`);
			});
		}
	}
}

/** Engines in a virtual machine see the person's home, and not always the system's temporary folder. */
export const slotParent = (): string => (process.platform === 'darwin' ? homedir() : tmpdir());
