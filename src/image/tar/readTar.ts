import { BoincError } from '../../common/errors.js';
import { ForwardReader, type RandomAccess } from '../archive/randomAccess.js';
import { decodeBlock, type RawHeader } from './decodeBlock.js';
import { applyPax, parsePax, type PaxRecords } from './pax.js';
import { BLOCK, type ByteString, displayName, paddedSize, type TarHeader } from './tarHeader.js';

export interface TarEntry extends TarHeader {
	/** Where the content begins in the source. */
	readonly offset: number;
}

export interface TarRange {
	readonly source: RandomAccess;
	/** First byte of the archive in the source. */
	readonly start: number;
	/** First byte after it. */
	readonly end: number;
	/** What the archive is, for messages: `layer 2`. */
	readonly label: string;
	/** Whether the two empty blocks at the end must be there: without them, whole entries may be missing. */
	readonly endMark?: 'required';
}

/** Long names and extended headers are small; a larger one is damage or an attack. */
const MAX_EXTENSION = 1 << 20;

/** What the entries before an entry say about it. */
interface Pending {
	name: ByteString | undefined;
	linkName: ByteString | undefined;
	pax: PaxRecords;
}

const nothing = (): Pending => ({ name: undefined, linkName: undefined, pax: new Map() });

/**
 * The entries of a tar archive: v7, ustar, GNU and PAX. Contents are skipped, not read; who reads them between two entries
 * gives a `reader` to share.
 * Throws `archive-corrupt` naming the entry, `image-unsupported` for sparse files.
 */
export async function* readTar(
	range: TarRange,
	reader: ForwardReader = new ForwardReader(range.source),
): AsyncGenerator<TarEntry, void, undefined> {
	let pending = nothing();
	let globalPax: PaxRecords = new Map();
	let last: ByteString | undefined;
	for (let offset = range.start; offset < range.end;) {
		const head = await reader.read(offset, BLOCK);
		if (head.length < BLOCK || offset + BLOCK > range.end) {
			throw corrupt(range, last, 'it ends in the middle of a header');
		}
		const raw = decodeBlock(head);
		if (raw === 'end') {
			return;
		}
		if ('trouble' in raw) {
			throw corrupt(range, last, raw.trouble);
		}
		offset += BLOCK;
		if (isExtension(raw.typeFlag)) {
			const content = await extension(range, reader, raw, offset);
			globalPax = absorb(raw.typeFlag, content, pending, globalPax, (why) => corrupt(range, raw.name, why));
			offset += paddedSize(raw.size);
			continue;
		}
		const entry = finish(raw, pending, globalPax, offset, range);
		last = entry.name;
		pending = nothing();
		// The last block may be cut short where somebody joined archives by hand; the content may not.
		if (entry.offset + entry.size > Math.min(range.end, range.source.size)) {
			throw corrupt(range, entry.name, 'its content is cut off');
		}
		offset += paddedSize(entry.size);
		if (raw.typeFlag !== 'V') {
			yield entry;
		}
	}
	if (pending.name !== undefined || pending.pax.size > 0 || range.endMark === 'required') {
		throw corrupt(range, pending.name ?? last, 'its end is missing');
	}
}

/** The error for damage at or after the entry `name`. */
function corrupt(range: TarRange, name: ByteString | undefined, why: string): BoincError {
	const entry = name === undefined ? undefined : displayName(name);
	const where = entry === undefined ? 'at its beginning' : `at or after the entry “${entry}”`;
	return new BoincError('archive-corrupt', `The archive (${range.label}) is damaged ${where}: ${why}.`, {
		remedy: 'Save the image again, and compare the sizes if the file was copied.',
		detail: { archive: range.label, entry },
	});
}

const isExtension = (typeFlag: string): boolean => ['L', 'K', 'x', 'g', 'X'].includes(typeFlag);

async function extension(range: TarRange, reader: ForwardReader, raw: RawHeader, offset: number): Promise<Buffer> {
	if (raw.size > MAX_EXTENSION) {
		throw corrupt(range, raw.name, `an extended header of ${raw.size} bytes`);
	}
	const content = await reader.read(offset, raw.size);
	if (content.length < raw.size || offset + raw.size > range.end) {
		throw corrupt(range, raw.name, 'an extended header is cut off');
	}
	return content;
}

function absorb(
	typeFlag: string,
	content: Buffer,
	pending: Pending,
	globalPax: PaxRecords,
	fail: (why: string) => BoincError,
): PaxRecords {
	if (typeFlag === 'L') {
		pending.name = untilNul(content);
	} else if (typeFlag === 'K') {
		pending.linkName = untilNul(content);
	} else {
		const records = parsePax(content);
		if (typeof records === 'string') {
			throw fail(records);
		}
		if (typeFlag === 'g') {
			return new Map([...globalPax, ...records]);
		}
		pending.pax = records;
	}
	return globalPax;
}

function untilNul(content: Buffer): ByteString {
	const end = content.indexOf(0);
	return content.toString('latin1', 0, end < 0 ? content.length : end);
}

function finish(raw: RawHeader, pending: Pending, globalPax: PaxRecords, offset: number, range: TarRange): TarEntry {
	const named = { ...raw, name: pending.name ?? raw.name, linkName: pending.linkName ?? raw.linkName };
	const records = globalPax.size === 0 ? pending.pax : new Map([...globalPax, ...pending.pax]);
	const header = applyPax(named, records);
	if (typeof header === 'string') {
		throw corrupt(range, named.name, header);
	}
	if (raw.typeFlag === 'S' || [...records.keys()].some((key) => key.startsWith('GNU.sparse.'))) {
		const name = displayName(records.get('GNU.sparse.name')?.toString('latin1') ?? header.name);
		throw new BoincError('image-unsupported', `The archive (${range.label}) stores “${name}” as a sparse file.`, {
			remedy: 'Make the archive with the container engine, or with tar without --sparse.',
			detail: { archive: range.label, entry: name },
		});
	}
	return { ...header, offset };
}
