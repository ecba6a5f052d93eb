import { createHash } from 'node:crypto';

import { FileCache } from '../common/fileCache.js';
import { decodeLayerIndex, encodeLayerIndex, type LayerIndex } from './tree/layerIndex.js';

/** Bytes that are kept: about what is known of the layers of a hundred images of a gigabyte. */
const MOST_BYTES = 200_000_000;

const HEX = /^[0-9a-f]{64}$/;

/** What is known of a layer. */
export interface KnownLayer {
	/** Its SHA-256 as in an image's configuration, `sha256:…`. */
	readonly diffId: string;
	readonly index: LayerIndex;
}

/**
 * What was found out about the layers of images on this computer, so that a layer which is read again need not be hashed, nor
 * even stored while an engine saves the image; and the trees of some layers that lie over each other. Damaged files are as if they were not there.
 */
export class LayerCache {
	readonly #files: FileCache;

	/** Without a folder nothing is kept. */
	constructor(folder: string | undefined) {
		this.#files = new FileCache(folder, MOST_BYTES);
	}

	async index(diffId: string): Promise<LayerIndex | undefined> {
		const hash = hashOf(diffId);
		const bytes = hash === undefined ? undefined : await this.#files.get(`${hash}.index`);
		return bytes && decodeLayerIndex(bytes);
	}

	async keep(diffId: string, index: LayerIndex): Promise<void> {
		const hash = hashOf(diffId);
		if (hash !== undefined) {
			await this.#files.put(new Map([[`${hash}.index`, encodeLayerIndex(index)]]));
		}
	}

	/** What `keepTree` was given for layers with just these hashes. */
	async tree(diffIds: readonly string[]): Promise<Buffer | undefined> {
		return this.#files.get(treeName(diffIds));
	}

	/** Keeps the tree of some layers, the lowest of an image. */
	async keepTree(diffIds: readonly string[], tree: Buffer): Promise<void> {
		if (diffIds.every((diffId) => hashOf(diffId) !== undefined)) {
			await this.#files.put(new Map([[treeName(diffIds), tree]]));
		}
	}

	/** The layer that a member of an engine's archive holds, by the hash in the member's name and its size. */
	async find(hash: string, size: number): Promise<KnownLayer | undefined> {
		const own = await this.index(`sha256:${hash}`);
		if (own) {
			return own.size === size ? { diffId: `sha256:${hash}`, index: own } : undefined;
		}
		const name = (await this.#files.get(`${hash}.name`))?.toString('latin1');
		const index = name === undefined ? undefined : await this.index(name);
		return name !== undefined && index?.size === size ? { diffId: name, index } : undefined;
	}

	/**
	 * Remembers that a member with this hash in its name holds that layer. Docker before version 25 names a layer by a hash of
	 * its own and all below it, so equal names mean equal layers.
	 */
	async name(hash: string, diffId: string): Promise<void> {
		if (HEX.test(hash) && hash !== hashOf(diffId)) {
			await this.#files.put(new Map([[`${hash}.name`, Buffer.from(diffId, 'latin1')]]));
		}
	}
}

const hashOf = (diffId: string): string | undefined => {
	const hash = diffId.replace(/^sha256:/, '');
	return HEX.test(hash) ? hash : undefined;
};

const treeName = (diffIds: readonly string[]): string =>
	`${createHash('sha256').update(JSON.stringify(diffIds)).digest('hex')}.tree`;
