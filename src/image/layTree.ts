import type { OperationContext } from '../common/ports.js';
import type { LayerContents } from './archive/layerContents.js';
import type { ImageLayers } from './imageLayers.js';
import type { LayerCache } from './layerCache.js';
import { applyLayer } from './tree/applyLayer.js';
import { FileTree } from './tree/fileTree.js';
import { decodeTree, encodeTree } from './tree/savedTree.js';

/** Inodes of a tree that is kept: in a file 150 bytes each. */
const MOST_INODES = 100_000;

/**
 * Lays the layers of an image over each other. Who edits a program changes the same layers again and again, so the tree below
 * the lowest new one is kept and is what the next image begins with. Throws as `ImageLayers.read` and `applyLayer` do.
 */
export async function layTree(layers: ImageLayers, cache: LayerCache | undefined, ctx: OperationContext): Promise<FileTree> {
	const { diffIds } = layers.image;
	const count = layers.image.layers.length;
	const begun = (await keptTree(layers, cache)) ?? { tree: new FileTree(), contents: [] };
	const { tree } = begun;
	const contents = [...begun.contents];
	let lowestNew: number | undefined;
	let keeping: Promise<void> | undefined;
	for (let index = begun.contents.length; index < count; index++) {
		ctx.progress.report({
			message: `Listing the files of layer ${index + 1} of ${count}`,
			current: index,
			total: count,
			unit: 'items',
		});
		const reading = await layers.read(index, ctx);
		lowestNew ??= reading.isKnown ? undefined : index;
		// Of an image that is new from the ground up the highest layer is the likeliest to change.
		const below = lowestNew === 0 ? count - 1 : lowestNew;
		if (index === below && index > begun.contents.length && tree.count <= MOST_INODES) {
			const bytes = encodeTree(tree, contents);
			keeping = bytes && cache?.keepTree(diffIds.slice(0, index), bytes);
		}
		applyLayer(tree, reading, index, ctx.signal);
		contents.push(reading.contents);
	}
	await keeping;
	return tree;
}

/** The tree of as many of the layers as possible, the lowest ones, and the contents of these. */
async function keptTree(
	layers: ImageLayers,
	cache: LayerCache | undefined,
): Promise<{ readonly tree: FileTree; readonly contents: readonly LayerContents[] } | undefined> {
	const { diffIds } = layers.image;
	for (let count = diffIds.length; count > 0; count--) {
		const bytes = await cache?.tree(diffIds.slice(0, count));
		const contents = bytes && Array.from({ length: count }, (_, layer) => layers.unread(layer));
		const tree = contents && decodeTree(bytes, contents);
		if (tree) {
			return { tree, contents };
		}
	}
	return undefined;
}
