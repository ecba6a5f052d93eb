import { throwIfAborted } from '../common/errors.js';
import { formatBytes, plural } from '../common/format.js';
import type { OperationContext } from '../common/ports.js';
import { factsOf, type FlatImage } from '../image/flattenImage.js';
import { byOrder } from '../image/pack/choosePacks.js';
import { packFacts } from '../image/pack/manifest.js';
import type { ImageFacts, PackFacts, ShippedImage } from '../image/types.js';
import { storeImage } from '../project/imageStore.js';
import type { Project } from '../project/project.js';
import type { ManifestCache } from './manifestCache.js';
import { sendPacks } from './sendPacks.js';
import { intactImage, keyName, usablePacks } from './serverImages.js';

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
	const known = image.key === undefined ? undefined : await intactImage(project, keyName(image.key), cache, ctx);
	if (known) {
		ctx.log.info(`${project.name} has the image ${known.id.slice(0, 12)} already`);
		await approve({ ...known, newPacks: 0, newBytes: 0 });
		return { ...known, bytesSent: 0 };
	}
	const flat = await image.open();
	try {
		throwIfAborted(ctx.signal);
		const names = [flat.id, ...(image.key === undefined ? [] : [keyName(image.key)])];
		const same = await intactImage(project, flat.id, cache, ctx);
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
	const { damaged, manifests: known } = await usablePacks(project, cache, ctx);
	const planning = await flat.plan(known);
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
