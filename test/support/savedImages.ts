import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

import { encodeHeader, endOfArchive, padding } from '../../src/image/tar/encodeHeader.js';
import type { TarHeader } from '../../src/image/tar/tarHeader.js';

/** An entry of a test archive: what is left out has an ordinary value. */
export interface TestEntry extends Partial<Omit<TarHeader, 'size'>> {
	readonly name: string;
	readonly content?: string | Buffer;
}

export const file = (name: string, content: string | Buffer, more: Partial<TestEntry> = {}): TestEntry => ({
	name,
	content,
	...more,
});
export const directory = (name: string, more: Partial<TestEntry> = {}): TestEntry => ({
	name,
	kind: 'directory',
	mode: 0o755,
	...more,
});
export const symlink = (name: string, linkName: string, more: Partial<TestEntry> = {}): TestEntry => ({
	name,
	kind: 'symlink',
	linkName,
	mode: 0o777,
	...more,
});
export const hardlink = (name: string, linkName: string, more: Partial<TestEntry> = {}): TestEntry => ({
	name,
	kind: 'hardlink',
	linkName,
	...more,
});

/** A tar archive. */
export function tarOf(entries: readonly TestEntry[]): Buffer {
	return Buffer.concat([
		...entries.flatMap(({ content, ...given }) => {
			const bytes = typeof content === 'string' ? Buffer.from(content) : (content ?? Buffer.alloc(0));
			const header: TarHeader = {
				kind: 'file',
				mode: 0o644,
				uid: 0,
				gid: 0,
				mtime: 1_000,
				linkName: '',
				deviceMajor: 0,
				deviceMinor: 0,
				xattrs: new Map(),
				...given,
				size: bytes.length,
			};
			return [encodeHeader(header), bytes, padding(bytes.length)];
		}),
		endOfArchive(),
	]);
}

export type SavedLayout = 'docker before 25' | 'docker 25' | 'oci' | 'oci with gzip layers' | 'nested oci index';
export const SAVED_LAYOUTS: readonly SavedLayout[] = [
	'docker before 25',
	'docker 25',
	'oci',
	'oci with gzip layers',
	'nested oci index',
];

export interface TestConfig {
	readonly os?: string;
	readonly architecture?: string;
	readonly config?: Readonly<Record<string, unknown>>;
}

const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

/** The config of an image with these unpacked layers. */
export function imageConfig(layers: readonly Buffer[], config: TestConfig = {}): Buffer {
	return json({
		created: '2024-01-01T00:00:00Z',
		os: 'linux',
		architecture: 'amd64',
		...config,
		rootfs: { type: 'layers', diff_ids: layers.map((layer) => `sha256:${sha256(layer)}`) },
	});
}

/** An image as the engines save it: the same image in any of their layouts. */
export function savedImage(layout: SavedLayout, layers: readonly Buffer[], config: TestConfig = {}): Buffer {
	const bytes = imageConfig(layers, config);
	switch (layout) {
		case 'docker before 25':
			return dockerBefore25(layers, bytes);
		case 'docker 25':
			return tarOf([
				...ociParts(layers, bytes, 'plain').entries,
				file(
					'manifest.json',
					json([
						{
							Config: `blobs/sha256/${sha256(bytes)}`,
							RepoTags: ['test:latest'],
							Layers: layers.map((layer) => `blobs/sha256/${sha256(layer)}`),
							LayerSources: {},
						},
					]),
				),
				file('repositories', json({ test: { latest: 'x' } })),
			]);
		case 'oci':
			return tarOf(ociParts(layers, bytes, 'plain').entries);
		case 'oci with gzip layers':
			return tarOf(ociParts(layers, bytes, 'gzip').entries);
		case 'nested oci index':
			return nestedIndex(layers, bytes);
	}
}

function dockerBefore25(layers: readonly Buffer[], config: Buffer): Buffer {
	const names = layers.map((layer, index) => `${sha256(`${String(index)} ${sha256(layer)}`)}/layer.tar`);
	const entries = layers.flatMap((layer, index) => {
		const path = names[index]!;
		const same = layers.findIndex((other) => other.equals(layer));
		const folder = path.slice(0, path.indexOf('/'));
		return [
			directory(folder),
			file(`${folder}/VERSION`, '1.0'),
			file(`${folder}/json`, '{}'),
			// A layer that occurs twice is stored once.
			same < index ? symlink(path, `../${names[same]!}`) : file(path, layer),
		];
	});
	return tarOf([
		file(`${sha256(config)}.json`, config),
		...entries,
		file('manifest.json', json([{ Config: `${sha256(config)}.json`, RepoTags: null, Layers: names }])),
	]);
}

function ociParts(
	layers: readonly Buffer[],
	config: Buffer,
	compression: 'plain' | 'gzip',
): { entries: TestEntry[]; manifest: Buffer } {
	const blobs = layers.map((layer) => (compression === 'gzip' ? gzipSync(layer) : layer));
	const descriptor = (blob: Buffer, mediaType: string): object => ({
		mediaType,
		digest: `sha256:${sha256(blob)}`,
		size: blob.length,
	});
	const manifest = json({
		schemaVersion: 2,
		config: descriptor(config, 'application/vnd.oci.image.config.v1+json'),
		layers: blobs.map((blob) =>
			descriptor(blob, `application/vnd.oci.image.layer.v1.tar${compression === 'gzip' ? '+gzip' : ''}`),
		),
	});
	const stored = new Map([config, manifest, ...blobs].map((blob) => [sha256(blob), blob]));
	return {
		manifest,
		entries: [
			file('oci-layout', '{"imageLayoutVersion":"1.0.0"}'),
			directory('blobs'),
			directory('blobs/sha256'),
			...[...stored].map(([digest, blob]) => file(`blobs/sha256/${digest}`, blob)),
			file(
				'index.json',
				json({ schemaVersion: 2, manifests: [descriptor(manifest, 'application/vnd.oci.image.manifest.v1+json')] }),
			),
		],
	};
}

/** What BuildKit writes for several platforms: an index in the index, with images for others and an attestation. */
function nestedIndex(layers: readonly Buffer[], config: Buffer): Buffer {
	const { manifest, entries } = ociParts(layers, config, 'gzip');
	const other = json({ schemaVersion: 2, note: 'never read' });
	const mediaType = 'application/vnd.oci.image.manifest.v1+json';
	const inner = json({
		schemaVersion: 2,
		manifests: [
			{ mediaType, digest: `sha256:${sha256(other)}`, platform: { os: 'linux', architecture: 's390x' } },
			{ mediaType, digest: `sha256:${sha256(manifest)}`, platform: { os: 'linux', architecture: 'amd64' } },
			{ mediaType, digest: `sha256:${sha256(other)}`, platform: { os: 'unknown', architecture: 'unknown' } },
		],
	});
	return tarOf([
		...entries.filter(({ name }) => name !== 'index.json'),
		file(`blobs/sha256/${sha256(inner)}`, inner),
		file(
			'index.json',
			json({
				schemaVersion: 2,
				manifests: [{ mediaType: 'application/vnd.oci.image.index.v1+json', digest: `sha256:${sha256(inner)}` }],
			}),
		),
	]);
}
