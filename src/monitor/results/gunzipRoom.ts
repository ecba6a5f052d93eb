import { createGunzip, gunzipSync } from 'node:zlib';

/** Most memory that stays for the next result. */
const KEPT = 16 * 2 ** 20;
const LEAST = 2 ** 20;

/** What the library's streams are inside, in all versions of Node.js since 12. */
interface Inside {
	_outBuffer: Buffer;
	_outOffset: number;
	_chunkSize: number;
	_processChunk(packed: Buffer, flush: number): Buffer;
	readonly _finishFlushFlag: number;
}

/**
 * Unpacks into memory that is used again: to unpack a megabyte into new memory takes ten times as long as into one that was used a
 * moment ago, for the system has to find and clear each page. The library has no public way to do so: when its inside looks different
 * from what is known, it takes new memory.
 */
export class GunzipRoom {
	#room: Buffer = Buffer.alloc(0);

	/**
	 * What `packed` unpacks to, valid until the next call. `expected` bytes are a guess. Throws as `gunzipSync` does, when there are more
	 * than `most` with the code `ERR_BUFFER_TOO_LARGE`.
	 */
	unzip(packed: Buffer, expected: number, most: number): Buffer {
		// The library looks for one byte more than there is.
		const size = Math.max(LEAST, Math.min(expected, most) + 64);
		const stream: unknown = createGunzip({ chunkSize: 64, maxOutputLength: most });
		if (!isKnown(stream) || size > KEPT) {
			return gunzipSync(packed, { chunkSize: size, maxOutputLength: most });
		}
		if (this.#room.length < size) {
			this.#room = Buffer.allocUnsafeSlow(size);
		}
		stream._outBuffer = this.#room;
		stream._outOffset = 0;
		stream._chunkSize = this.#room.length;
		return stream._processChunk(packed, stream._finishFlushFlag);
	}
}

function isKnown(stream: unknown): stream is Inside {
	return (
		typeof stream === 'object' &&
		stream !== null &&
		'_outBuffer' in stream &&
		'_outOffset' in stream &&
		'_chunkSize' in stream &&
		'_finishFlushFlag' in stream &&
		'_processChunk' in stream &&
		typeof stream._processChunk === 'function'
	);
}
