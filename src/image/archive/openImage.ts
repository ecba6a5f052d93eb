import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { BoincError, throwIfAborted } from '../../common/errors.js';
import type { OperationContext } from '../../common/ports.js';
import type { TarRange } from '../tar/readTar.js';
import { parseConfig, type ParsedConfig } from './imageConfig.js';
import { findLayout, type ImageLayout } from './imageLayout.js';
import { ArchiveMembers } from './members.js';
import type { ArchivedLayer, OpenImage } from './openedImage.js';
import { ForwardReader, LocalFile } from './randomAccess.js';
import { type FindLayer, spoolWithout } from './skipLayers.js';
import { compressionOf, spool } from './spool.js';
import type { StoredImage } from './storedImage.js';

/** A saved image: a stream of an archive, a file that holds one, or what an engine has. */
export type ImageArchive = AsyncIterable<Uint8Array> | { readonly file: string } | EngineImage;

/** An image of an engine, which saves it as often as it is asked. */
export interface EngineImage {
	readonly save: () => AsyncIterable<Uint8Array>;
	/** The image as the engine keeps it, if that can be read. */
	readonly stored?: () => Promise<StoredImage | undefined>;
}

export interface OpenRequest {
	/** For what cannot be read in place: streams, and compressed archives and layers. */
	readonly tempDir: string;
	/** Docker's word for the architecture that is wanted where an archive has several. */
	readonly architecture: string;
	/** Says which members of what an engine saves are layers whose bytes are not needed. */
	readonly find?: FindLayer | undefined;
}

/**
 * Opens a saved image: `docker save` before and since version 25, `podman save` as docker-archive and oci-archive, an
 * OCI layout as a tar; all of them, and their layers, also as gzip or zstd. Uncompressed layers are read where they are
 * in the archive.
 * Throws `archive-corrupt`, `image-invalid`, `image-unsupported`, `disk-full`.
 */
export async function openImage(archive: ImageArchive, request: OpenRequest, ctx: OperationContext): Promise<OpenImage> {
	const files: LocalFile[] = [];
	const openFile = async (path: string): Promise<LocalFile> => {
		const file = await LocalFile.open(path);
		files.push(file);
		return file;
	};
	const close = async (): Promise<void> => {
		await Promise.all(files.splice(0).map((file) => file.close()));
	};
	try {
		const { path: local, skipped } = await archiveFile(archive, request, ctx);
		const file = await openFile(local);
		const label = 'file' in archive ? basename(archive.file) : 'saved image';
		const range: TarRange = { source: file, start: 0, end: file.size, label, endMark: 'required' };
		const members = await ArchiveMembers.index(range);
		const layout = await findLayout(members, { label, architecture: request.architecture });
		const parsed = parseConfig(await members.json(layout.config), layout.name ?? label);
		requireHashes(parsed, layout, label);
		const layers: ArchivedLayer[] = [];
		const known = new Map<string, TarRange>();
		for (const [index, path] of layout.layers.entries()) {
			throwIfAborted(ctx.signal);
			ctx.progress.report({
				message: `Reading layer ${index + 1} of ${layout.layers.length}`,
				current: index,
				total: layout.layers.length,
				unit: 'items',
			});
			const entry = members.require(path);
			const packed: TarRange = {
				source: entry.source,
				start: entry.offset,
				end: entry.offset + entry.size,
				label: `layer ${index + 1} of ${label}`,
			};
			// Empty layers, for example, occur several times.
			const layer =
				known.get(path) ?? (await unpackedLayer(packed, join(request.tempDir, `layer-${index}.tar`), openFile, ctx.signal));
			known.set(path, layer);
			const left = skipped.get(entry.name);
			if (left !== undefined && left !== parsed.diffIds[index]) {
				throw new WronglySkipped();
			}
			layers.push({ range: { ...layer, label: packed.label }, path: entry.name, isSkipped: left !== undefined });
		}
		return { ...parsed, layers, close };
	} catch (error) {
		await close();
		throw error;
	}
}

/** A name in an archive meant another layer than before: nothing may be left out of it. */
export class WronglySkipped extends Error {}

interface LocalArchive {
	readonly path: string;
	/** Members that were left out, and which layers they are. */
	readonly skipped: ReadonlyMap<string, string>;
}

/** A file with the uncompressed archive. */
async function archiveFile(archive: ImageArchive, request: OpenRequest, ctx: OperationContext): Promise<LocalArchive> {
	if (!('save' in archive)) {
		return { path: await plainFile(archive, request, ctx), skipped: new Map() };
	}
	const { find } = request;
	if (find === undefined) {
		return { path: await plainFile(archive.save(), request, ctx), skipped: new Map() };
	}
	ctx.progress.report({ message: 'Reading the image from the engine' });
	const file = join(request.tempDir, 'archive');
	const skipped = await spoolWithout(archive.save(), find, { file, label: 'saved image', signal: ctx.signal });
	return { path: skipped.size > 0 ? file : await plainFile({ file }, request, ctx), skipped };
}

type PlainArchive = Exclude<ImageArchive, EngineImage>;

async function plainFile(archive: PlainArchive, request: OpenRequest, ctx: OperationContext): Promise<string> {
	const given = 'file' in archive ? archive.file : join(request.tempDir, 'archive');
	if (!('file' in archive)) {
		ctx.progress.report({ message: 'Reading the image from the engine' });
		await spool(archive, 'none', { file: given, label: 'saved image', signal: ctx.signal });
	}
	const file = await LocalFile.open(given).catch((cause: unknown) => {
		throw new BoincError('file-not-found', `The image archive ${given} cannot be opened.`, { cause, detail: { path: given } });
	});
	try {
		const reader = new ForwardReader(file);
		const compression = compressionOf(await reader.read(0, 8));
		const label = basename(given);
		if (compression === 'none') {
			return given;
		}
		const plain = join(request.tempDir, 'archive.tar');
		await spool(reader.stream(0, file.size), compression, { file: plain, label, signal: ctx.signal });
		if (!('file' in archive)) {
			await rm(given);
		}
		return plain;
	} finally {
		await file.close();
	}
}

/** The layer as it is, or unpacked to `target`. */
async function unpackedLayer(
	layer: TarRange,
	target: string,
	openFile: (path: string) => Promise<LocalFile>,
	signal: AbortSignal | undefined,
): Promise<TarRange> {
	const reader = new ForwardReader(layer.source);
	const compression = compressionOf(await reader.read(layer.start, 8));
	if (compression === 'none') {
		return layer;
	}
	await spool(reader.stream(layer.start, layer.end), compression, { file: target, label: layer.label, signal });
	const file = await openFile(target);
	return { source: file, start: 0, end: file.size, label: layer.label };
}

/** More layers than any engine puts over each other (Podman 500, Docker 125). */
const MAX_LAYERS = 500;

/** The configuration must have a hash for each layer: engines do not load an image without, and nothing else protects it. */
function requireHashes({ diffIds }: ParsedConfig, { config, layers }: ImageLayout, label: string): void {
	if (layers.length > MAX_LAYERS) {
		throw new BoincError('image-unsupported', `The image (${label}) has ${layers.length} layers; engines allow ${MAX_LAYERS}.`, {
			remedy: 'Put several steps of the Dockerfile into one.',
			detail: { archive: label, layers: layers.length },
		});
	}
	if (diffIds.length !== layers.length || !diffIds.every((id) => DIGEST.test(id))) {
		throw new BoincError(
			'archive-corrupt',
			`The configuration “${config}” of the image (${label}) has no SHA-256 for each of its ${layers.length} layers.`,
			{
				remedy: 'Save the image again, with docker save or podman save.',
				detail: { archive: label, entry: config, layers: layers.length, hashes: diffIds.length },
			},
		);
	}
}

const DIGEST = /^sha256:[a-f0-9]{64}$/;
