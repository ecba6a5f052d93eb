import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';

import { ForwardReader, MemoryFile, type RandomAccess } from '../../src/image/archive/randomAccess.js';
import { readTar } from '../../src/image/tar/readTar.js';
import type { PackedImage } from '../../src/image/types.js';

/** One entry in words: two trees are equal when all lines are. */
export type TreeListing = Record<string, string>;

/**
 * Lists a tar archive: kind, mode, owner, time, size and hash of the content or the target, attributes. `=PATH` marks a
 * further name of a file.
 */
export async function listTar(archive: Buffer): Promise<TreeListing> {
	const source = new MemoryFile(archive);
	const readers = new Map<RandomAccess, ForwardReader>();
	const readerOf = (each: RandomAccess): ForwardReader => {
		const reader = readers.get(each) ?? new ForwardReader(each);
		readers.set(each, reader);
		return reader;
	};
	const listing: TreeListing = {};
	for await (const entry of readTar({ source, start: 0, end: archive.length, label: 'test' })) {
		const name = entry.name.replace(/^\.?\//, '').replace(/^\.$/, '');
		const mode = entry.kind === 'symlink' ? '' : entry.mode.toString(8);
		const content =
			entry.size > 0
				? createHash('md5')
						.update(await readerOf(entry.source).read(entry.offset, entry.size))
						.digest('hex')
						.slice(0, 8)
				: '';
		const device = entry.kind === 'character' || entry.kind === 'block' ? `${entry.deviceMajor}:${entry.deviceMinor}` : '';
		const xattrs = [...entry.xattrs].map(([key, value]) => `${key}=${value.toString('hex')}`).sort();
		const target = entry.linkName.replace(/^\.\//, '');
		listing[name] =
			entry.kind === 'hardlink'
				? `=${target}`
				: [entry.kind, mode, `${entry.uid}:${entry.gid}`, entry.mtime, entry.size, content, target, device, ...xattrs]
						.filter((part) => part !== '')
						.join(' ');
	}
	return listing;
}

/** The bytes of all packs, unpacked, in order. */
export async function unpackPacks(image: PackedImage): Promise<Buffer[]> {
	const tars: Buffer[] = [];
	for (const { content } of image.packs) {
		const chunks: Uint8Array[] = [];
		for await (const chunk of content.open(0)) {
			chunks.push(chunk);
		}
		tars.push(gunzipSync(Buffer.concat(chunks)));
	}
	return tars;
}

/** Everything in an image's packs. Fails when an entry is in two of them. */
export async function listPacks(image: PackedImage): Promise<TreeListing> {
	const all: TreeListing = {};
	for (const tar of await unpackPacks(image)) {
		for (const [name, line] of Object.entries(await listTar(tar))) {
			if (name in all) {
				throw new Error(`${name} is in two packs`);
			}
			all[name] = line;
		}
	}
	return all;
}
