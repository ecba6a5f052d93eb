import { type Disposable, DisposableStore } from '../../common/disposable.js';
import { Emitter, type Event } from '../../common/event.js';
import { STORAGE_KEYS } from '../../common/ids.js';
import type { Clock, Log } from '../../common/ports.js';
import type { ImageDetails } from '../../image/engine/inspection.js';
import type { BuildOptions } from '../../protocol/imagesPage.js';
import type { ServerModel } from '../servers/serverModel.js';
import type { ServerModels } from '../servers/serverModels.js';
import type { Storage } from '../servers/serverStore.js';
import type { Core } from '../services.js';
import { BuildDiagnostics } from './buildDiagnostics.js';
import { EngineFinder } from './engineState.js';
import { ImageMemory } from './imageMemory.js';
import type { ImageSource } from './imageSource.js';
import { ImageWork } from './imageWork.js';
import type { Run } from './run.js';
import { SourceList } from './sourceList.js';
import { SourceLook } from './sourceLook.js';
import { type SourceState, SourceStates } from './sourceState.js';

export interface ImagesPorts {
	readonly log: Log;
	readonly clock: Clock;
	readonly storage: Storage;
	readonly models: ServerModels;
	readonly cacheDir: string;
	readonly core: () => Promise<Core>;
}

/** The Dockerfiles of the workspace with their builds, images, costs and pushes. The panel shows it, commands change it. */
export class ImagesModel implements Disposable {
	readonly memory: ImageMemory;
	readonly engine: EngineFinder;
	/** Build, cost and push. */
	readonly work: ImageWork;
	readonly #ports: ImagesPorts;
	readonly #owned = new DisposableStore();
	readonly #changed = new Emitter<void>();
	readonly #list: SourceList;
	readonly #states: SourceStates;
	readonly #look: SourceLook;

	constructor(ports: ImagesPorts) {
		this.#ports = ports;
		const { log, clock, core, storage, cacheDir } = ports;
		const onChange = (): void => this.#changed.fire();
		this.memory = new ImageMemory(storage);
		this.#states = new SourceStates(this.memory);
		this.engine = new EngineFinder({ log, clock, core, onChange });
		const parts = { run: { log, clock, onChange }, engine: this.engine, memory: this.memory, states: this.#states, core };
		this.#look = new SourceLook(parts);
		const diagnostics = this.#owned.add(new BuildDiagnostics());
		this.work = new ImageWork({ ...parts, cacheDir, look: this.#look, diagnostics, server: () => this.server });
		this.#list = this.#owned.add(new SourceList(storage, core));
		this.#owned.add(this.#list.onDidChange(onChange));
		this.#owned.add(this.#list.onDidChangeRules(() => void this.#look.context(this.open)));
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

	state(source: ImageSource): SourceState {
		return this.#states.of(source);
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
		await this.#look.all(this.open);
	}

	/** Looks again for everything. */
	async refresh(): Promise<void> {
		await Promise.all([this.#list.refresh(), this.engine.findAgain().catch(() => undefined)]);
		await this.#look.all(this.open);
	}

	/** Looks whether an engine that was missing has been started. */
	async lookForEngine(): Promise<void> {
		await this.engine.lookForLast();
		if (this.engine.state.kind === 'ready' && this.open) {
			await this.#look.images(this.open);
		}
	}

	/** Unfolds a Dockerfile, and finds out what there is of it. */
	async setOpen(id: string | undefined): Promise<void> {
		await this.memory.setOpen(id);
		this.#changed.fire();
		await this.#look.all(this.open);
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

	async select(source: ImageSource, image: string): Promise<void> {
		await this.memory.setSelected(source, image);
		this.#changed.fire();
	}

	/** The image that cost and push are about. */
	selected(source: ImageSource): ImageDetails | undefined {
		return this.#states.selected(source);
	}

	/** Everything that goes on. */
	running(): readonly { readonly source: ImageSource; readonly what: Run<unknown> }[] {
		return this.sources.flatMap((source) => this.#states.running(source).map((what) => ({ source, what })));
	}

	dispose(): void {
		for (const { what } of this.running()) {
			what.cancel();
		}
		this.#owned.dispose();
		this.#changed.dispose();
	}
}
