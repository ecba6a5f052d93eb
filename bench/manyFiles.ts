import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { quietContext } from '../src/common/ports.js';
import { flattenImage } from '../src/image/flattenImage.js';
import { encodeHeader, endOfArchive, padding } from '../src/image/tar/encodeHeader.js';
import type { TarHeader } from '../src/image/tar/tarHeader.js';

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

/**
 * Memory for an image of many small files (`npm run bench -- manyFiles ENTRIES`, a million if none is given): its tree is
 * laid out, and all of it packed. The image is a file, so that the peak is of the work alone. In a process of its own.
 */
export async function run(args: readonly string[]): Promise<Record<string, number>> {
	const entries = Number(args[0] ?? 1_000_000);
	const dir = await mkdtemp(path.join(os.tmpdir(), 'b2d-bench-many-'));
	try {
		const file = path.join(dir, 'image.tar');
		await pipeline(Readable.from(imageOf(entries)), createWriteStream(file));
		const before = process.resourceUsage().maxRSS;
		const start = performance.now();
		const ctx = quietContext();
		const image = await flattenImage({ file }, ctx, { tempDir: dir });
		const flattened = process.resourceUsage().maxRSS;
		const seconds = (performance.now() - start) / 1000;
		let packs = 0;
		for await (const pack of image.write(await image.plan([]), ctx)) {
			packs++;
			await image.discard(pack);
		}
		await image.dispose();
		return {
			entries: image.entries,
			packs,
			startMb: Math.round((before * 1024) / 1e6),
			flattenMb: Math.round((flattened * 1024) / 1e6),
			peakMb: Math.round((process.resourceUsage().maxRSS * 1024) / 1e6),
			flattenSeconds: seconds,
			seconds: (performance.now() - start) / 1000,
		};
	} finally {
		await rm(dir, { recursive: true, force: true });
	}
}
