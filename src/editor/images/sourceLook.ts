import { isAbort, messageOf } from '../../common/errors.js';
import { silentProgress } from '../../common/ports.js';
import { isSameName } from '../../image/engine/imageReference.js';
import type { ImageDetails } from '../../image/engine/inspection.js';
import type { Core } from '../services.js';
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
	#counting: AbortController | undefined;

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

	dispose(): void {
		this.#counting?.abort();
	}

	/** Counts what a build will be given, for one Dockerfile at a time: the last that was asked for. */
	async context(source: ImageSource | undefined): Promise<void> {
		if (!source) {
			return;
		}
		const { run, states, core } = this.#ports;
		this.#counting?.abort();
		const counting = new AbortController();
		this.#counting = counting;
		const { contextSize } = await core();
		const size = await contextSize(source.contextDir, source.dockerfile.fsPath, counting.signal).catch((error: unknown) => {
			if (!isAbort(error)) {
				run.log.warn(`${source.contextDir} cannot be counted: ${messageOf(error)}`);
			}
			return undefined;
		});
		if (!counting.signal.aborted) {
			states.of(source).context = size;
			run.onChange();
		}
	}
}

/** Images that were built here come first, the last built in front. */
function order(built: readonly string[], { id }: ImageDetails): number {
	const place = built.indexOf(id);
	return place < 0 ? built.length : place;
}
