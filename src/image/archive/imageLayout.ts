import * as v from 'valibot';

import { BoincError } from '../../common/errors.js';
import type { ArchiveMembers } from './members.js';

/** Where the parts of one image are in an archive. */
export interface ImageLayout {
	/** Path of the config. */
	readonly config: string;
	/** Paths of the layers, lowest first. */
	readonly layers: readonly string[];
	/** Name of the image, if the archive has one. */
	readonly name: string | undefined;
}

export interface LayoutRequest {
	readonly label: string;
	/** Docker's word for the architecture that is wanted where an archive has several. */
	readonly architecture: string;
}

const dockerManifest = v.array(
	v.object({
		Config: v.string(),
		RepoTags: v.nullish(v.array(v.string())),
		Layers: v.nullish(v.array(v.string())),
	}),
);

const descriptor = v.object({
	mediaType: v.optional(v.string(), ''),
	digest: v.pipe(v.string(), v.regex(/^[a-z0-9]+:[a-f0-9]{32,}$/)),
	platform: v.optional(v.object({ os: v.optional(v.string(), ''), architecture: v.optional(v.string(), '') })),
	annotations: v.optional(v.record(v.string(), v.string())),
});
type Descriptor = v.InferOutput<typeof descriptor>;
const ociIndex = v.object({ manifests: v.array(descriptor) });
const ociManifest = v.object({ config: descriptor, layers: v.array(descriptor) });

/**
 * Finds the image in an archive: `manifest.json` of `docker save` in both its layouts and of Podman, or the
 * `index.json` of an OCI layout, whose indexes may be nested.
 */
export async function findLayout(members: ArchiveMembers, request: LayoutRequest): Promise<ImageLayout> {
	if (members.has('manifest.json')) {
		return dockerLayout(await members.json('manifest.json'), request);
	}
	if (members.has('index.json')) {
		return ociLayout(members, request);
	}
	throw new BoincError(
		'image-invalid',
		`The file (${request.label}) is not a saved image: it has no manifest.json and no index.json.`,
		{
			remedy: 'Make it with docker save or podman save. The output of docker export has no configuration and cannot be used.',
			detail: { archive: request.label },
		},
	);
}

function dockerLayout(json: unknown, request: LayoutRequest): ImageLayout {
	const images = checked(dockerManifest, json, 'manifest.json', request);
	const [image] = images;
	if (image === undefined || images.length > 1) {
		const names = images.map((each) => each.RepoTags?.[0] ?? each.Config);
		throw new BoincError('image-invalid', `The archive (${request.label}) holds ${images.length} images: ${names.join(', ')}.`, {
			remedy: 'Save one image by its name.',
			detail: { archive: request.label, images: images.length },
		});
	}
	return { config: image.Config, layers: image.Layers ?? [], name: image.RepoTags?.[0] };
}

async function ociLayout(members: ArchiveMembers, request: LayoutRequest): Promise<ImageLayout> {
	const found: Descriptor[] = [];
	await collect(members, 'index.json', request, found, new Set());
	const usable = found.filter((each) => !isAttestation(each));
	const matching = usable.filter((each) => fits(each, request.architecture));
	const chosen = usable.length === 1 ? usable[0] : matching[0];
	if (chosen === undefined) {
		const platforms = usable.map((each) => `${each.platform?.os ?? '?'}/${each.platform?.architecture ?? '?'}`);
		throw new BoincError(
			'image-unsupported',
			`The archive (${request.label}) has no image for linux/${request.architecture}: ${platforms.join(', ') || 'it is empty'}.`,
			{ remedy: `Build the image for linux/${request.architecture}.`, detail: { archive: request.label } },
		);
	}
	if (matching.length > 1 && usable.every((each) => each.platform === undefined)) {
		throw new BoincError('image-invalid', `The archive (${request.label}) holds ${usable.length} images.`, {
			remedy: 'Save one image by its name.',
			detail: { archive: request.label, images: usable.length },
		});
	}
	const path = blobPath(chosen.digest);
	const manifest = checked(ociManifest, await members.json(path), path, request);
	return {
		config: blobPath(manifest.config.digest),
		layers: manifest.layers.map((layer) => blobPath(layer.digest)),
		name: chosen.annotations?.['io.containerd.image.name'] ?? chosen.annotations?.['org.opencontainers.image.ref.name'],
	};
}

/** Collects the image manifests of an index and of the indexes in it. Each index is read once: chains of them can name it millions of times. */
async function collect(
	members: ArchiveMembers,
	path: string,
	request: LayoutRequest,
	found: Descriptor[],
	seen: Set<string>,
): Promise<void> {
	const index = checked(ociIndex, await members.json(path), path, request);
	for (const each of index.manifests) {
		if (!/image\.index|manifest\.list/.test(each.mediaType)) {
			found.push(each);
		} else if (!seen.has(each.digest)) {
			seen.add(each.digest);
			await collect(members, blobPath(each.digest), request, found, seen);
		}
	}
}

/** BuildKit stores signatures and the like as images for an unknown platform. */
const isAttestation = (each: Descriptor): boolean =>
	each.platform?.os === 'unknown' || each.annotations?.['vnd.docker.reference.type'] !== undefined;

const fits = (each: Descriptor, architecture: string): boolean =>
	each.platform === undefined || (each.platform.os === 'linux' && each.platform.architecture === architecture);

const blobPath = (digest: string): string => `blobs/${digest.replace(':', '/')}`;

function checked<T>(
	schema: v.BaseSchema<unknown, T, v.BaseIssue<unknown>>,
	json: unknown,
	path: string,
	request: LayoutRequest,
): T {
	const result = v.safeParse(schema, json);
	if (!result.success) {
		const [issue] = result.issues;
		throw new BoincError(
			'archive-corrupt',
			`The file “${path}” in the archive (${request.label}) has another form than expected: ${issue.message}.`,
			{
				detail: { archive: request.label, entry: path },
			},
		);
	}
	return result.output;
}
