import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';

import type { OperationContext } from '../common/ports.js';
import { type ImageArchive, openImage } from './archive/openImage.js';
import { partition } from './pack/partition.js';
import { writePacks } from './pack/writePacks.js';
import { temporaryFolder } from './temporaryFolder.js';
import { applyLayer } from './tree/applyLayer.js';
import { examineTree } from './tree/examineTree.js';
import { FileTree } from './tree/fileTree.js';
import { addSharedFolder } from './tree/sharedFolder.js';
import type { ImageConfig, PackedImage } from './types.js';

export interface PackOptions {
	/** Parent of the temporary folder. Default: the system's. */
	readonly tempDir?: string;
	/** Docker's word for the architecture that is wanted where an archive has several. Default `amd64`. */
	readonly architecture?: string;
}

/**
 * Part of an image's id: a change of the recipe or of the packs' meaning must not meet an image that a host has built
 * from the former one.
 */
const FORMAT = 'boinc2docker image 1';

/**
 * Turns a saved image into packs. Layers are laid over each other in memory, contents stay where they are in the
 * archive; on disk there are the archive (if it came as a stream), unpacked layers (if they were compressed), and the
 * packs. The caller disposes the result when the packs are sent.
 *
 * Throws `archive-corrupt` naming the entry, `image-invalid`, `image-unsupported`, `image-empty`; on an error or
 * cancellation nothing is left on disk.
 */
export async function packArchive(archive: ImageArchive, ctx: OperationContext, options: PackOptions = {}): Promise<PackedImage> {
	const dir = await temporaryFolder(options.tempDir ?? tmpdir());
	const dispose = (): Promise<void> => rm(dir, { recursive: true, force: true });
	try {
		const image = await openImage(archive, { tempDir: dir, architecture: options.architecture ?? 'amd64' }, ctx);
		try {
			const tree = new FileTree();
			for (const [index, layer] of image.layers.entries()) {
				await applyLayer(tree, layer, index, ctx.signal);
			}
			const warnings = [...examineTree(tree.root), ...addSharedFolder(tree.root)];
			const { packs, treeHash, fileBytes } = await writePacks(partition(tree.root), dir, ctx);
			return { id: imageId(treeHash, image.config), config: image.config, packs, treeSize: fileBytes, warnings, dispose };
		} finally {
			await image.close();
		}
	} catch (error) {
		await dispose();
		throw error;
	}
}

function imageId(treeHash: string, config: ImageConfig): string {
	const { os, architecture, entrypoint, cmd, env, workingDir, user } = config;
	// Labels are left out: they change with every build of some tools and mean nothing to a job.
	const relevant = [FORMAT, treeHash, os, architecture, entrypoint, cmd, env, workingDir, user];
	return createHash('sha256').update(JSON.stringify(relevant)).digest('hex');
}
