import { isAbort, messageOf } from '../../common/errors.js';
import { silentProgress } from '../../common/ports.js';
import { isSameName } from '../../image/engine/imageReference.js';
import type { ImageDetails } from '../../image/engine/inspection.js';
import type { Core } from '../services.js';
import { CountRun } from './countRun.js';
import type { EngineFinder } from './engineState.js';
import type { ImageMemory } from './imageMemory.js';
import type { ImageSource } from './imageSource.js';
import type { RunPorts } from './run.js';
import type { SourceStates } from './sourceState.js';

export interface LookPorts {
	readonly run: RunPorts;
	readonly engine: EngineFinder;
	readonly memory: ImageMemory;
	readonly states: SourceStates;
	readonly core: () => Promise<Core>;
}

/** Finds out what there is of a Dockerfile: its local images, and what a build of it will read. What goes wrong is logged. */
export class SourceLook {
	readonly #ports: LookPorts;

	constructor(ports: LookPorts) {
		this.#ports = ports;
	}

	/** Images and size of the context, side by side. */
	async all(source: ImageSource | undefined): Promise<void> {
		if (source) {
			await Promise.all([this.images(source), this.context(source)]);
		}
	}

	/** The local images that were built from it, or have its name; the newest first. */
	async images(source: ImageSource): Promise<void> {
		const { engine, memory, states, run } = this.#ports;
		if (engine.state.kind !== 'ready') {
			return;
		}
		const ctx = { log: run.log, clock: run.clock, progress: silentProgress };
		try {
			const { tag } = memory.options(source);
			const built = memory.built(source);
			const all = await engine.state.engine.listImages(ctx);
			const mine = all.filter(
				({ id, names }) =>
					built.includes(id) || names.some((name) => [tag, source.defaults.tag].some((one) => isSameName(name, one))),
			);
			const details = await engine.state.engine.details(
				mine.map(({ id }) => id),
				ctx,
			);
			states.of(source).images = details.toSorted((a, b) => order(built, a) - order(built, b) || b.createdAt - a.createdAt);
		} catch (error) {
			run.log.warn(messageOf(error));
			engine.doubt(error);
		}
		run.onChange();
	}

	/**
	 * Counts what a build will be given; of others only while they are built. Resolves when that is over, which may take a while:
	 * the state of the Dockerfile tells how far it is.
	 */
	async context(source: ImageSource | undefined): Promise<void> {
		if (!source) {
			return;
		}
		const { run: ports, states, core } = this.#ports;
		const state = states.of(source);
		states.stopCounts();
		state.count?.cancel(); // what is built, too, is counted anew when its rules change
		const count = new CountRun(state.count?.size, ports);
		state.count = count;
		await count.count(source, core).catch((error: unknown) => {
			if (!isAbort(error)) {
				ports.log.warn(`${source.contextDir} cannot be counted: ${messageOf(error)}`);
			}
		});
	}
}

/** Images that were built here come first, the last built in front. */
function order(built: readonly string[], { id }: ImageDetails): number {
	const place = built.indexOf(id);
	return place < 0 ? built.length : place;
}
