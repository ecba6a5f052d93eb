import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';

import { MemoryFile } from '../../src/image/archive/randomAccess.js';
import { readTar } from '../../src/image/tar/readTar.js';
import type { Pack } from '../../src/image/types.js';
import type { TreeListing } from './fileTrees.js';

interface Node {
	kind: string;
	metadata: string;
	content: string;
	names: Set<string>;
	/** Something was put into the directory after it was described. */
	dirty: boolean;
}

/** All bytes of a pack's file. */
export async function bytesOf(pack: Pick<Pack, 'content'>): Promise<Buffer> {
	const chunks: Uint8Array[] = [];
	for await (const chunk of pack.content.open(0)) {
		chunks.push(chunk);
	}
	return Buffer.concat(chunks);
}

/**
 * Unpacks packs one after another as the engines' builders do: what is in the way is replaced, the header of a hard link is
 * applied to the file, what is put into a directory changes its time. A directory whose time is not right in the end is
 * marked as `stale`.
 */
export async function assemble(packs: readonly Buffer[]): Promise<TreeListing> {
	const tree = new Map<string, Node>();
	const remove = (path: string): void => {
		for (const [name, node] of tree) {
			if (name === path || name.startsWith(`${path}/`)) {
				node.names.delete(name);
				tree.delete(name);
			}
		}
	};
	const put = (path: string, node: Node): void => {
		const parts = path.split('/').slice(0, -1);
		for (const [index] of parts.entries()) {
			const folder = parts.slice(0, index + 1).join('/');
			const there = tree.get(folder);
			if (there && there.kind !== 'directory') {
				throw new Error(`${path} lies below ${folder}, which is a ${there.kind}`);
			}
			if (!there) {
				tree.set(folder, { kind: 'directory', metadata: 'implied', content: '', names: new Set([folder]), dirty: true });
			}
		}
		const parent = tree.get(parts.join('/'));
		if (parent && tree.get(path)?.kind !== 'directory') {
			parent.dirty = true;
		}
		node.names.add(path);
		tree.set(path, node);
	};
	for (const tar of packs) {
		const source = new MemoryFile(tar);
		for await (const entry of readTar({ source, start: 0, end: tar.length, label: 'pack' })) {
			const path = entry.name === '.' ? '' : entry.name;
			const xattrs = [...entry.xattrs].map(([key, value]) => `${key}=${value.toString('hex')}`).sort();
			const metadata = [entry.mode.toString(8), `${entry.uid}:${entry.gid}`, entry.mtime, ...xattrs].join(' ');
			if (entry.kind === 'hardlink') {
				const target = tree.get(entry.linkName);
				if (!target) {
					throw new Error(`${path} is a hard link to ${entry.linkName}, which is not there`);
				}
				if (path !== entry.linkName) {
					remove(path);
				}
				target.metadata = metadata;
				put(path, target);
				continue;
			}
			const there = tree.get(path);
			if (entry.kind === 'directory' && there?.kind === 'directory') {
				there.metadata = metadata;
				there.dirty = false;
				continue;
			}
			remove(path);
			const hash = createHash('md5')
				.update(tar.subarray(entry.offset, entry.offset + entry.size))
				.digest('hex');
			const device = `${entry.deviceMajor}:${entry.deviceMinor}`;
			const content =
				entry.kind === 'directory' ? '' : [entry.size, entry.size > 0 ? hash : '', entry.linkName, device].join(' ');
			put(path, { kind: entry.kind, metadata, content, names: new Set(), dirty: false });
		}
	}
	return Object.fromEntries(
		[...tree]
			.toSorted(([a], [b]) => (a < b ? -1 : 1))
			.map(([path, node]) => {
				const others = [...node.names].filter((name) => name !== path).sort();
				return [path, [node.kind, node.metadata, node.content, ...others, ...(node.dirty ? ['stale'] : [])].join(' ')];
			}),
	);
}

/** `assemble` of the files of packs. */
export const assemblePacks = async (packs: readonly Pick<Pack, 'content'>[]): Promise<TreeListing> =>
	assemble(await Promise.all(packs.map(async (pack) => gunzipSync(await bytesOf(pack)))));
