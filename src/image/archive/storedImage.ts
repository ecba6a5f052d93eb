import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { throwIfAborted } from '../../common/errors.js';
import type { OperationContext } from '../../common/ports.js';
import type { LayerIndex } from '../tree/layerIndex.js';
import { parseConfig } from './imageConfig.js';
import { LayerContents } from './layerContents.js';
import type { ArchivedLayer, OpenImage } from './openedImage.js';
import { LocalFile } from './randomAccess.js';
import { spool } from './spool.js';

/** An image as an engine keeps it on this computer: its layers can be read one by one. */
export interface StoredImage {
	/** As it is in a saved image. */
	readonly config: unknown;
	/** The tar archive of a layer. Whether it is the right one is for the reader to find out. */
	layer(index: number): AsyncIterable<Uint8Array>;
}

/** A layer of a store is not what the image's configuration says. */
export class StoreTrouble extends Error {}

/**
 * Opens an image of a store. The layers that `known` has are not read before they are fetched. Each that is read is compared
 * with its hash in the image's configuration, so whatever the store holds, it is the image or an error.
 */
export async function openStored(
	stored: StoredImage,
	{ tempDir, known }: { readonly tempDir: string; known: (diffId: string) => Promise<LayerIndex | undefined> },
	ctx: OperationContext,
): Promise<OpenImage> {
	const files: LocalFile[] = [];
	const close = async (): Promise<void> => {
		await Promise.all(files.splice(0).map((file) => file.close()));
	};
	const parsed = parseConfig(stored.config, 'image');
	const count = parsed.diffIds.length;
	const layerOf = async (index: number, diffId: string): Promise<ArchivedLayer> => {
		const label = `layer ${index + 1} of the image`;
		const fetch = async (): Promise<ArchivedLayer['range']> => {
			const target = join(tempDir, `stored-${index}.tar`);
			try {
				const hash = createHash('sha256');
				await spool(observed(stored.layer(index), hash), 'none', { file: target, label, signal: ctx.signal });
				if (`sha256:${hash.digest('hex')}` !== diffId) {
					throw new StoreTrouble(`${label} has another hash`);
				}
			} catch (error) {
				// The engine will save the image now, which needs the room.
				await rm(target, { force: true });
				throw error;
			}
			const file = await LocalFile.open(target);
			files.push(file);
			return { source: file, start: 0, end: file.size, label };
		};
		const there = await known(diffId);
		return there
			? { range: { source: new LayerContents(there.size), start: 0, end: there.size, label }, path: '', isSkipped: true, fetch }
			: { range: await fetch(), path: '', isSkipped: false };
	};
	try {
		const layers: ArchivedLayer[] = [];
		for (const [index, diffId] of parsed.diffIds.entries()) {
			throwIfAborted(ctx.signal);
			ctx.progress.report({ message: `Reading layer ${index + 1} of ${count}`, current: index, total: count, unit: 'items' });
			// An empty layer, for example, may be there several times.
			const same = layers[parsed.diffIds.indexOf(diffId)];
			layers.push(same ?? (await layerOf(index, diffId)));
		}
		return { ...parsed, layers, close };
	} catch (error) {
		await close();
		throw error;
	}
}

async function* observed(
	stream: AsyncIterable<Uint8Array>,
	hash: { update(bytes: Uint8Array): unknown },
): AsyncGenerator<Uint8Array, void, undefined> {
	for await (const piece of stream) {
		hash.update(piece);
		yield piece;
	}
}
