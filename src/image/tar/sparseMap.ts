import type { SparseMap } from '../archive/sparseFiles.js';
import type { RawHeader } from './decodeBlock.js';
import type { PaxRecords } from './pax.js';
import { BLOCK, type ByteString } from './tarHeader.js';
import type { TarInput } from './tarInput.js';
import { readTarNumber } from './tarNumber.js';

/** A sparse file of an archive: its map, and where its stored bytes are. */
export interface SparseContent extends SparseMap {
	readonly name: ByteString;
	/** Where the stored bytes begin. */
	readonly offset: number;
	/** How many there are. */
	readonly stored: number;
}

export interface SparseEntry {
	readonly raw: RawHeader;
	readonly records: PaxRecords;
	/** Name and size as the headers have them without regard to holes. */
	readonly name: ByteString;
	readonly size: number;
	/** First byte after the headers. */
	readonly offset: number;
}

/** The part of a map that stands in a header of GNU's old format. */
export interface OldGnuMap {
	readonly size: number | undefined;
	readonly pieces: readonly number[];
	/** Whether blocks with more of it follow the header. */
	readonly extended: boolean;
}

/** Most pieces of one file. Each takes 24 bytes of memory. */
export const MAX_PIECES = 1 << 20;

const MALFORMED = 'its map of holes is malformed';

/**
 * What an entry says about holes: GNU's old format (kind `S`), or GNU's PAX records in the versions 0.0, 0.1 and 1.0
 * (https://www.gnu.org/software/tar/manual/html_section/Sparse-Formats.html). `undefined` if nothing.
 * Throws `archive-corrupt` for a map that makes no sense, `image-unsupported` for other formats.
 */
export async function sparseContent(entry: SparseEntry, input: TarInput): Promise<SparseContent | undefined> {
	const content = entry.raw.typeFlag === 'S' ? await oldGnu(entry, input) : await ofPax(entry, input);
	if (content !== undefined) {
		const trouble = troubleOf(content);
		if (trouble !== undefined) {
			throw input.corrupt(content.name, trouble);
		}
	}
	return content;
}

function troubleOf({ pieces, size, stored }: SparseContent): string | undefined {
	let end = 0;
	let sum = 0;
	for (let index = 0; index < pieces.length; index += 2) {
		const [offset = -1, length = -1] = pieces.slice(index, index + 2);
		if (offset < end) {
			return 'the pieces in its map of holes overlap or go backwards';
		}
		end = offset + length;
		sum += length;
		if (length < 0 || end > size) {
			return 'its map of holes goes beyond its size';
		}
	}
	return sum === stored ? undefined : `its map of holes has ${sum} bytes of content, but ${stored} are stored`;
}

/** Reads the map in a header block. `undefined` if it is none of GNU's: star has an `S` of its own. */
export function oldGnuMap(block: Buffer): OldGnuMap | undefined {
	return block.toString('latin1', 257, 265) === 'ustar  \0'
		? {
				size: readTarNumber(block.subarray(483, 495)),
				pieces: piecesOf(block.subarray(386, 482)),
				extended: block[482] !== 0,
			}
		: undefined;
}

/** Pairs of 12-byte numbers up to an empty one; what is not a number becomes NaN. */
function piecesOf(fields: Buffer): number[] {
	const pieces: number[] = [];
	for (let at = 0; at + 24 <= fields.length && fields[at] !== 0; at += 24) {
		pieces.push(
			readTarNumber(fields.subarray(at, at + 12)) ?? Number.NaN,
			readTarNumber(fields.subarray(at + 12, at + 24)) ?? Number.NaN,
		);
	}
	return pieces;
}

async function oldGnu({ raw, name, size: stored, offset }: SparseEntry, input: TarInput): Promise<SparseContent> {
	const map = raw.sparse;
	if (map === undefined) {
		throw input.unsupported(name, 'is a sparse file of an unknown format', REMEDY);
	}
	const pieces = [...map.pieces];
	let at = offset;
	for (let extended = map.extended; extended; at += BLOCK) {
		const block = await input.read(at, BLOCK);
		if (block.length < BLOCK) {
			throw input.corrupt(name, 'its map of holes is cut off');
		}
		pieces.push(...piecesOf(block.subarray(0, 504)));
		requireFew(pieces.length / 2, name, input);
		extended = block[504] !== 0;
	}
	return checked({ name, size: map.size ?? Number.NaN, pieces, offset: at, stored }, input);
}

const REMEDY = 'Make the archive with the container engine, or with tar without --sparse.';

async function ofPax(entry: SparseEntry, input: TarInput): Promise<SparseContent | undefined> {
	const text = (key: string): string | undefined => entry.records.get(`GNU.sparse.${key}`)?.toString('latin1');
	const version = `${text('major') ?? '0'}.${text('minor') ?? '0'}`;
	const map = text('map');
	if (text('major') === undefined && text('minor') === undefined && map === undefined && text('size') === undefined) {
		return undefined;
	}
	const name = text('name') ?? entry.name;
	const size = numberOf(text('size') ?? text('realsize'));
	switch (version) {
		case '0.0':
		case '0.1': {
			const pieces = map === undefined || map === '' ? [] : map.split(',').map(numberOf);
			if (pieces.length !== 2 * numberOf(text('numblocks'))) {
				throw input.corrupt(name, MALFORMED);
			}
			return checked({ name, size, pieces, offset: entry.offset, stored: entry.size }, input);
		}
		case '1.0': {
			const { pieces, bytes } = await leadingMap(entry, name, input);
			return checked({ name, size, pieces, offset: entry.offset + bytes, stored: entry.size - bytes }, input);
		}
		default:
			throw input.unsupported(name, `is a sparse file of the unknown version ${version}`, REMEDY);
	}
}

/** The map in front of the content: the number of pieces, then offset and length of each, one number a line. */
async function leadingMap(
	{ offset, size }: SparseEntry,
	name: ByteString,
	input: TarInput,
): Promise<{ readonly pieces: number[]; readonly bytes: number }> {
	const numbers: number[] = [];
	let rest = '';
	for (let bytes = 0; bytes + BLOCK <= size;) {
		const block = await input.read(offset + bytes, BLOCK);
		if (block.length < BLOCK) {
			break;
		}
		bytes += BLOCK;
		const lines = `${rest}${block.toString('latin1')}`.split('\n');
		rest = lines.pop() ?? '';
		numbers.push(...lines.map(numberOf));
		const [count] = numbers;
		requireFew(count ?? 0, name, input);
		if (count !== undefined && numbers.length > 2 * count) {
			return { pieces: numbers.slice(1, 1 + 2 * count), bytes };
		}
		if (Number.isNaN(count) || rest.length > BLOCK) {
			break;
		}
	}
	throw input.corrupt(name, MALFORMED);
}

const numberOf = (digits: string | undefined): number => (/^\d{1,16}$/.test(digits ?? '') ? Number(digits) : Number.NaN);

function requireFew(pieces: number, name: ByteString, input: TarInput): void {
	if (pieces > MAX_PIECES) {
		throw input.unsupported(name, `has more than ${MAX_PIECES} holes`, 'Fill them, for example with cp --sparse=never.');
	}
}

function checked(content: SparseContent, input: TarInput): SparseContent {
	if (![content.size, ...content.pieces].every((value) => Number.isSafeInteger(value) && value >= 0)) {
		throw input.corrupt(content.name, MALFORMED);
	}
	return content;
}
