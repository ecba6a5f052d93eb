import type { RawHeader } from './decodeBlock.js';
import type { ByteString, TarHeader } from './tarHeader.js';

/** Records of an extended header by keyword. Values are bytes. */
export type PaxRecords = ReadonlyMap<string, Buffer>;

const XATTR = 'SCHILY.xattr.';
const NO_XATTRS: ReadonlyMap<ByteString, Buffer> = new Map();

/** The records of an extended header; a string says what is wrong with it. */
export function parsePax(content: Buffer): PaxRecords | string {
	const records = new Map<string, Buffer>();
	for (let at = 0; at < content.length;) {
		const blank = content.indexOf(0x20, at);
		const digits = blank < 0 ? '' : content.toString('latin1', at, blank);
		const length = /^[1-9]\d{0,8}$/.test(digits) ? Number(digits) : 0;
		const end = at + length;
		const equals = content.indexOf(0x3d, blank);
		if (length === 0 || end > content.length || content[end - 1] !== 0x0a || equals < 0 || equals >= end) {
			// Some programs fill the rest with zeros.
			return content.subarray(at).every((byte) => byte === 0) ? records : 'an extended header is malformed';
		}
		// A copy: the source's buffer is used again.
		records.set(content.toString('latin1', blank + 1, equals), Buffer.from(content.subarray(equals + 1, end - 1)));
		at = end;
	}
	return records;
}

/** The header with the records put in; a string says which record makes no sense. An empty value takes a record back. */
export function applyPax(raw: RawHeader, records: PaxRecords): TarHeader | string {
	const textual = (key: string, otherwise: ByteString): ByteString => {
		const value = records.get(key);
		return value === undefined || value.length === 0 ? otherwise : value.toString('latin1');
	};
	const numeric = (key: string, otherwise: number): number => {
		const value = records.get(key)?.toString('latin1') ?? '';
		return value === '' ? otherwise : /^-?\d+(\.\d*)?$/.test(value) ? Number(value) : Number.NaN;
	};
	const name = textual('path', raw.name);
	const header: TarHeader = {
		name: raw.kind === 'directory' ? name.replace(/\/+$/, '') : name,
		kind: raw.kind,
		mode: raw.mode,
		uid: numeric('uid', raw.uid),
		gid: numeric('gid', raw.gid),
		size: raw.kind === 'file' ? numeric('size', raw.size) : 0,
		mtime: numeric('mtime', raw.mtime),
		linkName: raw.kind === 'symlink' || raw.kind === 'hardlink' ? textual('linkpath', raw.linkName) : '',
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
