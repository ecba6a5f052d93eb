import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';

import type { OperationContext } from '../common/ports.js';
import type { ImageArchive } from './archive/openImage.js';
import { compressionOf } from './cost/compression.js';
import { ImageLayers } from './imageLayers.js';
import type { LayerCache } from './layerCache.js';
import { layTree } from './layTree.js';
import type { PackManifest } from './pack/manifest.js';
import { sumOf } from './pack/partition.js';
import { type DigestedTree, type PackPlanning, planPacks } from './pack/planPacks.js';
import type { PackUnit } from './pack/unitList.js';
import { digestUnits, treeHash, unitsOf } from './pack/units.js';
import { writePacks } from './pack/writePacks.js';
import { temporaryFolder } from './temporaryFolder.js';
import { examineTree } from './tree/examineTree.js';
import type { FileTree } from './tree/fileTree.js';
import { addSharedFolder } from './tree/sharedFolder.js';
import type { ImageConfig, ImageFacts, Pack } from './types.js';

export interface FlattenOptions {
	/** Parent of the temporary folder. Default: the system's. */
	readonly tempDir?: string;
	/** Docker's word for the architecture that is wanted where an archive has several. Default `amd64`. */
	readonly architecture?: string;
	/** What is known of layers from earlier. */
	readonly layers?: LayerCache | undefined;
}

/** An image whose layers were laid over each other; its contents are still in the archive. */
export interface FlatImage extends ImageFacts {
	readonly tree: FileTree;
	readonly layerCount: number;
	/** What made each layer, the lowest first, in the builder's words; may be shorter than the list of layers. */
	readonly history: readonly string[];
	/** Chooses what the image takes of packs that a server has, and how the rest of it is cut. */
	plan(known: Iterable<PackManifest>): Promise<PackPlanning>;
	/** Makes the new packs of a plan; see `writePacks`. They are there until `dispose`, or until `discard` is given them. */
	write(planning: PackPlanning, ctx: OperationContext): AsyncIterable<Pack>;
	/** How well the new packs of a plan will compress: see `compressionOf`. */
	compression(planning: PackPlanning, ctx: OperationContext): Promise<number>;
	/** Removes the temporary file of a pack that is needed no more. */
	discard(pack: Pack): Promise<void>;
	/** Closes the archive and removes all temporary files. */
	dispose(): Promise<void>;
}

/**
 * Part of an image's id: a change of the recipe or of the packs' meaning must not meet an image that a host has built
 * from the former one.
 */
const FORMAT = 'boinc2docker image 2';

/**
 * Opens a saved image and lays its layers over each other in memory. Contents stay where they are in the archive; on disk
 * there are the archive (if it came as a stream) and unpacked layers (if they were compressed).
 *
 * Throws `archive-corrupt` naming the entry, `image-invalid`, `image-unsupported`, `image-empty`; on an error or
 * cancellation nothing is left on disk.
 */
export async function flattenImage(
	archive: ImageArchive,
	ctx: OperationContext,
	options: FlattenOptions = {},
): Promise<FlatImage> {
	const dir = await temporaryFolder(options.tempDir ?? tmpdir());
	let close = (): Promise<void> => Promise.resolve();
	const dispose = async (): Promise<void> => {
		await close();
		await rm(dir, { recursive: true, force: true });
	};
	try {
		const request = { tempDir: dir, architecture: options.architecture ?? 'amd64', cache: options.layers };
		const layers = await ImageLayers.open(archive, request, ctx);
		const { image } = layers;
		close = () => layers.close();
		const tree = await layTree(layers, options.layers, ctx);
		const warnings = examineTree(tree);
		const { link, warnings: hidden } = addSharedFolder(tree);
		const units = unitsOf(tree);
		digestUnits(units);
		const digested: DigestedTree = { tree, units, sharedLink: link };
		return {
			id: imageId(treeHash(units), image.config),
			config: image.config,
			treeSize: sumOf(units.files, ({ inode }) => inode.size),
			entries: sumOf(units.files, namesOf) + sumOf(units.directories, namesOf),
			sharedLink: link,
			warnings: [...warnings, ...hidden],
			tree,
			layerCount: image.layers.length,
			history: image.history,
			plan: (known) => planPacks(digested, known),
			write: async function* (planning, context) {
				await layers.fetch(layersOf(planning), context);
				yield* writePacks(planning, digested, dir, context);
			},
			compression: async (planning, context) => {
				await layers.fetch(layersOf(planning), context);
				return compressionOf(planning.fresh, context.signal);
			},
			discard: ({ name }) => rm(`${dir}/${name}`, { force: true }),
			dispose,
		};
	} catch (error) {
		await dispose();
		throw error;
	}
}

/** The layers whose contents go into the packs that are to be made. */
function layersOf({ fresh }: PackPlanning): Set<number> {
	const layers = new Set<number>();
	for (const { units } of fresh) {
		for (const { inode } of units) {
			if (inode.size > 0) {
				layers.add(inode.layer);
			}
		}
	}
	return layers;
}

const namesOf = ({ links }: PackUnit): number => 1 + links.length;

function imageId(tree: string, config: ImageConfig): string {
	const { os, architecture, entrypoint, cmd, env, workingDir, user } = config;
	// Labels are left out: they change with every build of some tools and mean nothing to a job.
	const relevant = [FORMAT, tree, os, architecture, entrypoint, cmd, env, workingDir, user];
	return createHash('sha256').update(JSON.stringify(relevant)).digest('hex');
}

/** What is known of an image, without what can be done with it. */
export function factsOf({ id, config, treeSize, entries, sharedLink, warnings }: ImageFacts): ImageFacts {
	return { id, config, treeSize, entries, sharedLink, warnings };
}

/**
 * What tells an image without reading it: a hash of its config and the hashes of its layers, as an engine knows them. Equal keys
 * mean equal images; equal images may have different keys, for there are many ways to build a tree.
 */
export function imageKey(config: ImageConfig, diffIds: readonly string[]): string {
	return imageId(JSON.stringify(diffIds), config);
}
