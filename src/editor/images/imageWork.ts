import { BoincError } from '../../common/errors.js';
import type { OperationContext } from '../../common/ports.js';
import type { ImageDetails } from '../../image/engine/inspection.js';
import type { ImageCost } from '../../job/imageCost.js';
import type { ImageToShip } from '../../job/shipImage.js';
import type { ServerModel } from '../servers/serverModel.js';
import type { BuildDiagnostics } from './buildDiagnostics.js';
import { BuildRun } from './buildRun.js';
import type { ImageSource } from './imageSource.js';
import { PushRun } from './pushRun.js';
import { Run } from './run.js';
import type { LookPorts, SourceLook } from './sourceLook.js';

export interface WorkPorts extends LookPorts {
	readonly cacheDir: string;
	readonly look: SourceLook;
	readonly diagnostics: BuildDiagnostics;
	/** The server that images go to, if there is one. */
	readonly server: () => ServerModel | undefined;
}

/** What is done with images: build, show the cost, push. How it goes is in the state of the Dockerfile. */
export class ImageWork {
	readonly #ports: WorkPorts;

	constructor(ports: WorkPorts) {
		this.#ports = ports;
	}

	/** Builds, unless a build of the same Dockerfile runs already. Rejects as `Engine.build` does. */
	async build(source: ImageSource): Promise<void> {
		const { states, engine, memory, look, diagnostics, run: ports } = this.#ports;
		const state = states.of(source);
		if (state.build?.state === 'running') {
			return;
		}
		const run = new BuildRun(source, ports);
		state.build = run;
		diagnostics.clear(source);
		state.openSteps.clear();
		ports.onChange();
		try {
			const counted = state.count?.state === 'running' ? state.count.ended() : look.context(source);
			const built = await run.build(await this.#ports.core(), { find: () => engine.find(), counted }, memory.options(source));
			await memory.addBuilt(
				source,
				built.map(({ id }) => id),
			);
			await memory.setSelected(source, undefined);
		} catch (error) {
			diagnostics.show(source, error);
			engine.doubt(error);
			throw error;
		} finally {
			await look.images(source);
		}
		// What it costs is worked out at once; a server is asked only if it is connected already.
		const server = this.#ports.server();
		void this.showCost(source, server?.status.kind === 'ready' ? server : undefined).catch(() => undefined);
	}

	/** Works out what the selected image costs, with a server or without. The reason of a failure is in the state, too. */
	async showCost(source: ImageSource, server: ServerModel | undefined): Promise<void> {
		const { states, memory, run: ports, cacheDir } = this.#ports;
		const state = states.of(source);
		const image = this.#required(source);
		state.cost?.cancel();
		const run = Object.assign(new Run<ImageCost>(ports), { image: image.id, serverId: server?.server.id });
		state.cost = run;
		ports.onChange();
		await this.#start(run, async (ctx) => {
			const { imageCost, ManifestCache } = await this.#ports.core();
			const project = await server?.project(ctx.signal);
			const toShip = await this.#imageToShip(image, ctx);
			const known = project && { project, cache: new ManifestCache(`${cacheDir}/packs`) };
			const former = server && memory.pushed(source, server.server.id);
			return imageCost(await toShip.open(), known, ctx, { former });
		});
	}

	/** Sends the selected image to a server. What has arrived before a failure is not sent again. Rejects as `shipImage` does. */
	async push(source: ImageSource, server: ServerModel): Promise<void> {
		const { states, memory, run: ports, cacheDir } = this.#ports;
		const state = states.of(source);
		if (state.serverPush?.state === 'running') {
			return;
		}
		const image = this.#required(source);
		state.cost?.cancel();
		const run = new PushRun('server', server.server.name, ports);
		state.serverPush = run;
		ports.onChange();
		await this.#start(run, async (ctx) => {
			const { ManifestCache, shipImage } = await this.#ports.core();
			const project = await server.project(ctx.signal);
			const cache = new ManifestCache(`${cacheDir}/packs`);
			const shipped = await shipImage(project, await this.#imageToShip(image, ctx), cache, ctx);
			await memory.setPushed(source, server.server.id, shipped.id);
			return { bytesSent: shipped.bytesSent };
		});
		// The server answers: whoever shows trouble with it looks again.
		void server.loadAgain();
		void this.showCost(source, server).catch(() => undefined);
	}

	/** Pushes the selected image by the engine's own command. Rejects as `pushToRegistry` does. */
	async pushToRegistry(source: ImageSource, reference: string): Promise<void> {
		const { states, engine, look, run: ports } = this.#ports;
		const state = states.of(source);
		if (state.registryPush?.state === 'running') {
			return;
		}
		const image = this.#required(source);
		const run = new PushRun('registry', reference, ports);
		state.registryPush = run;
		ports.onChange();
		await this.#start(run, async (ctx) => {
			const { pushToRegistry } = await this.#ports.core();
			const onLayers: PushRun['setLayers'] = (layers) => run.setLayers(layers);
			await pushToRegistry(await engine.find(), { image: image.id, reference, onLayers }, ctx);
			return { bytesSent: 0 };
		});
		await look.images(source);
	}

	/** Runs a task that needs the engine. */
	async #start<T>(run: Run<T>, task: (ctx: OperationContext) => Promise<T>): Promise<T> {
		try {
			return await run.start(task);
		} catch (error) {
			this.#ports.engine.doubt(error);
			throw error;
		}
	}

	#required(source: ImageSource): ImageDetails {
		const image = this.#ports.states.selected(source);
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
		return imageOfEngine(await this.#ports.engine.find(), image.id, { layers, architecture }, ctx);
	}
}
