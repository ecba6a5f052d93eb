import { FileCache } from '../common/fileCache.js';

/** Bytes of manifests that are kept: about those of a hundred images of a gigabyte. */
const MOST_BYTES = 100_000_000;

/** Manifests of packs by the packs' names, so that they need not be fetched from servers again. */
export class ManifestCache extends FileCache {
	constructor(folder: string | undefined) {
		super(folder, MOST_BYTES);
	}
}
