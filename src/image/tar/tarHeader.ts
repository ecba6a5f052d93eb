/** What an entry of a tar archive is. */
export type TarKind = 'file' | 'directory' | 'symlink' | 'hardlink' | 'character' | 'block' | 'fifo';

/**
 * Names in archives are bytes, and not always UTF-8. They are kept as strings with one character a byte (latin1), so
 * that nothing is lost and comparing them compares bytes.
 */
export type ByteString = string;

export interface TarHeader {
	/** As written, without a trailing slash. */
	readonly name: ByteString;
	readonly kind: TarKind;
	/** Permission bits with setuid, setgid and sticky. */
	readonly mode: number;
	readonly uid: number;
	readonly gid: number;
	/** Bytes of content; 0 for all but files. */
	readonly size: number;
	/** Seconds since the epoch, with a fraction if the archive has one. */
	readonly mtime: number;
	/** Target of a link; empty for the others. */
	readonly linkName: ByteString;
	readonly deviceMajor: number;
	readonly deviceMinor: number;
	/** Extended attributes by name. */
	readonly xattrs: ReadonlyMap<ByteString, Buffer>;
}

export const BLOCK = 512;

/** `size` rounded up to whole blocks. */
export const paddedSize = (size: number): number => Math.ceil(size / BLOCK) * BLOCK;

/** A name for people: UTF-8 where it is that, and without control characters. */
export function displayName(name: ByteString): string {
	return Buffer.from(name, 'latin1')
		.toString('utf8')
		.replaceAll(/\p{Cc}/gu, '?');
}

const SHOWN = 200;

/** A name for a message: long ones are cut. */
export const shortName = (name: ByteString): string =>
	name.length <= SHOWN ? displayName(name) : `${displayName(name.slice(0, SHOWN))}…`;

/** The bytes of `text` in UTF-8 as a byte string. */
export const byteString = (text: string): ByteString => Buffer.from(text, 'utf8').toString('latin1');
