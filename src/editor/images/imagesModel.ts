import { type Disposable, DisposableStore } from '../../common/disposable.js';
import { BoincError, isAbort, messageOf } from '../../common/errors.js';
import { Emitter, type Event } from '../../common/event.js';
import { STORAGE_KEYS } from '../../common/ids.js';
import type { Clock, Log, OperationContext } from '../../common/ports.js';
import type { ContextSize } from '../../image/build/contextSize.js';
import { isSameName } from '../../image/engine/imageReference.js';
import type { ImageDetails } from '../../image/engine/inspection.js';
import type { ImageCost } from '../../job/imageCost.js';
import type { ImageToShip } from '../../job/shipImage.js';
import type { BuildOptions } from '../../protocol/imagesPage.js';
import type { ServerModel } from '../servers/serverModel.js';
import type { ServerModels } from '../servers/serverModels.js';
import type { Storage } from '../servers/serverStore.js';
import type { Core } from '../services.js';
import { BuildDiagnostics } from './buildDiagnostics.js';
import { BuildRun } from './buildRun.js';
import { EngineFinder } from './engineState.js';
import { ImageMemory } from './imageMemory.js';
import type { ImageSource } from './imageSource.js';
import { PushRun } from './pushRun.js';
import { Run, type RunPorts } from './run.js';
import { SourceList } from './sourceList.js';

export interface ImagesPorts {
	readonly log: Log;
	readonly clock: Clock;
	readonly storage: Storage;
	readonly models: ServerModels;
	readonly cacheDir: string;
	readonly core: () => Promise<Core>;
}

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

/** The Dockerfiles of the workspace with their builds, images, costs and pushes. The panel shows it, commands change it. */
export class ImagesModel implements Disposable {
	readonly memory: ImageMemory;
	readonly engine: EngineFinder;
	readonly #ports: ImagesPorts;
	readonly #owned = new DisposableStore();
	readonly #changed = new Emitter<void>();
	readonly #list: SourceList;
	readonly #diagnostics: BuildDiagnostics;
	readonly #states = new Map<string, SourceState>();
	readonly #run: RunPorts;
	#counting: AbortController | undefined;

	constructor(ports: ImagesPorts) {
		this.#ports = ports;
		const onChange = (): void => this.#changed.fire();
		this.#run = { log: ports.log, clock: ports.clock, onChange };
		this.memory = new ImageMemory(ports.storage);
		this.engine = new EngineFinder({ log: ports.log, clock: ports.clock, core: ports.core, onChange });
		this.#list = this.#owned.add(new SourceList(ports.storage, ports.core));
		this.#diagnostics = this.#owned.add(new BuildDiagnostics());
		this.#owned.add(this.#list.onDidChange(onChange));
		this.#owned.add(ports.models.onDidChange(({ change }) => change?.kind !== 'batches' && onChange()));
	}

	readonly onDidChange: Event<void> = this.#changed.event;

	get sources(): readonly ImageSource[] {
		return this.#list.all();
	}
	get isLoaded(): boolean {
		return this.#list.isLoaded;
	}

	source(id: string): ImageSource | undefined {
		return this.sources.find((source) => source.id === id);
	}

	state({ id }: ImageSource): SourceState {
		const known = this.#states.get(id) ?? { openSteps: new Set() };
		this.#states.set(id, known);
		return known;
	}

	/** The Dockerfile that is unfolded. */
	get open(): ImageSource | undefined {
		const { open } = this.memory;
		return open === undefined ? undefined : this.source(open);
	}

	/** The server that images go to: the one that was used last, or the first. */
	get server(): ServerModel | undefined {
		const last = this.#ports.storage.get(STORAGE_KEYS.lastServer);
		const all = this.#ports.models.all();
		return all.find(({ server }) => server.id === last) ?? all[0];
	}

	servers(): readonly ServerModel[] {
		return this.#ports.models.all();
	}

	async setServer(id: string): Promise<void> {
		await this.#ports.storage.update(STORAGE_KEYS.lastServer, id);
		this.#changed.fire();
	}

	/** Looks for Dockerfiles and the engine, once; what goes wrong is part of the state. */
	async load(): Promise<void> {
		await Promise.all([this.#list.load(), this.engine.find().catch(() => undefined)]);
		const only = this.sources.length === 1 ? this.sources[0] : undefined;
		if (only && this.memory.open === undefined && this.#ports.storage.get(STORAGE_KEYS.openImage) === undefined) {
			await this.memory.setOpen(only.id);
		}
		await this.#look(this.open);
	}

	/** Looks again for everything. */
	async refresh(): Promise<void> {
		await Promise.all([this.#list.refresh(), this.engine.findAgain().catch(() => undefined)]);
		await this.#look(this.open);
	}

	/** Unfolds a Dockerfile, and finds out what there is of it. */
	async setOpen(id: string | undefined): Promise<void> {
		await this.memory.setOpen(id);
		this.#changed.fire();
		await this.#look(this.open);
	}

	add(file: Parameters<SourceList['add']>[0]): Promise<ImageSource | undefined> {
		return this.#list.add(file);
	}

	/** Finds Dockerfiles without looking for the engine. */
	loadSources(): Promise<void> {
		return this.#list.load();
	}

	async setOptions(source: ImageSource, options: BuildOptions): Promise<void> {
		await this.memory.setOptions(source, options);
		this.#changed.fire();
	}

	toggleStep(source: ImageSource, step: string, open: boolean): void {
		const { openSteps } = this.state(source);
		openSteps[open ? 'add' : 'delete'](step);
		this.#changed.fire();
	}

	select(source: ImageSource, image: string): void {
		this.state(source).selected = image;
		this.#changed.fire();
	}

	/** The image that cost and push are about. */
	selected(source: ImageSource): ImageDetails | undefined {
		const { images = [], selected } = this.state(source);
		return images.find(({ id }) => id === selected) ?? images[0];
	}

	/** Builds; a build of the same Dockerfile that runs already is joined. Rejects as `Engine.build` does. */
	async build(source: ImageSource): Promise<void> {
		const state = this.state(source);
		if (state.build?.state === 'running') {
			return;
		}
		const core = await this.#ports.core();
		this.#diagnostics.clear(source);
		state.openSteps.clear();
		const run = new BuildRun(source, this.#run);
		state.build = run;
		this.#changed.fire();
		try {
			const engine = await this.engine.find();
			const built = await run.build(core, engine, this.memory.options(source));
			await this.memory.addBuilt(
				source,
				built.map(({ id }) => id),
			);
			delete state.selected;
		} catch (error) {
			this.#diagnostics.show(source, error);
			this.#forgetEngine(error);
			throw error;
		} finally {
			state.context = run.context ?? state.context;
			await this.#lookForImages(source);
		}
		// What it costs is worked out at once; a server is asked only if it is connected already.
		void this.showCost(source, this.server?.status.kind === 'ready' ? this.server : undefined).catch(() => undefined);
	}

	/** Works out what the selected image costs, with a server or without. The reason of a failure is in the state, too. */
	async showCost(source: ImageSource, server: ServerModel | undefined): Promise<void> {
		const state = this.state(source);
		const image = this.#required(source);
		state.cost?.cancel();
		const run = Object.assign(new Run<ImageCost>(this.#run), { image: image.id, serverId: server?.server.id });
		state.cost = run;
		this.#changed.fire();
		await run.start(async (ctx) => {
			const { imageCost, ManifestCache } = await this.#ports.core();
			const project = await server?.project(ctx.signal);
			const toShip = await this.#imageToShip(image, ctx);
			const known = project && { project, cache: new ManifestCache(`${this.#ports.cacheDir}/packs`) };
			const former = server && this.memory.pushed(source, server.server.id);
			return imageCost(await toShip.open(), known, ctx, { former });
		});
	}

	/** Sends the selected image to a server. What has arrived before a failure is not sent again. Rejects as `shipImage` does. */
	async push(source: ImageSource, server: ServerModel): Promise<void> {
		const state = this.state(source);
		if (state.serverPush?.state === 'running') {
			return;
		}
		const image = this.#required(source);
		state.cost?.cancel();
		const run = new PushRun('server', server.server.name, this.#run);
		state.serverPush = run;
		this.#changed.fire();
		await run.start(async (ctx) => {
			const { ManifestCache, shipImage } = await this.#ports.core();
			const project = await server.project(ctx.signal);
			const cache = new ManifestCache(`${this.#ports.cacheDir}/packs`);
			const shipped = await shipImage(project, await this.#imageToShip(image, ctx), cache, ctx);
			await this.memory.setPushed(source, server.server.id, shipped.id);
			return { bytesSent: shipped.bytesSent };
		});
		void this.showCost(source, server).catch(() => undefined);
	}

	/** Pushes the selected image by the engine's own command. Rejects as `pushToRegistry` does. */
	async pushToRegistry(source: ImageSource, reference: string): Promise<void> {
		const state = this.state(source);
		if (state.registryPush?.state === 'running') {
			return;
		}
		const image = this.#required(source);
		const run = new PushRun('registry', reference, this.#run);
		state.registryPush = run;
		this.#changed.fire();
		await run.start(async (ctx) => {
			const { pushToRegistry } = await this.#ports.core();
			const onLayers: PushRun['setLayers'] = (layers) => run.setLayers(layers);
			await pushToRegistry(await this.engine.find(), { image: image.id, reference, onLayers }, ctx);
			return { bytesSent: 0 };
		});
		await this.#lookForImages(source);
	}

	/** Everything that goes on, or what goes on with one Dockerfile. */
	running(only?: ImageSource): readonly { readonly source: ImageSource; readonly what: Run<unknown> }[] {
		return (only ? [only] : this.sources).flatMap((source) => {
			const { build, serverPush, registryPush, cost } = this.state(source);
			return [build, serverPush, registryPush, cost].flatMap((what) => (what?.state === 'running' ? [{ source, what }] : []));
		});
	}

	dispose(): void {
		this.#counting?.abort();
		for (const { what } of this.running()) {
			what.cancel();
		}
		this.#owned.dispose();
		this.#changed.dispose();
	}

	#required(source: ImageSource): ImageDetails {
		const image = this.selected(source);
		if (!image) {
			throw new BoincError('image-not-found', `There is no image of ${source.place}/${source.name} yet.`, {
				remedy: 'Build it first.',
			});
		}
		return image;
	}

	async #imageToShip(image: ImageDetails, ctx: OperationContext): Promise<ImageToShip> {
		const { imageOfEngine, LayerCache } = await this.#ports.core();
		const layers = new LayerCache(`${this.#ports.cacheDir}/layers`);
		const architecture = image.platform.split('/')[1] ?? 'amd64';
		return imageOfEngine(await this.engine.find(), image.id, { layers, architecture }, ctx);
	}

	/** Images and size of the context, side by side. */
	async #look(source: ImageSource | undefined): Promise<void> {
		if (source) {
			await Promise.all([this.#lookForImages(source), this.#count(source)]);
		}
	}

	async #count(source: ImageSource): Promise<void> {
		this.#counting?.abort();
		const counting = new AbortController();
		this.#counting = counting;
		const { contextSize } = await this.#ports.core();
		const size = await contextSize(source.contextDir, source.dockerfile.fsPath, counting.signal).catch((error: unknown) => {
			if (!isAbort(error)) {
				this.#ports.log.warn(`${source.contextDir} cannot be counted: ${messageOf(error)}`);
			}
			return undefined;
		});
		if (!counting.signal.aborted) {
			this.state(source).context = size;
			this.#changed.fire();
		}
	}

	/** The local images that were built from it, or have its name; the newest first. */
	async #lookForImages(source: ImageSource): Promise<void> {
		const { state } = this.engine;
		if (state.kind !== 'ready') {
			return;
		}
		const ctx: OperationContext = { ...this.#run, progress: { report: () => undefined } };
		try {
			const { tag } = this.memory.options(source);
			const built = this.memory.built(source);
			const all = await state.engine.listImages(ctx);
			const mine = all.filter(
				({ id, names }) =>
					built.includes(id) || names.some((name) => [tag, source.defaults.tag].some((one) => isSameName(name, one))),
			);
			const details = await state.engine.details(
				mine.map(({ id }) => id),
				ctx,
			);
			this.state(source).images = details.toSorted((a, b) => order(built, a) - order(built, b) || b.createdAt - a.createdAt);
		} catch (error) {
			this.#ports.log.warn(messageOf(error));
			this.#forgetEngine(error);
		}
		this.#changed.fire();
	}

	/** An engine that does not answer is looked for again: it may have been stopped. */
	#forgetEngine(error: unknown): void {
		if (BoincError.is(error, 'engine-failed', 'engine-missing') || /cannot connect|connection refused/i.test(messageOf(error))) {
			void this.engine.findAgain().catch(() => undefined);
		}
	}
}

/** Images that were built here come first, the last built in front. */
function order(built: readonly string[], { id }: ImageDetails): number {
	const place = built.indexOf(id);
	return place < 0 ? built.length : place;
}
