import type { TarRange } from '../tar/readTar.js';
import type { ParsedConfig } from './imageConfig.js';

/** A layer of an image that is open. */
export interface ArchivedLayer {
	readonly range: TarRange;
	/** Name of the archive's member. */
	readonly path: string;
	/** Whether its bytes were left out. */
	readonly isSkipped: boolean;
	/** Reads what was left out, if that can be had by itself. */
	fetch?(): Promise<TarRange>;
}

/** An image whose layers can be read: saved, or in the store of an engine. */
export interface OpenImage extends ParsedConfig {
	/** Unpacked layers, lowest first, for reading at any offset. */
	readonly layers: readonly ArchivedLayer[];
	close(): Promise<void>;
}
