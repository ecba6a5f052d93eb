import type { ContextSize } from '../../image/build/contextSize.js';
import type { ImageDetails } from '../../image/engine/inspection.js';
import type { ImageCost } from '../../job/imageCost.js';
import type { BuildRun } from './buildRun.js';
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
	context?: ContextSize | undefined;
	images?: readonly ImageDetails[];
	selected?: string;
	cost?: CostRun;
	serverPush?: PushRun;
	registryPush?: PushRun;
	/** Steps whose logs are unfolded. */
	readonly openSteps: Set<string>;
}

/** The states of all Dockerfiles, by their ids. */
export class SourceStates {
	readonly #states = new Map<string, SourceState>();

	of({ id }: ImageSource): SourceState {
		const known = this.#states.get(id) ?? { openSteps: new Set() };
		this.#states.set(id, known);
		return known;
	}

	/** The image that cost and push are about: the one that was chosen, or the first. */
	selected(source: ImageSource): ImageDetails | undefined {
		const { images = [], selected } = this.of(source);
		return images.find(({ id }) => id === selected) ?? images[0];
	}

	/** What goes on with one Dockerfile. */
	running(source: ImageSource): readonly Run<unknown>[] {
		const { build, serverPush, registryPush, cost } = this.of(source);
		return [build, serverPush, registryPush, cost].flatMap((run) => (run?.state === 'running' ? [run] : []));
	}
}
