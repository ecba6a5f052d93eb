import type { ImageDetails } from '../../image/engine/inspection.js';
import type { ImageCost } from '../../job/imageCost.js';
import type { BuildRun } from './buildRun.js';
import type { CountRun } from './countRun.js';
import type { ImageMemory } from './imageMemory.js';
import type { ImageSource } from './imageSource.js';
import type { PushRun } from './pushRun.js';
import type { Run } from './run.js';

/** What an image costs, and with which server that was worked out. */
export interface CostRun extends Run<ImageCost> {
	readonly image: string;
	readonly serverId: string | undefined;
}

/** What is known and what is going on with one Dockerfile. */
export interface SourceState {
	build?: BuildRun;
	/** What a build is given. */
	count?: CountRun;
	images?: readonly ImageDetails[];
	cost?: CostRun;
	serverPush?: PushRun;
	registryPush?: PushRun;
	/** Steps whose logs are unfolded. */
	readonly openSteps: Set<string>;
}

/** The states of all Dockerfiles, by their ids. */
export class SourceStates {
	readonly #states = new Map<string, SourceState>();
	readonly #memory: ImageMemory;

	constructor(memory: ImageMemory) {
		this.#memory = memory;
	}

	of({ id }: ImageSource): SourceState {
		const known = this.#states.get(id) ?? { openSteps: new Set() };
		this.#states.set(id, known);
		return known;
	}

	/** The image that cost and push are about: the one that was chosen, or the first. */
	selected(source: ImageSource): ImageDetails | undefined {
		const { images = [] } = this.of(source);
		const selected = this.#memory.selected(source);
		return images.find(({ id }) => id === selected) ?? images[0];
	}

	/** Ends what is counted, but for builds that run. */
	stopCounts(): void {
		for (const { count, build } of this.#states.values()) {
			if (build?.state !== 'running') {
				count?.cancel();
			}
		}
	}

	/** What goes on with one Dockerfile. */
	running(source: ImageSource): readonly Run<unknown>[] {
		const { build, serverPush, registryPush, cost, count } = this.of(source);
		return [build, serverPush, registryPush, cost, count].flatMap((run) => (run?.state === 'running' ? [run] : []));
	}
}
