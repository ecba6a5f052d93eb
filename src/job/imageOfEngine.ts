import type { OperationContext } from '../common/ports.js';
import type { ImageArchive } from '../image/archive/openImage.js';
import type { Engine, LocalImage } from '../image/engine.js';
import { type FlatImage, flattenImage, type FlattenOptions, imageKey } from '../image/flattenImage.js';
import type { ImageConfig } from '../image/types.js';
import type { ImageToShip } from './shipImage.js';

export interface ReadingOptions extends FlattenOptions {
	/** Rejects when the image is not wanted; asked before it is read, and again when its own configuration is known. */
	readonly check?: (config: ImageConfig) => Promise<void>;
}

/**
 * An image of the engine, to be read if a server lacks it. The engine is asked at once, and others need not wait for its answer:
 * `key` and `open` reject as `Engine.describe` and `check` do.
 */
export function imageOfEngine(
	engine: Engine,
	reference: string,
	options: ReadingOptions,
	ctx: OperationContext,
): ImageToShip & { readonly key: Promise<string | undefined> } {
	const describe = async (): Promise<LocalImage | undefined> => {
		const described = await engine.describe(reference, ctx);
		if (described) {
			await options.check?.(described.config);
		}
		return described;
	};
	const describing = describe();
	const key = describing.then((described) => described && imageKey(described.config, described.diffIds));
	// Who reads the image without looking at its key learns it there.
	key.catch(() => undefined);
	return {
		key,
		open: async () => {
			const described = await describing;
			const archive = { save: () => engine.save(reference, ctx), ...(described && { stored: described.stored }) };
			return openChecked(archive, options, ctx);
		},
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
