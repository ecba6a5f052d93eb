import { open } from 'node:fs/promises';

import { isAbort, throwIfAborted } from '../../common/errors.js';
import { decodeBlock } from '../tar/decodeBlock.js';
import { parsePax } from '../tar/pax.js';
import { BLOCK, paddedSize } from '../tar/tarHeader.js';
import { explained, roomFor, type SpoolTarget } from './spool.js';

/** Says which layer a member of an archive holds, if its bytes are not needed. */
export type FindLayer = (hash: string, size: number) => Promise<string | undefined>;

/** Smaller members are stored: it costs nothing. */
const LEAST = 1 << 20;
const MAX_EXTENSION = 1 << 20;

/**
 * Writes the archive that an engine saves to a file, but leaves holes where layers are whose bytes nobody needs. Returns these
 * by the names of their members. In what is not a plain tar archive nothing is left out. Throws `disk-full`.
 */
export async function spoolWithout(
	stream: AsyncIterable<Uint8Array>,
	find: FindLayer,
	target: SpoolTarget,
): Promise<ReadonlyMap<string, string>> {
	const file = await open(target.file, 'w', 0o600);
	const filter = new LayerFilter(find);
	try {
		for await (const piece of roomFor(filter.kept(stream), target)) {
			throwIfAborted(target.signal);
			for (let at = 0; at < piece.length;) {
				at += (await file.write(piece, at, piece.length - at, filter.position + at)).bytesWritten;
			}
		}
		await file.truncate(filter.length);
		return filter.skipped;
	} catch (error) {
		throw isAbort(error) ? error : explained(error, target.label);
	} finally {
		await file.close();
	}
}

/** Follows the headers of an archive while it passes. */
class LayerFilter {
	readonly skipped = new Map<string, string>();
	/** Where the piece belongs that was passed on last. */
	position = 0;
	/** Bytes of the archive so far. */
	length = 0;
	readonly #find: FindLayer;
	readonly #header = Buffer.alloc(BLOCK);
	#headerBytes = 0;
	/** Bytes that follow before the next header; endless when the archive is not understood. */
	#rest = 0;
	#skips = false;
	/** The content of an extended header, which may say more of the next one. */
	#extension: Buffer[] | undefined;
	#isExtended = false;

	constructor(find: FindLayer) {
		this.#find = find;
	}

	async *kept(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
		for await (const bytes of stream) {
			const piece = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
			for (let at = 0; at < piece.length;) {
				const part = piece.subarray(at, at + (this.#rest > 0 ? this.#rest : BLOCK - this.#headerBytes));
				const isSkipped = this.#rest > 0 && this.#skips;
				this.position = this.length;
				this.length += part.length;
				at += part.length;
				await this.#pass(part);
				if (!isSkipped) {
					yield part;
				}
			}
		}
	}

	async #pass(part: Buffer): Promise<void> {
		if (this.#rest > 0) {
			this.#extension?.push(Buffer.from(part));
			this.#rest -= part.length;
			if (this.#rest === 0) {
				this.#finish();
			}
			return;
		}
		part.copy(this.#header, this.#headerBytes);
		this.#headerBytes += part.length;
		if (this.#headerBytes === BLOCK) {
			this.#headerBytes = 0;
			await this.#begin();
		}
	}

	/** Looks at a whole header. */
	async #begin(): Promise<void> {
		const raw = decodeBlock(this.#header);
		if (raw === 'end' || 'trouble' in raw) {
			this.#rest = Number.POSITIVE_INFINITY;
			this.#skips = false;
			return;
		}
		this.#rest = paddedSize(raw.size);
		this.#skips = false;
		if (raw.typeFlag === 'x' || raw.typeFlag === 'X') {
			this.#extension = raw.size <= MAX_EXTENSION ? [] : undefined;
			this.#isExtended = true;
			return;
		}
		const isLong = raw.typeFlag === 'L' || raw.typeFlag === 'K';
		const hash = /(?:^|\/)([0-9a-f]{64})(?:\.tar|\/layer\.tar)?$/.exec(raw.name)?.[1];
		if (raw.typeFlag === '0' && !this.#isExtended && hash !== undefined && raw.size >= LEAST) {
			const layer = await this.#find(hash, raw.size);
			if (layer !== undefined) {
				this.skipped.set(raw.name, layer);
				this.#skips = true;
			}
		}
		this.#isExtended = isLong;
	}

	/** A size in an extended header is that of the next member, whose own header does not say it. */
	#finish(): void {
		if (this.#extension) {
			const records = parsePax(Buffer.concat(this.#extension).subarray(0, extensionSize(this.#header)));
			this.#extension = undefined;
			if (typeof records === 'string' || records.has('size')) {
				this.#rest = Number.POSITIVE_INFINITY;
			}
		}
	}
}

function extensionSize(header: Buffer): number {
	const raw = decodeBlock(header);
	return raw === 'end' || 'trouble' in raw ? 0 : raw.size;
}
