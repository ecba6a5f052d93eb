import { deflateRawSync, inflateRawSync } from 'node:zlib';

import type { ByteString, TarHeader, TarKind } from '../tar/tarHeader.js';
import { decodeParts, encodeParts, numberBytes } from './checkedParts.js';
import { DIGEST_BYTES, NO_XATTRS } from './inodeTable.js';
import { UNIT_BYTES } from './unitDigest.js';

/** An entry of a layer, with where its content is in the layer. */
export interface IndexedEntry extends TarHeader {
	/** Where the content begins, from the layer's start; of a file with holes where that begins which is stored. */
	readonly offset: number;
	/** Of a file with holes: offset and length of what is stored, one pair after the other. */
	readonly pieces: readonly number[] | undefined;
	/** Of a file: the first bytes of its content's SHA-256. */
	readonly digest: ByteString;
	/** `unitDigest` under this name alone. Not there of hard links, and of names that no host can store. */
	readonly unit: ByteString | undefined;
}

/** All entries of a layer, packed: some 50 bytes each. */
export interface LayerIndex {
	/** Bytes of the layer's tar. */
	readonly size: number;
	readonly parts: readonly Buffer[];
}

const KINDS: readonly TarKind[] = ['file', 'directory', 'symlink', 'hardlink', 'character', 'block', 'fifo'];
const NO_UNIT = '\0'.repeat(UNIT_BYTES);
const PART = 1 << 18;
const MAX_PART = 1 << 26;

/** Collects the entries of a layer. */
export class LayerIndexWriter {
	readonly #parts: Buffer[] = [];
	#buffer = Buffer.allocUnsafe(PART * 2);
	#used = 0;

	add(entry: IndexedEntry): void {
		this.#reserve(80 + entry.name.length + entry.linkName.length);
		this.#number(KINDS.indexOf(entry.kind));
		for (const value of [entry.mode, entry.uid, entry.gid, entry.size, entry.mtime, entry.offset]) {
			this.#number(value);
		}
		this.#text(entry.name);
		this.#text(entry.linkName);
		if (entry.kind === 'file') {
			this.#used += this.#buffer.write(entry.digest.padEnd(DIGEST_BYTES, '\0'), this.#used, 'latin1');
		}
		if (entry.kind !== 'hardlink') {
			this.#used += this.#buffer.write(entry.unit ?? NO_UNIT, this.#used, 'latin1');
		}
		if (entry.kind === 'character' || entry.kind === 'block') {
			this.#number(entry.deviceMajor);
			this.#number(entry.deviceMinor);
		}
		this.#number(entry.xattrs.size);
		for (const [name, value] of entry.xattrs) {
			this.#text(name);
			this.#text(value.toString('latin1'));
		}
		this.#number(entry.pieces === undefined ? 0 : entry.pieces.length + 1);
		for (const piece of entry.pieces ?? []) {
			this.#number(piece);
		}
		if (this.#used >= PART) {
			this.#flush();
		}
	}

	finish(size: number): LayerIndex {
		this.#flush();
		return { size, parts: this.#parts };
	}

	#flush(): void {
		if (this.#used > 0) {
			this.#parts.push(deflateRawSync(this.#buffer.subarray(0, this.#used), { level: 1 }));
			this.#used = 0;
		}
	}

	#reserve(length: number): void {
		if (this.#used + length > this.#buffer.length) {
			const larger = Buffer.allocUnsafe(2 * (this.#used + length));
			this.#buffer.copy(larger, 0, 0, this.#used);
			this.#buffer = larger;
		}
	}

	/** Seven bits a byte, the lowest first. */
	#number(value: number): void {
		this.#reserve(10);
		let rest = value;
		while (rest > 127) {
			this.#buffer[this.#used++] = (rest % 128) | 128;
			rest = Math.floor(rest / 128);
		}
		this.#buffer[this.#used++] = rest;
	}

	#text(text: ByteString): void {
		this.#number(text.length);
		this.#reserve(text.length);
		this.#used += this.#buffer.write(text, this.#used, 'latin1');
	}
}

class IndexReader {
	readonly #bytes: Buffer;
	#at = 0;

	constructor(bytes: Buffer) {
		this.#bytes = bytes;
	}

	get hasMore(): boolean {
		return this.#at < this.#bytes.length;
	}

	number(): number {
		let value = 0;
		for (let factor = 1; ; factor *= 128) {
			const byte = this.#bytes[this.#at++] ?? 0;
			value += (byte & 127) * factor;
			if (byte < 128) {
				return value;
			}
		}
	}

	text(length = this.number()): ByteString {
		const text = this.#bytes.toString('latin1', this.#at, this.#at + length);
		this.#at += length;
		return text;
	}

	#attributes(): ReadonlyMap<ByteString, Buffer> {
		const count = this.number();
		if (count === 0) {
			return NO_XATTRS;
		}
		const xattrs = new Map<ByteString, Buffer>();
		for (let rest = count; rest > 0; rest--) {
			xattrs.set(this.text(), Buffer.from(this.text(), 'latin1'));
		}
		return xattrs;
	}

	entry(): IndexedEntry {
		const kind = KINDS[this.number()] ?? 'file';
		const mode = this.number();
		const uid = this.number();
		const gid = this.number();
		const size = this.number();
		const mtime = this.number();
		const offset = this.number();
		const name = this.text();
		const linkName = this.text();
		const digest = kind === 'file' ? this.text(DIGEST_BYTES) : '';
		const digestOfUnit = kind === 'hardlink' ? NO_UNIT : this.text(UNIT_BYTES);
		const unit = digestOfUnit === NO_UNIT ? undefined : digestOfUnit;
		const isDevice = kind === 'character' || kind === 'block';
		const deviceMajor = isDevice ? this.number() : 0;
		const deviceMinor = isDevice ? this.number() : 0;
		const xattrs = this.#attributes();
		const count = this.number();
		const pieces = count === 0 ? undefined : Array.from({ length: count - 1 }, () => this.number());
		return { kind, mode, uid, gid, size, mtime, offset, name, linkName, digest, unit, deviceMajor, deviceMinor, xattrs, pieces };
	}
}

/** The entries in the order of the layer; at least those that have `text` in their name, if it is given. */
export function* entriesOf({ parts }: LayerIndex, text = ''): Generator<IndexedEntry, void, undefined> {
	for (const part of parts) {
		const bytes = inflateRawSync(part, { maxOutputLength: MAX_PART });
		if (!bytes.includes(text, 0, 'latin1')) {
			continue;
		}
		const reader = new IndexReader(bytes);
		while (reader.hasMore) {
			yield reader.entry();
		}
	}
}

const MAGIC = 'boinc2docker layer 3\n';

/** The index as a file. */
export const encodeLayerIndex = ({ size, parts }: LayerIndex): Buffer => encodeParts(MAGIC, [numberBytes(size), ...parts]);

/** The index in a file; `undefined` if that is not what `encodeLayerIndex` made. */
export function decodeLayerIndex(file: Buffer): LayerIndex | undefined {
	const [size, ...parts] = decodeParts(MAGIC, file) ?? [];
	return size && { size: size.readDoubleLE(), parts };
}
