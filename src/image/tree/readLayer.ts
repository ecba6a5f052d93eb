import { createHash, type Hash, hash } from 'node:crypto';

import { BoincError, throwIfAborted } from '../../common/errors.js';
import { LayerContents } from '../archive/layerContents.js';
import { ForwardReader, type RandomAccess } from '../archive/randomAccess.js';
import { readTar, type TarEntry, type TarRange } from '../tar/readTar.js';
import type { ByteString } from '../tar/tarHeader.js';
import { pathParts, PathTrouble } from './fileTree.js';
import { DIGEST_BYTES } from './inodeTable.js';
import { type LayerIndex, LayerIndexWriter } from './layerIndex.js';
import { unitDigest } from './unitDigest.js';

/** What one pass over a layer finds out, and its contents. */
export interface LayerReading {
	readonly index: LayerIndex;
	readonly contents: LayerContents;
	/** What the layer is, for messages. */
	readonly label: string;
}

/**
 * Reads a layer once: every file's content is hashed, and the whole compared with the layer's SHA-256 in the image's config
 * (`diffId`, as `sha256:…`; others are not checked). Throws `archive-corrupt`.
 */
export async function readLayer(range: TarRange, diffId: string | undefined, signal?: AbortSignal): Promise<LayerReading> {
	const source = new HashedSource(range);
	const reader = new ForwardReader(source);
	const index = new LayerIndexWriter();
	let count = 0;
	let failure: unknown;
	try {
		for await (const entry of readTar({ ...range, source }, reader)) {
			if (count++ % 100 === 0) {
				throwIfAborted(signal);
			}
			// A file with holes is read by way of something that fills them.
			const content = entry.stored === undefined ? reader : new ForwardReader(entry.source);
			const digest = entry.kind === 'file' ? await contentDigest(content, entry, signal) : '';
			index.add({
				...entry,
				// Engines keep whole seconds in their layers and none before 1970, so no host could restore more.
				mtime: Math.max(0, Math.floor(entry.mtime)),
				offset: (entry.stored?.offset ?? entry.offset) - range.start,
				pieces: entry.stored?.pieces,
				digest,
				unit: unitOf(entry, digest),
			});
		}
	} catch (error) {
		throwIfAborted(signal);
		failure = error;
	}
	// That the layer is damaged says more than what the damage did to an entry.
	await requireHash(range, source, diffId, signal);
	if (failure !== undefined) {
		throw failure as Error;
	}
	const size = range.end - range.start;
	return { index: index.finish(size), contents: new LayerContents(size, range), label: range.label };
}

/** `unitDigest` of an entry, if it can be placed. */
function unitOf(entry: TarEntry, digest: ByteString): ByteString | undefined {
	const { name, kind, uid, gid, xattrs, size, linkName: target, deviceMajor: major, deviceMinor: minor } = entry;
	if (kind === 'hardlink') {
		return undefined;
	}
	try {
		const path = pathParts(name).join('/');
		// Inodes have no more of the mode, and a target only if they are links.
		const facts = { kind, mode: entry.mode & 0xffff, uid, gid, xattrs, size, digest, major, minor };
		return unitDigest(path, { ...facts, target: kind === 'symlink' ? target : '' }, []);
	} catch (error) {
		if (error instanceof PathTrouble) {
			return undefined;
		}
		throw error;
	}
}

/** Compares a layer with its SHA-256 in the image's config. Throws `archive-corrupt`. */
export const verifyLayer = (range: TarRange, diffId: string | undefined, signal?: AbortSignal): Promise<void> =>
	requireHash(range, new HashedSource(range), diffId, signal);

async function requireHash(
	{ label }: TarRange,
	source: HashedSource,
	diffId: string | undefined,
	signal: AbortSignal | undefined,
): Promise<void> {
	const [, expected] = /^sha256:([a-f0-9]{64})$/.exec(diffId ?? '') ?? [];
	if (expected !== undefined && (await source.digest(signal)) !== expected) {
		throw new BoincError('archive-corrupt', `The ${label} is damaged: its content does not fit its hash.`, {
			remedy: 'Save the image again, and compare the sizes if the file was copied.',
			detail: { archive: label, expected },
		});
	}
}

async function contentDigest(reader: ForwardReader, entry: TarEntry, signal: AbortSignal | undefined): Promise<ByteString> {
	const whole = reader.peek(entry.offset, entry.size);
	if (whole) {
		return hash('sha256', whole, 'binary').slice(0, DIGEST_BYTES);
	}
	const pieces = createHash('sha256');
	for await (const piece of reader.stream(entry.offset, entry.offset + entry.size)) {
		throwIfAborted(signal);
		pieces.update(piece);
	}
	return pieces.digest('binary').slice(0, DIGEST_BYTES);
}

/** Hashes a range of a source from its start to its end while others read it, mostly forwards. */
class HashedSource implements RandomAccess {
	readonly size: number;
	readonly #range: TarRange;
	readonly #hash: Hash = createHash('sha256');
	#hashed: number;

	constructor(range: TarRange) {
		this.#range = range;
		this.#hashed = range.start;
		this.size = range.source.size;
	}

	async readInto(target: Buffer, offset: number): Promise<number> {
		if (offset > this.#hashed) {
			await this.#catchUp(offset);
		}
		const count = await this.#range.source.readInto(target, offset);
		const end = Math.min(offset + count, this.#range.end);
		if (end > this.#hashed) {
			this.#hash.update(target.subarray(this.#hashed - offset, end - offset));
			this.#hashed = end;
		}
		return count;
	}

	/** SHA-256 of the whole range in hex. */
	async digest(signal?: AbortSignal): Promise<string> {
		await this.#catchUp(this.#range.end, signal);
		return this.#hash.digest('hex');
	}

	async #catchUp(end: number, signal?: AbortSignal): Promise<void> {
		for await (const piece of new ForwardReader(this.#range.source).stream(this.#hashed, Math.min(end, this.#range.end))) {
			throwIfAborted(signal);
			this.#hash.update(piece);
			this.#hashed += piece.length;
		}
	}
}
