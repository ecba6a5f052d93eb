import type { BuildLog, BuildStep } from '../../image/build/buildLog.js';
import type { Engine } from '../../image/engine.js';
import type { BuildOptions } from '../../protocol/imagesPage.js';
import type { Core } from '../services.js';
import { type ImageSource, tagFor } from './imageSource.js';
import { Run, type RunPorts } from './run.js';

/** Milliseconds that a build waits for the size of what the builder is given. Counting goes on beside it. */
const COUNT_MS = 2000;

/** An image that a build has made. */
export interface BuiltImage {
	readonly id: string;
	readonly name: string;
}

/** A build of one Dockerfile, for one platform or for both one after the other. */
export class BuildRun extends Run<readonly BuiltImage[]> {
	readonly source: ImageSource;
	readonly #ports: RunPorts;
	readonly #logs: BuildLog[] = [];

	constructor(source: ImageSource, ports: RunPorts) {
		super(ports);
		this.source = source;
		this.#ports = ports;
	}

	/** Steps of all platforms, with the platform's number in front of each id. */
	get steps(): readonly BuildStep[] {
		return this.#logs.length < 2
			? (this.#logs[0]?.steps ?? [])
			: this.#logs.flatMap((log, index) => log.steps.map((step) => ({ ...step, id: `${index}.${step.id}` })));
	}

	/** Builds, once it is `counted` what the builder is given or that takes long. Rejects as `find` and `Engine.build` do. */
	build(
		core: Core,
		{ find, counted }: { readonly find: () => Promise<Engine>; readonly counted: Promise<void> },
		options: BuildOptions,
	): Promise<readonly BuiltImage[]> {
		const { source } = this;
		return this.start(async (ctx) => {
			const engine = await find();
			await Promise.race([counted, ctx.clock.sleep(COUNT_MS, ctx.signal)]);
			const built: BuiltImage[] = [];
			for (const { platform, tag } of targetsOf(options)) {
				const log = new core.BuildLog(() => ctx.clock.now());
				this.#logs.push(log);
				const request = {
					contextDir: source.contextDir,
					dockerfile: source.dockerfile.fsPath,
					buildArgs: { ...source.defaults.args, ...options.args },
					...(options.target !== '' && { target: options.target }),
					...(platform !== undefined && { platform }),
					...(tag !== '' && { tag }),
					onLog: (line: string): void => {
						log.add(line);
						this.#ports.onChange();
					},
				};
				try {
					built.push({ id: await engine.build(request, ctx), name: tag });
					log.finish('done');
				} catch (error) {
					log.finish(ctx.signal?.aborted ? 'cancelled' : 'failed');
					throw error;
				}
			}
			return built;
		});
	}
}

function targetsOf({ platform, tag }: BuildOptions): { readonly platform: string | undefined; readonly tag: string }[] {
	switch (platform) {
		case 'own':
			return [{ platform: undefined, tag }];
		case 'both':
			return ['linux/amd64', 'linux/arm64'].map((each) => ({ platform: each, tag: tag === '' ? '' : tagFor(tag, each) }));
		default:
			return [{ platform, tag }];
	}
}
