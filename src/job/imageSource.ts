import { BoincError } from '../common/errors.js';
import type { OperationContext } from '../common/ports.js';
import type { BuildRequest, Engine } from '../image/engine.js';
import type { LayerCache } from '../image/layerCache.js';
import type { ImageConfig } from '../image/types.js';
import type { Architecture } from '../project/types.js';
import { imageOfEngine, openChecked } from './imageOfEngine.js';
import type { ImageToShip } from './shipImage.js';

/** Where the image comes from: built now, in the engine already, or saved in a file by `docker save`. */
export type ImageSource =
	| {
			readonly kind: 'dockerfile';
			readonly contextDir: string;
			/** Relative to `contextDir`, or absolute. */
			readonly dockerfile: string;
			readonly buildArgs?: Readonly<Record<string, string>>;
			readonly target?: string;
			/** As `linux/arm64`. Default: what the app's versions run. */
			readonly platform?: string;
	  }
	| { readonly kind: 'reference'; readonly reference: string }
	| { readonly kind: 'archive'; readonly file: string };

export interface ImageRequest {
	readonly image: ImageSource;
	/** Folder for temporary files as big as the image. Default: the system's. */
	readonly tempDir?: string;
	/** Receives the lines of the build. */
	readonly onLog?: (line: string) => void;
}

/** Architectures of this computer's kind, in Docker's words. */
export const NATIVE: Readonly<Partial<Record<NodeJS.Architecture, Architecture>>> = { x64: 'amd64', arm64: 'arm64' };

/** Builds the image if it must be built, and finds out what can be known of it without reading it. */
export async function imageToShip(
	{ image, tempDir, onLog }: ImageRequest,
	{ engine, layers }: { readonly engine: Engine | undefined; readonly layers: LayerCache },
	architecture: Architecture,
	check: (config: ImageConfig) => Promise<void>,
	ctx: OperationContext,
): Promise<ImageToShip> {
	const asked = image.kind === 'dockerfile' ? image.platform?.split('/')[1] : undefined;
	const options = { layers, architecture: asked ?? architecture, check, ...(tempDir !== undefined && { tempDir }) };
	if (image.kind === 'archive') {
		return { key: undefined, open: () => openChecked({ file: image.file }, options, ctx) };
	}
	if (!engine) {
		throw new BoincError('engine-missing', 'This image cannot be read without a container engine.', {
			remedy: 'Install Docker or Podman, or give an image that was saved in a file.',
		});
	}
	if (image.kind === 'reference') {
		return imageOfEngine(engine, image.reference, options, ctx);
	}
	ctx.progress.report({ message: 'Building the image' });
	return imageOfEngine(engine, await engine.build(buildRequestOf(image, architecture, onLog), ctx), options, ctx);
}

function buildRequestOf(
	image: Extract<ImageSource, { kind: 'dockerfile' }>,
	architecture: Architecture,
	onLog: ((line: string) => void) | undefined,
): BuildRequest {
	// Some engines fetch a base image anew for a platform that is named, so this computer's own is not.
	const wanted = image.platform ?? (architecture === NATIVE[process.arch] ? undefined : `linux/${architecture}`);
	return {
		contextDir: image.contextDir,
		dockerfile: image.dockerfile,
		...(image.buildArgs && { buildArgs: image.buildArgs }),
		...(image.target !== undefined && { target: image.target }),
		...(wanted !== undefined && { platform: wanted }),
		...(onLog && { onLog }),
	};
}
