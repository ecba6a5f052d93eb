import * as v from 'valibot';

import { BoincError, messageOf } from '../common/errors.js';
import { plural } from '../common/format.js';
import type { OperationContext } from '../common/ports.js';
import { factsSchema, openManifest, type PackManifest } from '../image/pack/manifest.js';
import type { ShippedImage } from '../image/types.js';
import { askForImages, type ImageRecord, readManifests, type RecentImages } from '../project/imageStore.js';
import type { Project } from '../project/project.js';
import type { ManifestCache } from './manifestCache.js';

/** Images whose packs are looked at for what a new image can take of them. */
const CANDIDATES = 12;

const text = v.string();
const texts = v.array(text);
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const recordSchema = v.object({
	id: v.pipe(text, v.regex(/^[0-9a-f]{64}$/)),
	config: v.object({
		os: text,
		architecture: text,
		entrypoint: texts,
		cmd: texts,
		env: texts,
		workingDir: text,
		user: text,
		labels: v.record(text, text),
	}),
	treeSize: count,
	entries: count,
	sharedLink: text,
	warnings: texts,
	packs: v.pipe(v.array(factsSchema), v.minLength(1)),
});

/** Names of images by key begin with a letter that no hexadecimal number has. */
export const keyName = (key: string): string => `k${key}`;

/** The image if the server knows it and has all its packs as they should be. One round trip. */
async function intactImage(
	project: Project,
	name: string,
	cache: ManifestCache,
	ctx: OperationContext,
): Promise<ShippedImage | undefined> {
	return intact(project, await askForImages(project, { name, recent: 0 }, cache, ctx).named, ctx);
}

/** What a server has, as far as it matters to an image. */
export interface ServerAnswer {
	/** The image itself, if the server knows it and has all its packs as they should be. */
	readonly same: Promise<ShippedImage | undefined>;
	/** If not, the images that were used last. */
	readonly recent: Promise<RecentImages>;
}

/** Asks for an image by its key and, if the server has it not, for others, in one round trip that begins before the key is known. */
export function askForKey(
	project: Project,
	key: Promise<string | undefined>,
	cache: ManifestCache,
	ctx: OperationContext,
): ServerAnswer {
	const name = key.then((known) => (known === undefined ? undefined : keyName(known)));
	const { named, recent } = askForImages(project, { name, recent: CANDIDATES }, cache, ctx);
	const same = named.then((record) => intact(project, record, ctx));
	same.catch(() => undefined);
	return { same, recent };
}

/** The image with this id, by which a server knows it under any key. Asks only if the answer does not say. */
export async function sameImage(
	project: Project,
	id: string,
	{ records, isAll }: RecentImages,
	cache: ManifestCache,
	ctx: OperationContext,
): Promise<ShippedImage | undefined> {
	const record = records.find(({ name }) => name === id);
	return record || isAll ? intact(project, record, ctx) : intactImage(project, id, cache, ctx);
}

function intact(project: Project, record: ImageRecord | undefined, ctx: OperationContext): ShippedImage | undefined {
	if (!record) {
		return undefined;
	}
	const image = imageOf(record);
	if (record.damaged.length > 0) {
		ctx.log.warn(
			`${project.name} lacks ${plural(record.damaged.length, 'pack')} of the image ${record.name.slice(0, 13)}: ${record.damaged.join(', ')}`,
		);
		return undefined;
	}
	return image;
}

function imageOf({ description }: ImageRecord): ShippedImage | undefined {
	const parsed = v.safeParse(recordSchema, description);
	return parsed.success ? parsed.output : undefined;
}

/** What a new image can take of a server. */
export interface UsablePacks {
	/** The images that were used last, each once. */
	readonly images: readonly ShippedImage[];
	/** Packs that are gone, or are not what they were. */
	readonly damaged: ReadonlySet<string>;
	/** Of the other packs. */
	readonly manifests: readonly PackManifest[];
}

/** The packs of the images that a server used last. */
export async function usablePacks(
	project: Project,
	cache: ManifestCache,
	ctx: OperationContext,
	known?: RecentImages,
): Promise<UsablePacks> {
	const records = (known ?? (await askForImages(project, { recent: CANDIDATES }, cache, ctx).recent)).records;
	const damaged = new Set(records.flatMap((record) => record.damaged));
	const images = new Map(records.flatMap((record) => imageOf(record) ?? []).map((image) => [image.id, image]));
	return { images: [...images.values()], damaged, manifests: await manifestsOf(project, records, damaged, cache, ctx) };
}

/** The manifests of all packs of these images, from this computer or from the server. */
async function manifestsOf(
	project: Project,
	records: readonly ImageRecord[],
	damaged: ReadonlySet<string>,
	cache: ManifestCache,
	ctx: OperationContext,
): Promise<PackManifest[]> {
	const packs = new Set(records.flatMap((record) => imageOf(record)?.packs ?? []).map(({ name }) => name));
	const found = new Map<string, Buffer>();
	const missing: string[] = [];
	const sound = [...packs].filter((name) => !damaged.has(name));
	const kept = await Promise.all(sound.map((name) => cache.get(name)));
	for (const [index, name] of sound.entries()) {
		const bytes = kept[index];
		if (bytes) {
			found.set(name, bytes);
		} else {
			missing.push(name);
		}
	}
	const fetched = await readManifests(project, missing, ctx);
	await cache.put(fetched);
	const manifests: PackManifest[] = [];
	for (const [name, bytes] of [...found, ...fetched]) {
		try {
			manifests.push(await openManifest(name, bytes));
		} catch (error) {
			if (!BoincError.is(error, 'archive-corrupt')) {
				throw error;
			}
			ctx.log.warn(`${messageOf(error)} The pack is not used.`);
		}
	}
	return manifests;
}
