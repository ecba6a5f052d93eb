import { createHash } from 'node:crypto';

import { encodeHeader, endOfArchive, padding } from '../../src/image/tar/encodeHeader.js';
import type { TarHeader } from '../../src/image/tar/tarHeader.js';

const HEADER: TarHeader = {
	name: '',
	kind: 'file',
	mode: 0o644,
	uid: 0,
	gid: 0,
	size: 0,
	mtime: 1_700_000_000,
	linkName: '',
	deviceMajor: 0,
	deviceMinor: 0,
	xattrs: new Map(),
};

/** A layer of small files, as a package manager lays them out: a thousand in a folder. */
function* layerOf(entries: number): Generator<Buffer, void, undefined> {
	for (let index = 0; index < entries; index++) {
		const content = Buffer.from(`content of file ${index}\n`);
		const name = `usr/lib/packages/package${Math.floor(index / 1000)}/module_${index}.py`;
		yield Buffer.concat([encodeHeader({ ...HEADER, name, size: content.length }), content, padding(content.length)]);
	}
	yield endOfArchive();
}

/** A saved image with one such layer, made while it is read. */
export function* imageOf(entries: number): Generator<Buffer, void, undefined> {
	const hash = createHash('sha256');
	let size = 0;
	for (const piece of layerOf(entries)) {
		hash.update(piece);
		size += piece.length;
	}
	const file = (name: string, content: string): Buffer =>
		Buffer.concat([encodeHeader({ ...HEADER, name, size: content.length }), Buffer.from(content), padding(content.length)]);
	const config = { os: 'linux', architecture: 'amd64', rootfs: { diff_ids: [`sha256:${hash.digest('hex')}`] } };
	yield file('config.json', JSON.stringify(config));
	yield file('manifest.json', JSON.stringify([{ Config: 'config.json', RepoTags: ['many:latest'], Layers: ['layer.tar'] }]));
	yield encodeHeader({ ...HEADER, name: 'layer.tar', size });
	yield* layerOf(entries);
	yield endOfArchive();
}
