import { throwIfAborted } from '../common/errors.js';
import { formatBytes, plural } from '../common/format.js';
import type { OperationContext } from '../common/ports.js';
import { factsOf, type FlatImage } from '../image/flattenImage.js';
import { byOrder } from '../image/pack/choosePacks.js';
import { packFacts } from '../image/pack/manifest.js';
import type { PackPlanning } from '../image/pack/planPacks.js';
import type { ImageFacts, Pack, PackFacts, ShippedImage } from '../image/types.js';
import type { Project } from '../project/project.js';
import type { ManifestCache } from './manifestCache.js';
import { type ImageToPublish, publishImage } from './publishImage.js';
import { sendPacks } from './sendPacks.js';
import { askForKey, keyName, sameImage, usablePacks } from './serverImages.js';

/** An image to be sent. */
export interface ImageToShip {
	/** `imageKey`, where it is known without reading the image. */
	readonly key: string | undefined | Promise<string | undefined>;
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
	/** How well they will compress, measured on some of their contents: bytes of gzip for a byte of tar. */
	compression(): Promise<number>;
}

const NOTHING_NEW = { newPacks: 0, newBytes: 0, compression: () => Promise.resolve(1) };

export interface Shipment extends ShippedImage {
	/** Bytes that were sent to the server. */
	readonly bytesSent: number;
}

/** Who is asked before anything is sent; what it throws ends it all. */
type Approve = (image: ImageToSend) => Promise<void>;

/**
 * Bytes of tar up to which new packs travel with the record of their image, in the last of two round trips. What travels like
 * that and is cut off is sent again as a whole.
 */
const ENCLOSED_BYTES = 6 << 20;

/**
 * Makes sure that the server has all packs of an image, and sends what it lacks. An image that it has already costs one round
 * trip and is not even read. Parts of other images are used where they are the same; see `choosePacks`. Packs that were
 * sent before an error or a cancellation stay, for the next try takes them. `approve` is asked before anything is sent. Rejects as
 * `image.key`, `image.open`, `stageFiles` and `publishImage` do.
 */
export async function shipImage(
	project: Project,
	image: ImageToShip,
	cache: ManifestCache,
	ctx: OperationContext,
	approve: Approve = () => Promise.resolve(),
): Promise<Shipment> {
	ctx.progress.report({ message: 'Asking what the server has' });
	const server = askForKey(project, Promise.resolve(image.key), cache, ctx);
	const known = await server.same;
	if (known) {
		ctx.log.info(`${project.name} has the image ${known.id.slice(0, 12)} already`);
		await approve({ ...known, ...NOTHING_NEW });
		return { ...known, bytesSent: 0 };
	}
	const recent = server.recent.then(async (found) => ({ found, usable: await usablePacks(project, cache, ctx, found) }));
	recent.catch(() => undefined);
	const flat = await image.open();
	try {
		throwIfAborted(ctx.signal);
		const key = await image.key;
		const names = [flat.id, ...(key === undefined ? [] : [keyName(key)])];
		const { found, usable } = await recent;
		const same = await sameImage(project, flat.id, found, cache, ctx);
		if (same) {
			await approve({ ...same, ...NOTHING_NEW });
			const bytesSent = await publishImage(project, Promise.resolve(onlyRecord(names, same)), cache, ctx);
			return { ...same, bytesSent };
		}
		const planning = await flat.plan(usable.manifests);
		await announce(flat, planning, ctx, approve);
		return await new Sending(project, flat, planning, names, cache, ctx).send(usable.damaged);
	} finally {
		await flat.dispose();
	}
}

/** An image that the server has, to be known under further names. */
const onlyRecord = (names: readonly string[], image: ShippedImage): ImageToPublish => ({
	names,
	packs: image.packs,
	description: image,
	manifests: new Map(),
	enclosed: [],
	checked: [],
});

async function announce(flat: FlatImage, planning: PackPlanning, ctx: OperationContext, approve: Approve): Promise<void> {
	const { kept, fresh, staleBytes } = planning;
	ctx.log.info(
		`image ${flat.id.slice(0, 12)}: ${plural(kept.length, 'pack')} on the server, ${plural(fresh.length, 'pack')} to make, ${formatBytes(staleBytes)} replaced`,
	);
	const compression = (): Promise<number> => flat.compression(planning, ctx);
	await approve({ ...factsOf(flat), packs: kept, newPacks: fresh.length, newBytes: tarBytes(planning), compression });
}

const tarBytes = ({ fresh }: PackPlanning): number => fresh.reduce((sum, { size }) => sum + size, 0);

/** Makes the new packs of an image and sends them with its record. */
class Sending {
	constructor(
		readonly project: Project,
		readonly flat: FlatImage,
		readonly planning: PackPlanning,
		readonly names: readonly string[],
		readonly cache: ManifestCache,
		readonly ctx: OperationContext,
	) {}

	async send(damaged: ReadonlySet<string>): Promise<Shipment> {
		if (tarBytes(this.planning) <= ENCLOSED_BYTES) {
			return this.#publish(
				this.#made().then((packs) => ({ packs, enclosed: packs, checked: namesOf(packs) })),
				0,
			);
		}
		const { packs, sent, bytesSent } = await sendPacks(this.project, this.flat, this.planning, damaged, this.ctx);
		return this.#publish(Promise.resolve({ packs, enclosed: [], checked: sent }), bytesSent);
	}

	async #made(): Promise<Pack[]> {
		const packs: Pack[] = [];
		for await (const pack of this.flat.write(this.planning, this.ctx)) {
			packs.push(pack);
		}
		return packs;
	}

	/** Starts before the packs are made. */
	async #publish(making: Promise<FreshPacks>, bytesBefore: number): Promise<Shipment> {
		const { project, flat, planning, names, cache, ctx } = this;
		const prepared = making.then(async ({ packs, enclosed, checked }) => {
			const manifests = new Map<string, Uint8Array>();
			for (const pack of packs) {
				manifests.set(pack.name, await bytesOf(pack.manifest.open(0)));
			}
			const result: ShippedImage = { ...factsOf(flat), packs: [...planning.kept, ...packs.map(packFacts)].sort(byOrder) };
			return { names, packs: result.packs, description: result, manifests, enclosed, checked, result };
		});
		const keeping = prepared.then(({ manifests }) => cache.put(manifests));
		try {
			const bytesSent = await publishImage(project, prepared, cache, ctx);
			const { result } = await prepared;
			return { ...result, bytesSent: bytesBefore + bytesSent };
		} finally {
			// Nothing may still write when the temporary folder is removed.
			await Promise.allSettled([keeping]);
		}
	}
}

/** The new packs of an image, those of them that travel with its record, and those that the server compared with their hash. */
interface FreshPacks {
	readonly packs: readonly Pack[];
	readonly enclosed: readonly Pack[];
	readonly checked: readonly string[];
}

const namesOf = (packs: readonly PackFacts[]): string[] => packs.map(({ name }) => name);

async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
	const chunks: Uint8Array[] = [];
	for await (const chunk of stream) {
		chunks.push(chunk);
	}
	return Buffer.concat(chunks);
}
