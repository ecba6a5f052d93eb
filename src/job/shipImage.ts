import * as v from 'valibot';

import { BoincError, messageOf, throwIfAborted } from '../common/errors.js';
import { formatBytes, plural } from '../common/format.js';
import type { OperationContext } from '../common/ports.js';
import { factsOf, type FlatImage } from '../image/flattenImage.js';
import { byOrder } from '../image/pack/choosePacks.js';
import { factsSchema, openManifest, packFacts, type PackManifest } from '../image/pack/manifest.js';
import type { ImageFacts, PackFacts, ShippedImage } from '../image/types.js';
import { findImage, type ImageRecord, readManifests, recentImages, storeImage } from '../project/imageStore.js';
import type { Project } from '../project/project.js';
import type { ManifestCache } from './manifestCache.js';
import { sendPacks } from './sendPacks.js';

/** An image to be sent. */
export interface ImageToShip {
	/** `imageKey`, where it is known without reading the image. */
	readonly key: string | undefined;
	/** Reads the image; it is disposed here. */
	open(): Promise<FlatImage>;
}

/** An image and what of it the server lacks, before anything is sent. */
export interface ImageToSend extends ImageFacts {
	/** Those that the server has. */
	readonly packs: readonly PackFacts[];
	readonly newPacks: number;
	/** Bytes of the new packs before they are compressed. */
	readonly newBytes: number;
}

export interface Shipment extends ShippedImage {
	/** Bytes that were sent to the server. */
	readonly bytesSent: number;
}

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

/**
 * Makes sure that the server has all packs of an image, and sends what it lacks. An image that it has already costs one round
 * trip and is not even read. Parts of other images are used where they are the same; see `choosePacks`. Packs that were
 * sent before an error or a cancellation stay, for the next try takes them. `approve` is asked before anything is sent; what it
 * throws ends it all. Rejects as `open` and `stageFiles` do.
 */
export async function shipImage(
	project: Project,
	image: ImageToShip,
	cache: ManifestCache,
	ctx: OperationContext,
	approve: (image: ImageToSend) => Promise<void> = () => Promise.resolve(),
): Promise<Shipment> {
	ctx.progress.report({ message: 'Asking what the server has' });
	const known = image.key === undefined ? undefined : await intact(project, keyName(image.key), cache, ctx);
	if (known) {
		ctx.log.info(`${project.name} has the image ${known.id.slice(0, 12)} already`);
		await approve({ ...known, newPacks: 0, newBytes: 0 });
		return { ...known, bytesSent: 0 };
	}
	const flat = await image.open();
	try {
		throwIfAborted(ctx.signal);
		const names = [flat.id, ...(image.key === undefined ? [] : [keyName(image.key)])];
		const same = await intact(project, flat.id, cache, ctx);
		if (same) {
			await approve({ ...same, newPacks: 0, newBytes: 0 });
		}
		const shipped = same
			? { ...same, bytesSent: 0, manifests: new Map<string, Uint8Array>() }
			: await sendRest(project, flat, cache, ctx, approve);
		const { bytesSent, manifests, ...result } = shipped;
		const recorded = await storeImage(project, { names, packs: result.packs, description: result, manifests }, ctx);
		await cache.put(manifests);
		return { ...result, bytesSent: bytesSent + recorded };
	} finally {
		await flat.dispose();
	}
}

/** Names of images by key begin with a letter that no hexadecimal number has. */
const keyName = (key: string): string => `k${key}`;

/** The image if the server knows it and has all its packs as they should be. */
async function intact(
	project: Project,
	name: string,
	cache: ManifestCache,
	ctx: OperationContext,
): Promise<ShippedImage | undefined> {
	const record = await findImage(project, name, cache, ctx);
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

interface Sent extends Shipment {
	readonly manifests: ReadonlyMap<string, Uint8Array>;
}

async function sendRest(
	project: Project,
	flat: FlatImage,
	cache: ManifestCache,
	ctx: OperationContext,
	approve: (image: ImageToSend) => Promise<void>,
): Promise<Sent> {
	const records = await recentImages(project, CANDIDATES, ctx);
	const damaged = new Set(records.flatMap((record) => record.damaged));
	const planning = await flat.plan(await manifestsOf(project, records, damaged, cache, ctx));
	ctx.log.info(
		`image ${flat.id.slice(0, 12)}: ${plural(planning.kept.length, 'pack')} on the server, ${plural(planning.fresh.length, 'pack')} to make, ${formatBytes(planning.staleBytes)} replaced`,
	);
	await approve({
		...factsOf(flat),
		packs: planning.kept,
		newPacks: planning.fresh.length,
		newBytes: planning.fresh.reduce((sum, { size }) => sum + size, 0),
	});
	const made: PackFacts[] = [];
	const manifests = new Map<string, Uint8Array>();
	const report = await sendPacks(project, flat, planning, damaged, ctx);
	for (const pack of report.packs) {
		made.push(packFacts(pack));
		manifests.set(pack.name, await bytesOf(pack.manifest.open(0)));
	}
	return { ...factsOf(flat), packs: [...planning.kept, ...made].sort(byOrder), manifests, bytesSent: report.bytesSent };
}

async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
	const chunks: Uint8Array[] = [];
	for await (const chunk of stream) {
		chunks.push(chunk);
	}
	return Buffer.concat(chunks);
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
	for (const name of packs) {
		const bytes = damaged.has(name) ? undefined : await cache.get(name);
		if (bytes) {
			found.set(name, bytes);
		} else if (!damaged.has(name)) {
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
