import type { RawHeader } from './decodeBlock.js';
import type { ByteString, TarHeader } from './tarHeader.js';

/** Records of an extended header by keyword. Values are bytes. */
export type PaxRecords = ReadonlyMap<string, Buffer>;

const XATTR = 'SCHILY.xattr.';
const NO_XATTRS: ReadonlyMap<ByteString, Buffer> = new Map();

/** Records whose values are names. */
const TEXTS = ['path', 'linkpath'];
/** Version 0.0 of GNU's sparse files repeats these two in turn; they are joined to the map that version 0.1 has. */
const PIECE = ['GNU.sparse.offset', 'GNU.sparse.numbytes'];

/** The records of an extended header; a string says what is wrong with it. */
export function parsePax(content: Buffer): PaxRecords | string {
	const records = new Map<string, Buffer>();
	const pieces: string[] = [];
	for (let at = 0; at < content.length;) {
		const record = recordAt(content, at);
		if (record === undefined) {
			// Some programs fill the rest with zeros.
			return content.subarray(at).every((byte) => byte === 0) ? joined(records, pieces) : 'an extended header is malformed';
		}
		const { key, value } = record;
		if (key.includes('\0') || (TEXTS.includes(key) && value.includes(0))) {
			return 'an extended header has a name with a NUL in it';
		}
		if (PIECE.includes(key)) {
			if (key !== PIECE[pieces.length % 2] || value.includes(0x2c)) {
				return 'an extended header has a malformed map of holes';
			}
			pieces.push(value.toString('latin1'));
		} else {
			records.set(key, value);
		}
		at = record.end;
	}
	return joined(records, pieces);
}

/** The record `LENGTH KEY=VALUE\n` at an offset, if one is there. */
function recordAt(
	content: Buffer,
	at: number,
): { readonly key: string; readonly value: Buffer; readonly end: number } | undefined {
	const blank = content.subarray(at, at + 10).indexOf(0x20) + at;
	const digits = content.toString('latin1', at, Math.max(at, blank));
	const end = at + (/^[1-9]\d{0,8}$/.test(digits) ? Number(digits) : 0);
	const equals = content.subarray(0, end).indexOf(0x3d, blank);
	return end > at && end <= content.length && content[end - 1] === 0x0a && equals >= 0
		? {
				key: content.toString('latin1', blank + 1, equals),
				// A copy: the source's buffer is used again.
				value: Buffer.from(content.subarray(equals + 1, end - 1)),
				end,
			}
		: undefined;
}

function joined(records: Map<string, Buffer>, pieces: readonly string[]): PaxRecords {
	return pieces.length === 0 ? records : records.set('GNU.sparse.map', Buffer.from(pieces.join(',')));
}

/** Names that entries of GNU tar in front of a header give it. */
export interface LongNames {
	readonly name?: ByteString;
	readonly linkName?: ByteString;
}

/**
 * The header with long names and records put in; a string says which record makes no sense. An empty value takes a
 * record back. Where both name the entry, the long name counts, as in the engines.
 */
export function applyPax(raw: RawHeader, names: LongNames, records: PaxRecords): TarHeader | string {
	const textual = (key: string, otherwise: ByteString): ByteString => {
		const value = records.get(key);
		return value === undefined || value.length === 0 ? otherwise : value.toString('latin1');
	};
	const numeric = (key: string, otherwise: number): number => {
		const value = records.get(key)?.toString('latin1') ?? '';
		return value === '' ? otherwise : /^-?\d+(\.\d*)?$/.test(value) ? Number(value) : Number.NaN;
	};
	const name = names.name ?? textual('path', raw.name);
	// The first archives had no kind for directories.
	const kind = raw.typeFlag === '\0' && name.endsWith('/') ? 'directory' : raw.kind;
	const header: TarHeader = {
		name: kind === 'directory' ? name.replace(/\/+$/, '') : name,
		kind,
		mode: raw.mode,
		uid: numeric('uid', raw.uid),
		gid: numeric('gid', raw.gid),
		size: kind === 'file' ? numeric('size', raw.size) : 0,
		mtime: numeric('mtime', raw.mtime),
		linkName: kind === 'symlink' || kind === 'hardlink' ? (names.linkName ?? textual('linkpath', raw.linkName)) : '',
		deviceMajor: raw.deviceMajor,
		deviceMinor: raw.deviceMinor,
		xattrs: xattrsOf(records),
	};
	const whole = [header.uid, header.gid, header.size].every((value) => Number.isSafeInteger(value) && value >= 0);
	return whole && Number.isFinite(header.mtime) ? header : 'an extended header has a value that is not a number';
}

function xattrsOf(records: PaxRecords): ReadonlyMap<ByteString, Buffer> {
	const keys = [...records.keys()].filter((key) => key.startsWith(XATTR));
	return keys.length === 0
		? NO_XATTRS
		: new Map(keys.map((key) => [key.slice(XATTR.length), records.get(key) ?? Buffer.alloc(0)]));
}
