import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { BoincError, messageOf, throwIfAborted } from '../common/errors.js';
import type { OperationContext } from '../common/ports.js';
import { LayerContents } from './archive/layerContents.js';
import type { OpenImage } from './archive/openedImage.js';
import { type ImageArchive, openImage, WronglySkipped } from './archive/openImage.js';
import { openStored } from './archive/storedImage.js';
import type { LayerCache } from './layerCache.js';
import type { TarRange } from './tar/tarInput.js';
import type { LayerIndex } from './tree/layerIndex.js';
import { type LayerReading, readLayer, verifyLayer } from './tree/readLayer.js';

export interface LayersRequest {
	/** For what cannot be read in place. */
	readonly tempDir: string;
	readonly architecture: string;
	readonly cache: LayerCache | undefined;
}

/** The layers of a saved image. Those that are known from the cache are neither stored nor hashed until they are needed. */
export class ImageLayers {
	readonly image: OpenImage;
	readonly #archive: ImageArchive;
	readonly #request: LayersRequest;
	/** Contents that were not compared with their hash yet, by the layer's number. */
	readonly #unverified = new Map<number, LayerContents>();
	#again: OpenImage | undefined;

	/** Layers that were left out. */
	readonly #known: ReadonlyMap<string, LayerIndex>;

	private constructor(image: OpenImage, archive: ImageArchive, request: LayersRequest, known: ReadonlyMap<string, LayerIndex>) {
		this.image = image;
		this.#archive = archive;
		this.#request = request;
		this.#known = known;
	}

	/** Throws as `openImage` does. */
	static async open(archive: ImageArchive, request: LayersRequest, ctx: OperationContext): Promise<ImageLayers> {
		const { cache } = request;
		const known = new Map<string, LayerIndex>();
		const stored = await openFromStore(archive, request, known, ctx);
		if (stored) {
			return new ImageLayers(stored, archive, request, known);
		}
		const find =
			cache &&
			(async (hash: string, size: number): Promise<string | undefined> => {
				const layer = await cache.find(hash, size);
				if (layer) {
					known.set(layer.diffId, layer.index);
				}
				return layer?.diffId;
			});
		try {
			return new ImageLayers(await openImage(archive, { ...request, find }, ctx), archive, request, known);
		} catch (error) {
			if (!(error instanceof WronglySkipped)) {
				throw error;
			}
			ctx.log.warn('The names of layers on this computer mean other layers than before; the image is read again');
			return new ImageLayers(await openImage(archive, request, ctx), archive, request, new Map());
		}
	}

	/**
	 * What there is in a layer, from the cache or by reading it; `isKnown` says which. Throws as `readLayer` does.
	 */
	async read(layer: number, ctx: OperationContext): Promise<LayerReading & { readonly isKnown: boolean }> {
		const { cache } = this.#request;
		const { range, path } = this.#layer(this.image, layer);
		const diffId = this.image.diffIds[layer] ?? '';
		const index = this.#known.get(diffId) ?? (await cache?.index(diffId));
		if (index?.size === range.end - range.start) {
			return { index, contents: this.unread(layer), label: range.label, isKnown: true };
		}
		const reading = await readLayer(range, diffId, ctx.signal);
		await cache?.keep(diffId, reading.index);
		await cache?.name(/[0-9a-f]{64}/.exec(path)?.[0] ?? '', diffId);
		return { ...reading, isKnown: false };
	}

	/** The contents of a layer whose entries are known, not compared with their hash yet; see `fetch`. */
	unread(layer: number): LayerContents {
		const { range, isSkipped } = this.#layer(this.image, layer);
		const contents = this.#unverified.get(layer) ?? new LayerContents(range.end - range.start, isSkipped ? undefined : range);
		this.#unverified.set(layer, contents);
		return contents;
	}

	/**
	 * Makes sure that the contents of these layers can be read, and are what the image's config says. Throws `archive-corrupt`,
	 * and what `openImage` throws if the engine must save the image again.
	 */
	async fetch(layers: Iterable<number>, ctx: OperationContext): Promise<void> {
		for (const layer of layers) {
			const contents = this.#unverified.get(layer);
			if (contents) {
				const range = await this.#rangeOf(layer, ctx);
				await verifyLayer(range, this.image.diffIds[layer], ctx.signal);
				contents.provide(range);
				this.#unverified.delete(layer);
			}
		}
	}

	async close(): Promise<void> {
		await this.image.close();
		await this.#again?.close();
	}

	async #rangeOf(layer: number, ctx: OperationContext): Promise<TarRange> {
		const found = this.#layer(this.image, layer);
		if (!found.isSkipped) {
			return found.range;
		}
		const fetched = await found.fetch?.().catch((error: unknown) => {
			sayWhyNot(error, ctx);
			return undefined;
		});
		return fetched ?? this.#layer((this.#again ??= await this.#openAgain(ctx)), layer).range;
	}

	async #openAgain(ctx: OperationContext): Promise<OpenImage> {
		const tempDir = join(this.#request.tempDir, 'again');
		await mkdir(tempDir, { recursive: true });
		return openImage(this.#archive, { tempDir, architecture: this.#request.architecture }, ctx);
	}

	#layer(image: OpenImage, layer: number): OpenImage['layers'][number] {
		const found = image.layers[layer];
		if (found === undefined) {
			throw new BoincError('archive-corrupt', `The saved image has no layer ${layer + 1} any more.`, {
				remedy: 'Try again; the image was changed meanwhile.',
				detail: { layer },
			});
		}
		return found;
	}
}

/** Opens the image in the engine's own store; `undefined` if the engine must save it. */
async function openFromStore(
	archive: ImageArchive,
	{ tempDir, cache }: LayersRequest,
	known: Map<string, LayerIndex>,
	ctx: OperationContext,
): Promise<OpenImage | undefined> {
	try {
		const stored = 'save' in archive ? await archive.stored?.() : undefined;
		const find = async (diffId: string): Promise<LayerIndex | undefined> => {
			const index = await cache?.index(diffId);
			if (index) {
				known.set(diffId, index);
			}
			return index;
		};
		return stored && (await openStored(stored, { tempDir, known: find }, ctx));
	} catch (error) {
		sayWhyNot(error, ctx);
		return undefined;
	}
}

/** Throws what saving the image could not mend. */
function sayWhyNot(error: unknown, ctx: OperationContext): void {
	throwIfAborted(ctx.signal);
	if (BoincError.is(error, 'disk-full', 'image-unsupported')) {
		throw error;
	}
	ctx.log.debug(`The engine saves the image, for what it keeps cannot be used: ${messageOf(error)}`);
}
