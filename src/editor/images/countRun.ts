import type { ContextSize } from '../../image/build/contextSize.js';
import type { Core } from '../services.js';
import type { ImageSource } from './imageSource.js';
import { Run, type RunPorts } from './run.js';

/** Counts what a build of a Dockerfile will be given, however many files that are. */
export class CountRun extends Run<ContextSize> {
	readonly #ports: RunPorts;
	#soFar: ContextSize | undefined;
	#ended: Promise<unknown> = Promise.resolve();

	/** Shows the `former` size until there is another. */
	constructor(former: ContextSize | undefined, ports: RunPorts) {
		super(ports);
		this.#soFar = former;
		this.#ports = ports;
	}

	/** What is counted so far; `undefined` as long as nothing is, and where nothing can be counted. */
	get size(): ContextSize | undefined {
		return this.state === 'failed' ? undefined : (this.value ?? this.#soFar);
	}

	/** Resolves when it is over, however it ends. */
	async ended(): Promise<void> {
		await this.#ended.catch(() => undefined);
	}

	/** Counts, once. Rejects as `contextSize` does. */
	count({ contextDir, dockerfile }: ImageSource, core: () => Promise<Core>): Promise<ContextSize> {
		const counting = this.start(async ({ signal }) => {
			const { contextSize } = await core();
			const onProgress = (soFar: ContextSize): void => {
				this.#soFar = soFar;
				this.#ports.onChange();
			};
			return contextSize(contextDir, dockerfile.fsPath, { signal, onProgress });
		});
		this.#ended = counting;
		return counting;
	}
}
