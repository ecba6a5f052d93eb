import { hash } from 'node:crypto';

import type { ByteString, TarKind } from '../tar/tarHeader.js';
import { travels } from './travels.js';

/** 96 bits: only what lies under one path is ever compared. */
export const UNIT_BYTES = 12;

/** What a digest of a unit tells apart. */
interface UnitFacts {
	readonly kind: Exclude<TarKind, 'hardlink'>;
	readonly mode: number;
	readonly uid: number;
	readonly gid: number;
	readonly xattrs: ReadonlyMap<ByteString, Buffer>;
	/** Of a file. */
	readonly size: number;
	/** Of a file: the first bytes of its content's SHA-256. */
	readonly digest: ByteString;
	/** Of a link. */
	readonly target: ByteString;
	/** Of a device. */
	readonly major: number;
	readonly minor: number;
}

/**
 * What tells whether a unit is the same as one in another tree: a digest of its names, kind, owner, mode, attributes and
 * content. The time is left out: it is compared by itself, for a rebuilt image has many files whose time alone is new.
 */
export function unitDigest(path: ByteString, unit: UnitFacts, links: readonly ByteString[]): ByteString {
	const { kind, xattrs } = unit;
	const isDevice = kind === 'character' || kind === 'block';
	// Archivers write different permissions for links, and nobody looks at them.
	const mode = kind === 'symlink' ? '' : unit.mode;
	const content = kind === 'file' ? `${unit.size} ${unit.digest}` : '';
	const device = isDevice ? `${unit.major} ${unit.minor}` : '';
	const attributes = xattrs.size === 0 ? '' : attributesOf(xattrs);
	const names = links.length === 0 ? path : `${path}\0${links.join('\0')}`;
	const text = `${kind}\0${mode}\0${unit.uid}\0${unit.gid}\0${content}\0${unit.target}\0${device}\0${attributes}\0${names}`;
	// For so few bytes an object would cost more than the hash itself, and a million buffers leave their memory in pieces.
	return hash('sha256', Buffer.from(text, 'latin1'), 'binary').slice(0, UNIT_BYTES);
}

const attributesOf = (xattrs: UnitFacts['xattrs']): string =>
	[...xattrs]
		.filter(([name]) => travels(name))
		.sort(([a], [b]) => (a < b ? -1 : 1))
		.map(([name, value]) => `${name}\0${value.length}\0${value.toString('latin1')}\0`)
		.join('');
