import type { OperationContext } from '../common/ports.js';
import type { ImageArchive } from '../image/archive/openImage.js';
import type { Engine } from '../image/engine.js';
import { type FlatImage, flattenImage, type FlattenOptions, imageKey } from '../image/flattenImage.js';
import type { ImageConfig } from '../image/types.js';
import type { ImageToShip } from './shipImage.js';

export interface ReadingOptions extends FlattenOptions {
	/** Rejects when the image is not wanted; asked before it is read, and again when its own configuration is known. */
	readonly check?: (config: ImageConfig) => Promise<void>;
}

/** An image of the engine, to be read if a server lacks it. Rejects as `Engine.describe` and `check` do. */
export async function imageOfEngine(
	engine: Engine,
	reference: string,
	options: ReadingOptions,
	ctx: OperationContext,
): Promise<ImageToShip> {
	const described = await engine.describe(reference, ctx);
	if (described) {
		await options.check?.(described.config);
	}
	return {
		key: described && imageKey(described.config, described.diffIds),
		open: () =>
			openChecked({ save: () => engine.save(reference, ctx), stored: () => engine.stored(reference, ctx) }, options, ctx),
	};
}

/** Reads an image. Rejects as `flattenImage` and `check` do. */
export async function openChecked(archive: ImageArchive, options: ReadingOptions, ctx: OperationContext): Promise<FlatImage> {
	ctx.progress.report({ message: 'Reading the image' });
	const flat = await flattenImage(archive, ctx, options);
	try {
		await options.check?.(flat.config);
		return flat;
	} catch (error) {
		await flat.dispose();
		throw error;
	}
}
