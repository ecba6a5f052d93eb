import type { TarRange } from '../tar/tarInput.js';
import type { RandomAccess } from './randomAccess.js';

/** The bytes of an unpacked layer. They may be fetched only when they are needed. */
export class LayerContents implements RandomAccess {
	readonly size: number;
	#range: TarRange | undefined;

	constructor(size: number, range?: TarRange) {
		this.size = size;
		this.#range = range;
	}

	/** Says where the bytes are now. */
	provide(range: TarRange): void {
		this.#range = range;
	}

	async readInto(target: Buffer, offset: number): Promise<number> {
		if (this.#range === undefined) {
			throw new Error('a layer is read whose contents were not fetched');
		}
		const { source, start } = this.#range;
		return source.readInto(target.subarray(0, Math.max(0, Math.min(target.length, this.size - offset))), start + offset);
	}
}
