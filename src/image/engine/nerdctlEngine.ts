import { isAbort } from '../../common/errors.js';
import type { OperationContext } from '../../common/ports.js';
import type { BuildRequest } from '../engine.js';
import { CliEngine } from './cliEngine.js';
import { type ImageSummary, parseImageList } from './imageList.js';
import { isSameName } from './imageReference.js';
import { type ImageDetails, parseDetails } from './inspection.js';

/**
 * nerdctl, Docker's command line for containerd (its sources, 0.22 to 2.1). It finds an image by its name or by the digest of what
 * the name leads to, a manifest or an index (`Digest` of `nerdctl images`); the `Id` of `image inspect` is the digest of the
 * configuration as Docker's, by which it finds nothing. So images are known by the former here. `image inspect` of what is not there
 * says nothing and ends well since 2.0. Not seen with a real one: whether the digest that `build --iidfile` writes is always the one in the
 * list, for images that are loaded from BuildKit.
 */
export class NerdctlEngine extends CliEngine {
	override async listImages(ctx: OperationContext): Promise<readonly ImageSummary[]> {
		const { end, lines } = await this.program.query(['images', '--no-trunc', '--format', '{{json .}}'], ctx);
		if (end.code !== 0) {
			throw this.program.failed('list the images', end);
		}
		return parseImageList(lines.join('\n'), 'digest');
	}

	override async imageId(reference: string, ctx: OperationContext): Promise<string | undefined> {
		const id = reference.replace(/^sha256:/, '');
		const all = await this.listImages(ctx);
		return all.find((image) => image.id === id || image.names.some((name) => isSameName(name, reference)))?.id;
	}

	override async details(ids: readonly string[], ctx: OperationContext): Promise<readonly ImageDetails[]> {
		const found: ImageDetails[] = [];
		// One by one: which answer is about which image cannot be seen in it.
		for (const id of ids) {
			const said = await this.inspected(id, ctx).catch((error: unknown) => {
				if (isAbort(error)) {
					throw error;
				}
				return undefined; // as of other engines, one that is gone is left out
			});
			const [image] = parseDetails(said ?? '');
			if (image) {
				found.push({ ...image, id });
			}
		}
		return found;
	}

	/** It has none, and does not look at Docker's. */
	override contextName(): Promise<string | undefined> {
		return Promise.resolve(undefined);
	}

	/** Without it, only what is for this computer's platform is saved. */
	protected override async saveOptions(image: string, ctx: OperationContext): Promise<string[]> {
		const id = await this.imageId(image, ctx);
		const platform = id === undefined ? undefined : (await this.details([id], ctx))[0]?.platform;
		return platform === undefined || platform.startsWith('/') ? [] : [`--platform=${platform}`];
	}

	protected override async builtImage(id: string, request: BuildRequest, ctx: OperationContext): Promise<string | undefined> {
		const found = await super.builtImage(id, request, ctx);
		return found ?? (request.tag === undefined ? undefined : this.imageId(request.tag, ctx));
	}
}
