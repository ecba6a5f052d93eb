import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';

import * as v from 'valibot';

import { decodeBlock } from '../tar/decodeBlock.js';
import { BLOCK, paddedSize } from '../tar/tarHeader.js';
import { StoreTrouble } from './storedImage.js';

/**
 * What the engines keep of a layer's archive beside its files (vbatts/tar-split): everything in it but the contents of files, in
 * order, a JSON document a line.
 */
export interface SplitLayer {
	/** The gzip'd description. It is read twice. */
	split(): AsyncIterable<Uint8Array>;
	/** The content of the regular file with this name, where this process may read it. */
	readonly file?: ((name: Buffer) => AsyncIterable<Buffer>) | undefined;
	/** A tar archive in GNU's format of the files with these names, in this order, each in full; a NUL ends a name. */
	files(names: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
}

/** So many files are read one by one, in less time than a program takes to start; the rest of them by a program, which is quicker at it. */
const ONE_BY_ONE = 50;

const FILE = 1;
const SEGMENT = 2;
const schema = v.object({
	type: v.number(),
	name: v.optional(v.string(), ''),
	/** Of a name that is not UTF-8. */
	name_raw: v.optional(v.string()),
	size: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0)), 0),
	payload: v.nullish(v.string(), ''),
});
type SplitEntry = v.InferOutput<typeof schema>;

/** Pieces are joined to this size: a layer has two for each file. */
const PIECE = 1 << 18;

/** The archive of a layer, put together again. Throws `StoreTrouble`; what comes may still be another layer. */
export async function* joinedLayer(layer: SplitLayer): AsyncGenerator<Buffer, void, undefined> {
	yield* joined(partsOf(layer));
}

async function* partsOf(layer: SplitLayer): AsyncGenerator<Buffer, void, undefined> {
	let left = layer.file ? ONE_BY_ONE : 0;
	let others: FileContents | undefined;
	try {
		for await (const entry of entriesOf(layer)) {
			if (entry.type === SEGMENT) {
				yield Buffer.from(entry.payload, 'base64');
			} else if (!hasContent(entry)) {
				// Its header is in a segment.
			} else if (layer.file && left > 0) {
				left--;
				yield* sized(layer.file(nameOf(entry)), entry.size);
			} else {
				others ??= new FileContents(layer.files(joined(namesOf(layer, layer.file ? ONE_BY_ONE : 0))));
				yield* others.next(entry.size);
			}
		}
	} finally {
		await others?.close();
	}
}

/** Throws when there is more or less than `size` bytes, before more of them have come. */
async function* sized(pieces: AsyncIterable<Buffer>, size: number): AsyncGenerator<Buffer, void, undefined> {
	let left = size;
	for await (const piece of pieces) {
		left -= piece.length;
		if (left < 0) {
			break;
		}
		yield piece;
	}
	if (left !== 0) {
		throw new StoreTrouble('a file of the layer has another size');
	}
}

/** The names of the files after the first `skipped`, as `SplitLayer.files` wants them. */
async function* namesOf(layer: SplitLayer, skipped: number): AsyncGenerator<Buffer, void, undefined> {
	let count = 0;
	for await (const entry of entriesOf(layer)) {
		if (hasContent(entry) && count++ >= skipped) {
			yield Buffer.concat([Buffer.from('./'), nameOf(entry), Buffer.alloc(1)]);
		}
	}
}

function nameOf(entry: SplitEntry): Buffer {
	const name = entry.name_raw === undefined ? Buffer.from(entry.name) : Buffer.from(entry.name_raw, 'base64');
	if (name.toString('latin1').split('/').includes('..')) {
		throw new StoreTrouble('a name leads out of the layer');
	}
	return name;
}

const hasContent = ({ type, size }: SplitEntry): boolean => type === FILE && size > 0;

async function* entriesOf(layer: SplitLayer): AsyncGenerator<SplitEntry, void, undefined> {
	const unpacked = createGunzip();
	// What goes wrong here shows where the unpacked stream is read.
	pipeline(Readable.from(layer.split()), unpacked).catch(() => undefined);
	let rest = '';
	for await (const chunk of unpacked as AsyncIterable<Buffer>) {
		// Only letters in strings may be cut here, and Go escapes none of those that matter; names that are not ASCII may be.
		const lines = (rest + chunk.toString('latin1')).split('\n');
		rest = lines.pop() ?? '';
		for (const line of lines) {
			yield entryOf(line);
		}
	}
	if (rest.trim() !== '') {
		yield entryOf(rest);
	}
}

function entryOf(line: string): SplitEntry {
	const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), Buffer.from(line, 'latin1').toString('utf8'));
	if (!parsed.success) {
		throw new StoreTrouble(`the description of a layer has another form: ${parsed.issues[0].message}`);
	}
	return parsed.output;
}

/** Takes the contents of files one by one out of an archive. */
class FileContents {
	readonly #pieces: AsyncIterator<Uint8Array, unknown>;
	#piece: Buffer = Buffer.alloc(0);

	constructor(archive: AsyncIterable<Uint8Array>) {
		this.#pieces = archive[Symbol.asyncIterator]();
	}

	/** The content of the next file, which must have this size. */
	async *next(size: number): AsyncGenerator<Buffer, void, undefined> {
		for (;;) {
			const header = decodeBlock(await this.#block());
			if (header === 'end' || 'trouble' in header) {
				throw new StoreTrouble('a file of the layer is missing');
			}
			if (header.typeFlag === 'L') {
				await this.#skip(paddedSize(header.size));
			} else if (header.typeFlag === '0' && header.size === size) {
				break;
			} else {
				throw new StoreTrouble(`the file ${header.name} of the layer has another size or kind`);
			}
		}
		for (let left = size; left > 0;) {
			const part = await this.#atMost(left);
			left -= part.length;
			yield part;
		}
		await this.#skip(paddedSize(size) - size);
	}

	async close(): Promise<void> {
		await this.#pieces.return?.();
	}

	async #atMost(length: number): Promise<Buffer> {
		while (this.#piece.length === 0) {
			const next = await this.#pieces.next();
			if (next.done === true) {
				throw new StoreTrouble('the files of the layer end too soon');
			}
			this.#piece = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
		}
		const part = this.#piece.subarray(0, length);
		this.#piece = this.#piece.subarray(part.length);
		return part;
	}

	async #block(): Promise<Buffer> {
		const first = await this.#atMost(BLOCK);
		const parts = [first];
		for (let left = BLOCK - first.length; left > 0;) {
			const more = await this.#atMost(left);
			parts.push(more);
			left -= more.length;
		}
		return parts.length === 1 ? first : Buffer.concat(parts);
	}

	async #skip(length: number): Promise<void> {
		for (let left = length; left > 0;) {
			left -= (await this.#atMost(left)).length;
		}
	}
}

async function* joined(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
	let held: Buffer[] = [];
	let size = 0;
	for await (const piece of pieces) {
		held.push(piece);
		size += piece.length;
		if (size >= PIECE) {
			yield Buffer.concat(held, size);
			held = [];
			size = 0;
		}
	}
	if (size > 0) {
		yield Buffer.concat(held, size);
	}
}
