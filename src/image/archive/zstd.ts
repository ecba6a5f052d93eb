import { BoincError } from '../../common/errors.js';

/** The largest window that the decoder follows references through; what `zstd` needs up to level 19 is 8 MiB. */
const MAX_WINDOW = 1 << 25;
/** No block of the format is larger, packed or unpacked. */
const MAX_BLOCK = 1 << 17;

/** Why data is no zstd data that can be unpacked. */
export class ZstdTrouble extends Error {}

/**
 * Unpacks zstd data: frames one after the other, block by block, so that a few bytes of input never become more than
 * one block of output in memory. (https://www.rfc-editor.org/rfc/rfc8878; Node.js has a decoder from 22.15 on only.)
 *
 * Checksums of the data are not verified: a layer has a hash in the image's configuration.
 * Throws `ZstdTrouble`, or `image-unsupported` for a window that is too large.
 */
export async function* unzstd(packed: AsyncIterable<Uint8Array>, label: string): AsyncGenerator<Uint8Array, void, undefined> {
	const { Decompress } = await import('fzstd');
	const input = new ByteQueue(packed);
	while (await input.has(1)) {
		const magic = (await input.take(4)).readUInt32LE();
		if ((magic & 0xfffffff0) >>> 0 === 0x184d2a50) {
			await input.skip((await input.take(4)).readUInt32LE());
			continue;
		}
		if (magic !== 0xfd2fb528) {
			throw new ZstdTrouble('there is something else than zstd data in it');
		}
		const { header, hasChecksum } = await frameHeader(input, label);
		const unpacked: Uint8Array[] = [];
		const decoder = new Decompress((piece) => {
			unpacked.push(piece);
		});
		let start: Buffer = header;
		for (let isLast = false; !isLast;) {
			const block = await nextBlock(input);
			isLast = block.isLast;
			const tail = isLast && hasChecksum ? await input.take(4) : Buffer.alloc(0);
			decode(() => {
				decoder.push(Buffer.concat([start, block.bytes, tail]), isLast);
			});
			start = Buffer.alloc(0);
			for (const piece of unpacked.splice(0)) {
				if (piece.length > 0) {
					yield piece;
				}
			}
		}
	}
}

/** The decoder believes its input, and fails with errors of all kinds. */
function decode(action: () => void): void {
	try {
		action();
	} catch (cause) {
		throw new ZstdTrouble('a block of it cannot be unpacked', { cause });
	}
}

interface FrameHeader {
	/** With the magic number. */
	readonly header: Buffer;
	readonly hasChecksum: boolean;
}

async function frameHeader(input: ByteQueue, label: string): Promise<FrameHeader> {
	const descriptor = (await input.take(1)).readUInt8();
	const isSingle = (descriptor & 0x20) !== 0;
	const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
	const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
	const rest = await input.take((isSingle ? 0 : 1) + dictionaryBytes + sizeBytes);
	if (rest.subarray(isSingle ? 0 : 1, rest.length - sizeBytes).some((byte) => byte !== 0)) {
		throw new ZstdTrouble('it needs a dictionary');
	}
	const window = isSingle ? contentSize(rest.subarray(rest.length - sizeBytes)) : windowSize(rest.readUInt8());
	if (window > MAX_WINDOW) {
		throw new BoincError(
			'image-unsupported',
			`The archive (${label}) is compressed with zstd and a window of ${window} bytes; at most ${MAX_WINDOW} are read.`,
			{ remedy: 'Save the image without compression or with gzip.', detail: { archive: label, compression: 'zstd' } },
		);
	}
	return {
		header: Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, descriptor]), rest]),
		hasChecksum: (descriptor & 4) !== 0,
	};
}

function contentSize(field: Buffer): number {
	switch (field.length) {
		case 2:
			return field.readUInt16LE() + 256;
		case 8:
			return Number(field.readBigUInt64LE());
		default:
			return field.readUIntLE(0, field.length);
	}
}

function windowSize(descriptor: number): number {
	const base = 2 ** (10 + (descriptor >> 3));
	return base + (base / 8) * (descriptor & 7);
}

async function nextBlock(input: ByteQueue): Promise<{ readonly bytes: Buffer; readonly isLast: boolean }> {
	const header = await input.take(3);
	const fields = header.readUIntLE(0, 3);
	const size = fields >> 3;
	if (size > MAX_BLOCK) {
		throw new ZstdTrouble(`a block of ${size} bytes`);
	}
	// A block of kind 1 is one byte that repeats.
	const content = await input.take(((fields >> 1) & 3) === 1 ? 1 : size);
	return { bytes: Buffer.concat([header, content]), isLast: (fields & 1) !== 0 };
}

/** Takes as many bytes as are wanted out of pieces of any size. */
class ByteQueue {
	readonly #pieces: AsyncIterator<Uint8Array, unknown>;
	#held = Buffer.alloc(0);

	constructor(source: AsyncIterable<Uint8Array>) {
		this.#pieces = source[Symbol.asyncIterator]();
	}

	/** Whether there are `length` bytes more. */
	async has(length: number): Promise<boolean> {
		const parts: Uint8Array[] = [this.#held];
		let sum = this.#held.length;
		while (sum < length) {
			const next = await this.#pieces.next();
			if (next.done === true) {
				break;
			}
			// A copy: the source's buffer is used again.
			parts.push(Buffer.from(next.value));
			sum += next.value.length;
		}
		this.#held = parts.length === 1 ? this.#held : Buffer.concat(parts);
		return sum >= length;
	}

	/** Exactly `length` bytes. Throws `ZstdTrouble` at the end. */
	async take(length: number): Promise<Buffer> {
		if (!(await this.has(length))) {
			throw new ZstdTrouble('its end is missing');
		}
		const taken = this.#held.subarray(0, length);
		this.#held = this.#held.subarray(length);
		return taken;
	}

	async skip(length: number): Promise<void> {
		for (let rest = length; rest > 0;) {
			const count = Math.min(rest, MAX_BLOCK);
			await this.take(count);
			rest -= count;
		}
	}
}
