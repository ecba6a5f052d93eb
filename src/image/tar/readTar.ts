import type { ForwardReader, RandomAccess } from '../archive/randomAccess.js';
import { SparseFiles } from '../archive/sparseFiles.js';
import { decodeBlock, type RawHeader } from './decodeBlock.js';
import { applyPax, type LongNames, parsePax, type PaxRecords } from './pax.js';
import { MAX_PIECES, sparseContent } from './sparseMap.js';
import { BLOCK, type ByteString, paddedSize, type TarHeader } from './tarHeader.js';
import { TarInput, type TarRange } from './tarInput.js';

export type { TarRange } from './tarInput.js';

export interface TarEntry extends TarHeader {
	/** What holds the content: the source of the archive, or for a file with holes something that puts them in. */
	readonly source: RandomAccess;
	/** Where the content begins in `source`. */
	readonly offset: number;
	/** Of a file with holes: where that begins in the archive which is stored, and offset and length of its pieces. */
	readonly stored?: { readonly offset: number; readonly pieces: readonly number[] };
}

/** Long names and extended headers are small; a larger one is damage or an attack. The engines have the same limit. */
const MAX_EXTENSION = 1 << 20;
/** Linux has no longer paths (PATH_MAX, without the closing NUL), hence no deeper ones either. */
const MAX_PATH = 4095;
/** The index of a tree is in memory, a few hundred bytes an entry; file systems of hosts end at some millions, too. */
const MAX_ENTRIES = 4_000_000;
/** Holes of all files in an archive. Builders on hosts fill them, so nobody could run an image with more. */
const MAX_HOLES = 2 ** 40;

/** What the entries before an entry say about it. */
interface Extensions {
	readonly names: LongNames;
	readonly pax: PaxRecords;
}

const NOTHING: Extensions = { names: {}, pax: new Map() };

/**
 * The entries of a tar archive: v7, ustar, GNU and PAX, with sparse files of the latter two. Contents are skipped, not
 * read; who reads them between two entries gives a `reader` to share. What is read and what is refused follows the engines
 * (Go's `archive/tar`): global extended headers, for example, say nothing.
 * Throws `archive-corrupt` naming the entry, `image-unsupported` for what neither engines nor hosts can store.
 */
export async function* readTar(range: TarRange, reader?: ForwardReader): AsyncGenerator<TarEntry, void, undefined> {
	const input = new TarInput(range, reader);
	const sparse = new SparseFiles(range.source);
	let before = NOTHING;
	let last: ByteString | undefined;
	let count = 0;
	for (let offset = range.start; offset < range.end;) {
		const block = input.peek(offset, BLOCK) ?? (await input.read(offset, BLOCK));
		const raw = headerOf(block, input, last);
		if (raw === 'end') {
			await requireEnd(input, offset + BLOCK, last);
			if (before !== NOTHING) {
				throw input.corrupt(before.names.name ?? last, 'it ends behind an extended header');
			}
			return;
		}
		offset += BLOCK;
		if (EXTENSIONS.includes(raw.typeFlag)) {
			before = absorb(raw, await extension(input, raw, offset), before, input);
			offset += paddedSize(raw.size);
			continue;
		}
		const { entry, next } = await finish(raw, before, offset, input, sparse);
		last = entry.name;
		before = NOTHING;
		offset = next;
		if (++count > MAX_ENTRIES) {
			throw input.unsupported(last, `is one of more than ${MAX_ENTRIES}`, FEWER);
		}
		if (raw.typeFlag !== 'V') {
			yield entry;
		}
	}
	if (before !== NOTHING || range.endMark === 'required') {
		throw input.corrupt(before.names.name ?? last, 'its end is missing');
	}
}

const FEWER = 'Leave files out of the image, or put them into an archive in the image.';

function headerOf(block: Buffer, input: TarInput, last: ByteString | undefined): RawHeader | 'end' {
	if (block.length < BLOCK) {
		throw input.corrupt(last, 'it ends in the middle of a header');
	}
	const raw = decodeBlock(block);
	if (raw !== 'end' && 'trouble' in raw) {
		throw input.corrupt(last, raw.trouble);
	}
	return raw;
}

/** There are two empty blocks at the end: one of them in the middle would hide what follows. */
async function requireEnd(input: TarInput, offset: number, last: ByteString | undefined): Promise<void> {
	const second = await input.read(offset, BLOCK);
	if (second.some((byte) => byte !== 0)) {
		throw input.corrupt(last, 'it goes on behind an empty header');
	}
}

const EXTENSIONS = ['L', 'K', 'x', 'g', 'X'];

async function extension(input: TarInput, raw: RawHeader, offset: number): Promise<Buffer> {
	if (raw.size > MAX_EXTENSION) {
		throw input.corrupt(raw.name, `an extended header of ${raw.size} bytes`);
	}
	const content = await input.read(offset, raw.size);
	if (content.length < raw.size) {
		throw input.corrupt(raw.name, 'an extended header is cut off');
	}
	return content;
}

function absorb(raw: RawHeader, content: Buffer, before: Extensions, input: TarInput): Extensions {
	switch (raw.typeFlag) {
		case 'L':
			return { ...before, names: { ...before.names, ...named('name', content) } };
		case 'K':
			return { ...before, names: { ...before.names, ...named('linkName', content) } };
		default: {
			const pax = parsePax(content);
			if (typeof pax === 'string') {
				throw input.corrupt(raw.name, pax);
			}
			return raw.typeFlag === 'g' ? before : { ...before, pax };
		}
	}
}

/** An empty name says nothing. */
function named(key: keyof LongNames, content: Buffer): LongNames {
	const end = content.indexOf(0);
	const name = content.toString('latin1', 0, end < 0 ? content.length : end);
	return name === '' ? {} : { [key]: name };
}

interface Finished {
	readonly entry: TarEntry;
	/** Where the next header begins. */
	readonly next: number;
}

async function finish(
	raw: RawHeader,
	{ names, pax }: Extensions,
	offset: number,
	input: TarInput,
	sparse: SparseFiles,
): Promise<Finished> {
	const plain = applyPax(raw, names, pax);
	if (typeof plain === 'string') {
		throw input.corrupt(names.name ?? raw.name, plain);
	}
	requireWhole(input, plain.name, offset, plain.size);
	const { name, size } = plain;
	const content = plain.kind === 'file' ? await sparseContent({ raw, records: pax, name, size, offset }, input) : undefined;
	if (content === undefined) {
		requireStorable(plain, input);
		return { entry: { ...plain, source: input.range.source, offset }, next: offset + paddedSize(size) };
	}
	requireWhole(input, content.name, content.offset, content.stored);
	const header: TarHeader = { ...plain, name: content.name, size: content.size };
	requireStorable(header, input);
	if (sparse.holes + content.size - content.stored > MAX_HOLES || sparse.pieces + content.pieces.length / 2 > MAX_PIECES) {
		throw input.unsupported(header.name, 'is a sparse file that is too large', 'Make it when the job runs, not in the image.');
	}
	return {
		entry: { ...header, source: sparse, offset: sparse.add(content, content.offset), stored: content },
		next: content.offset + paddedSize(content.stored),
	};
}

/** The last block may be cut short where somebody joined archives by hand; the content may not. */
function requireWhole(input: TarInput, name: ByteString, offset: number, size: number): void {
	if (offset + size > input.end) {
		throw input.corrupt(name, 'its content is cut off');
	}
}

function requireStorable({ name, linkName }: TarHeader, input: TarInput): void {
	const longest = Math.max(name.length, linkName.length);
	if (longest > MAX_PATH) {
		throw input.unsupported(name, `has a path of ${longest} bytes; Linux allows ${MAX_PATH}`, 'Shorten it.');
	}
}
