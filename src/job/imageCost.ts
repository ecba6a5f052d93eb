import { type OperationContext, silentProgress } from '../common/ports.js';
import { type ImageFinding, imageFindings } from '../image/cost/findings.js';
import { type FolderSize, folderSizes, type LayerSize, layerSizes } from '../image/cost/treeSizes.js';
import { factsOf, type FlatImage } from '../image/flattenImage.js';
import type { PackPlanning } from '../image/pack/planPacks.js';
import type { ImageFacts, PackFacts, ShippedImage } from '../image/types.js';
import type { Project } from '../project/project.js';
import type { ManifestCache } from './manifestCache.js';
import { packBytes } from './packBytes.js';
import { defaultResources } from './resources.js';
import { usablePacks } from './serverImages.js';

/** A pack that the server lacks. */
export interface PackToSend {
	/** Bytes as it travels, about. */
	readonly bytes: number;
	readonly files: number;
}

/** What an image costs whom. */
export interface ImageCost {
	readonly facts: ImageFacts;
	readonly folders: FolderSize;
	readonly layers: readonly LayerSize[];
	readonly findings: readonly ImageFinding[];
	/** Packs of the image that the server has. */
	readonly onServer: readonly PackFacts[];
	readonly toSend: readonly PackToSend[];
	/** Bytes that must be sent now. */
	readonly sendBytes: number;
	/** Bytes that a volunteer downloads who has nothing of it. */
	readonly downloadBytes: number;
	/** … and who has the former version; `undefined` when there is none on the server. */
	readonly updateBytes: number | undefined;
	/** Bytes of the downloads that later packs replace. */
	readonly staleBytes: number;
	readonly host: HostNeeds;
}

/** What a job with nothing else said takes on a host. */
export interface HostNeeds {
	readonly memoryBytes: number;
	/** In the slot of each job: packs, results, logs. */
	readonly diskBytes: number;
	/** Once for all jobs: the image in the host's engine. */
	readonly imageBytes: number;
}

export interface CostOptions {
	/** Id of the version that volunteers may have; else the one on the server that is most alike. */
	readonly former?: string | undefined;
}

/** Bytes of tar up to which packs are made to know their sizes; more would take seconds. */
const EXACT_BYTES = 16 << 20;

/**
 * Works out what an image takes to send, to download and to run. Reads the image and asks the server, if there is one, which
 * packs it has; sends nothing. Disposes `flat`. Rejects as `usablePacks` and `FlatImage.plan` do.
 */
export async function imageCost(
	flat: FlatImage,
	server: { readonly project: Project; readonly cache: ManifestCache } | undefined,
	ctx: OperationContext,
	options: CostOptions = {},
): Promise<ImageCost> {
	try {
		ctx.progress.report({ message: 'Asking what the server has' });
		const known = server && (await usablePacks(server.project, server.cache, ctx));
		const images = known?.images ?? [];
		const planning = await flat.plan(known?.manifests ?? []);
		const damaged = known?.damaged;
		const same = images.find(({ id, packs }) => id === flat.id && !packs.some(({ name }) => damaged?.has(name) === true));
		const onServer = same?.packs ?? planning.kept;
		ctx.progress.report({ message: 'Measuring how it compresses' });
		const toSend = same ? [] : await packsToSend(flat, planning, ctx);
		const sendBytes = toSend.reduce((sum, { bytes }) => sum + bytes, 0);
		const downloadBytes = packBytes(onServer) + sendBytes;
		const former = formerVersion(flat.id, onServer, images, options.former);
		const had = new Set(former?.packs.map(({ name }) => name));
		const sizes = { packBytes: downloadBytes, inputBytes: 0 };
		const { memoryBytes, diskBytes } = defaultResources(sizes).resources;
		return {
			facts: factsOf(flat),
			folders: folderSizes(flat.tree),
			layers: layerSizes(flat.tree, flat.layerCount, flat.history),
			findings: imageFindings(flat.tree, flat.config),
			onServer,
			toSend,
			sendBytes,
			downloadBytes,
			updateBytes: former && packBytes(onServer.filter(({ name }) => !had.has(name))) + sendBytes,
			staleBytes: same ? 0 : planning.staleBytes,
			host: { memoryBytes, diskBytes, imageBytes: flat.treeSize },
		};
	} finally {
		await flat.dispose();
	}
}

/** The version that volunteers most likely have: the one that is named, or the one with most of the same packs. */
function formerVersion(
	id: string,
	packs: readonly PackFacts[],
	images: readonly ShippedImage[],
	wanted: string | undefined,
): ShippedImage | undefined {
	const others = images.filter((image) => image.id !== id);
	const names = new Set(packs.map(({ name }) => name));
	const common = (image: ShippedImage): number => packBytes(image.packs.filter(({ name }) => names.has(name)));
	const best = others.toSorted((a, b) => common(b) - common(a))[0];
	return others.find((image) => image.id === wanted) ?? (best && common(best) > 0 ? best : undefined);
}

/** Sizes of the packs to make. Those of a small image are made, so that they are exact; others are estimated. */
async function packsToSend(flat: FlatImage, planning: PackPlanning, ctx: OperationContext): Promise<PackToSend[]> {
	const { fresh } = planning;
	const tarBytes = fresh.reduce((sum, { size }) => sum + size, 0);
	let ratio: number;
	if (tarBytes > EXACT_BYTES) {
		ratio = await flat.compression(planning, ctx);
	} else {
		let bytes = 0;
		for await (const pack of flat.write(planning, { ...ctx, progress: silentProgress })) {
			bytes += pack.size;
			await flat.discard(pack);
		}
		ratio = bytes / Math.max(1, tarBytes);
	}
	return fresh.map(({ size, units, times }) => ({ bytes: Math.ceil(size * ratio), files: units.length + times.length }));
}
