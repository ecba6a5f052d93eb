import type { OperationContext } from '../common/ports.js';
import type { ImageArchive } from './archive/openImage.js';
import { factsOf, flattenImage, type FlattenOptions } from './flattenImage.js';
import { byOrder } from './pack/choosePacks.js';
import type { Pack, PackedImage } from './types.js';

/**
 * Turns a saved image into packs, all of them, as for a server that has none. The caller disposes the result when the packs
 * are sent. Throws as `flattenImage` does; on an error or cancellation nothing is left on disk.
 */
export async function packArchive(
	archive: ImageArchive,
	ctx: OperationContext,
	options: FlattenOptions = {},
): Promise<PackedImage> {
	const image = await flattenImage(archive, ctx, options);
	try {
		const packs: Pack[] = [];
		for await (const pack of image.write(await image.plan([]), ctx)) {
			packs.push(pack);
		}
		return { ...factsOf(image), packs: packs.sort(byOrder), dispose: () => image.dispose() };
	} catch (error) {
		await image.dispose();
		throw error;
	}
}
